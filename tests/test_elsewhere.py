"""Names of other libraries, looked for where they are not."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

import nnkit

NET = nnkit.FeedForward(2, 2)
SCHEDULES = nnkit.optimizers.schedules


@pytest.mark.parametrize(
    ("thing", "owner", "name", "hint"),
    [
        (NET, "Network", "evaluate", "it is net.test(x, y) here"),
        (NET, "Network", "score", "net.test(x, y) has accuracy, or r2"),
        (NET, "Network", "compile", "net.fit takes optimizer, loss and metrics itself"),
        (NET, "Network", "predict_proba", "net.predict(x) gives the probabilities"),
        (NET, "Network", "history", "net.fit returns the run, and run.history is it"),
        (NET, "Network", "layers", "net.module is the tree of layers"),
        (NET, "Network", "state_dict", "it is net.parameters() here"),
        (NET, "Network", "load_state_dict", "it is net.set_parameters(mapping) here"),
        (NET, "Network", "load_weights", "it is net.load_parameters(path) here"),
        (nnkit.nn, "module 'nnkit.nn'", "Linear", "it is Dense(outputs) here"),
        (nnkit.nn, "module 'nnkit.nn'", "ReLU", "it is Activation('relu') here"),
        (nnkit.nn, "module 'nnkit.nn'", "BatchNorm1d", "it is BatchNorm() here"),
        (nnkit.nn, "module 'nnkit.nn'", "Conv2D", "nnkit has no such layer"),
        (nnkit, "module 'nnkit'", "Dense", "it is nnkit.nn.Dense"),
        (nnkit, "module 'nnkit'", "Adam", "it is nnkit.optimizers.Adam"),
        (nnkit, "module 'nnkit'", "layers", "they are in nnkit.nn"),
        (nnkit, "module 'nnkit'", "models", "they are nnkit.FeedForward, nnkit.Sequential"),
        (SCHEDULES, "module 'nnkit.optimizers.schedules'", "StepLR", "it is nnkit.optimizers.schedules.Step here"),
        (nnkit.optimizers, "module 'nnkit.optimizers'", "Cosine", "it is nnkit.optimizers.schedules.Cosine"),
    ],
)
def test_they_lead_somewhere(thing: Any, owner: str, name: str, hint: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(f"{owner} has no attribute '{name}': {hint}")):
        getattr(thing, name)
    assert not hasattr(thing, name)


@pytest.mark.parametrize("name", nnkit.elsewhere.LAYERS)
def test_activations_that_are_named_exist(name: str) -> None:
    found = re.match(r"it is Activation\('(\w+)'\)", nnkit.elsewhere.LAYERS[name])
    assert found is None or nnkit.nn.Activation(found[1]).name == found[1]


@pytest.mark.parametrize(("thing", "tables"), [(NET, "NETWORK"), (nnkit.nn, "LAYERS"), (nnkit, "TOP")])
def test_no_name_of_the_tables_is_there(thing: Any, tables: str) -> None:
    there = set(dir(thing)) - {"sklearn"}  # which is there once somebody has imported it
    assert not there & set(getattr(nnkit.elsewhere, tables))


def test_any_other_name_is_left_to_python() -> None:
    with pytest.raises(AttributeError, match=r"Network has no attribute 'fitt'$") as caught:
        NET.fitt  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("fitt", NET)
    with pytest.raises(AttributeError, match=r"module 'nnkit.nn' has no attribute 'Dens'$") as caught:
        nnkit.nn.Dens  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("Dens", nnkit.nn)


def test_protocols_and_copies_see_no_more_than_before() -> None:
    assert np.asarray(NET, dtype=object).shape == ()
    assert not hasattr(copy.copy(NET), "__array__")
    assert repr(copy.deepcopy(NET)) == repr(NET)


def test_the_estimators_are_imported_by_name() -> None:
    with pytest.raises(AttributeError, match=r"module 'nnkit' has no attribute 'sklearn': write import nnkit\.sklearn"):
        nnkit.__getattr__("sklearn")  # the attribute is there once somebody has imported it
