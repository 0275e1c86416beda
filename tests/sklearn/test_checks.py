"""scikit-learn's own checks of an estimator, with no exception asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.peers import peer

peer("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from nnkit.sklearn import Classifier, Regressor  # noqa: E402


@pytest.mark.filterwarnings("ignore::nnkit.NnkitWarning")  # the data of the checks are not scaled
@parametrize_with_checks([Classifier(), Regressor()])
def test_scikit_learn_takes_it_for_an_estimator(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
