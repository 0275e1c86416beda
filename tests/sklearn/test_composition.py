"""Estimators inside of scikit-learn's other things, copied, pickled and sent to other processes."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest

from nnkit.optimizers import SGD, Adam
from tests.sklearn.data import blobs, same, waves

import joblib  # isort: skip
from sklearn.base import clone, is_classifier, is_regressor  # isort: skip
from sklearn.calibration import CalibratedClassifierCV  # isort: skip
from sklearn.compose import TransformedTargetRegressor  # isort: skip
from sklearn.ensemble import BaggingClassifier, StackingRegressor, VotingClassifier  # isort: skip
from sklearn.inspection import permutation_importance  # isort: skip
from sklearn.linear_model import LogisticRegression, Ridge  # isort: skip
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_val_score  # isort: skip
from sklearn.multiclass import OneVsRestClassifier  # isort: skip
from sklearn.multioutput import MultiOutputClassifier  # isort: skip
from sklearn.pipeline import make_pipeline  # isort: skip
from sklearn.preprocessing import StandardScaler  # isort: skip

from nnkit.sklearn import Classifier, Regressor  # isort: skip

X, Y = blobs()
NAMES = np.array(["ape", "bee", "cat"])[Y]


def classifier(**options: Any) -> Classifier:
    return Classifier(**{"hidden": (8,), "learning_rate": 0.05, "epochs": 30, "random_state": 0} | options)


def test_their_kinds() -> None:
    assert is_classifier(Classifier())
    assert is_regressor(Regressor())


def test_in_a_pipeline() -> None:
    model = make_pipeline(StandardScaler(), classifier()).fit(X * 1000, NAMES)
    assert model.score(X * 1000, NAMES) > 0.95
    scaled = model[0].transform(blobs(seed=1)[0] * 1000)
    model.fit(X * 1000, NAMES, classifier__validation_data=(scaled, NAMES), classifier__sample_weight=np.ones(60))
    assert "val_loss" in model[-1].run_.history


def test_in_searches() -> None:
    grid = {"hidden": [(4,), (8, 8)], "l2": [0.0, 1e-3], "optimizer": [Adam(0.05), SGD(0.05)]}
    search = GridSearchCV(classifier(learning_rate=1e-3), grid, cv=2).fit(X, NAMES)
    assert search.best_score_ > 0.95
    assert search.predict(X).dtype.kind == "U"
    drawn = {"dropout": np.linspace(0, 0.3, 4), "batch_size": np.arange(10, 40), "patience": np.arange(5, 9)}
    assert RandomizedSearchCV(classifier(), drawn, n_iter=3, cv=2, random_state=0).fit(X, NAMES).best_score_ > 0.8


def test_across_processes() -> None:
    alone = cross_val_score(classifier(), X, NAMES, cv=3)
    assert (cross_val_score(classifier(), X, NAMES, cv=3, n_jobs=2) == alone).all()
    assert alone.mean() > 0.95
    assert cross_val_predict(classifier(), X, NAMES, cv=3, method="predict_proba").shape == (60, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda net: BaggingClassifier(net, n_estimators=3, random_state=0),
        lambda net: VotingClassifier([("net", net), ("line", LogisticRegression())], voting="soft"),
        lambda net: CalibratedClassifierCV(net, cv=2),
        lambda net: CalibratedClassifierCV(net, cv=2, method="isotonic"),
        lambda net: OneVsRestClassifier(net),
    ],
    ids=["bagging", "voting", "calibrated", "isotonic", "one versus rest"],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_in_ensembles(make: Any, classes: int) -> None:
    x, y = blobs(classes)
    model = make(classifier()).fit(x, y)
    assert model.score(x, y) > 0.9
    assert model.predict_proba(x).shape == (60, classes)


def test_in_other_things() -> None:
    x, y = waves()
    net = Regressor(hidden=(8,), learning_rate=0.02, random_state=0)
    assert TransformedTargetRegressor(net, transformer=StandardScaler()).fit(x, 1e3 * y).score(x, 1e3 * y) > 0.8
    assert StackingRegressor([("net", net), ("line", Ridge())]).fit(x, y).score(x, y) > 0.8
    several = np.stack([Y, (Y + 1) % 3], axis=1)
    assert MultiOutputClassifier(classifier()).fit(X, several).score(X, several) > 0.9
    importance = permutation_importance(net.fit(x, y), x, y, n_repeats=2, random_state=0).importances_mean
    assert importance[:2].min() > importance[2:].max()


def test_a_clone_has_the_parameters_alone() -> None:
    net = classifier(callbacks=[lambda training: None], optimizer=Adam(0.05), learning_rate=1e-3).fit(X, NAMES)
    other = clone(net)
    assert not hasattr(other, "network_")
    assert other.get_params().keys() == net.get_params().keys()
    assert same(other.fit(X, NAMES), net)


def sent_by_pickle(net: Any) -> Any:
    return pickle.loads(pickle.dumps(net))


def sent_by_joblib(net: Any) -> Any:
    file = io.BytesIO()
    joblib.dump(net, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize("copied", [sent_by_pickle, sent_by_joblib, copy.deepcopy])
def test_a_copy_predicts_and_goes_on_as_the_original(copied: Any) -> None:
    net = classifier(dropout=0.1, optimizer="adam").fit(X, NAMES)
    other = copied(net)
    assert (other.predict_proba(X) == net.predict_proba(X)).all()
    assert (other.decision_function(X) == net.decision_function(X)).all()
    assert other.classes_.tolist() == net.classes_.tolist()
    assert other.run_.network is other.network_
    assert other.run_.to_dict() == net.run_.to_dict()
    for each in (net, other):
        each.partial_fit(X, NAMES).partial_fit(X, NAMES)
    assert same(net, other)
    assert net.loss_curve_ == other.loss_curve_


def test_a_copy_shares_nothing_that_changes() -> None:
    net = classifier().fit(X, NAMES)
    other = copy.deepcopy(net)
    before = net.predict_proba(X)
    other.partial_fit(X, NAMES)
    assert (net.predict_proba(X) == before).all()


def test_it_is_shown_as_other_estimators_are() -> None:
    assert repr(Classifier(hidden=(5,))) == "Classifier(hidden=(5,))"
    assert "Classifier" in Classifier()._repr_html_()
