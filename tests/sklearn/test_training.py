"""The training of an estimator is that of its network; what it watches, weighs, keeps and goes on from."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.optimizers import SGD, Adam
from tests.sklearn.data import blobs, same, waves

from sklearn.exceptions import NotFittedError  # isort: skip

from nnkit.sklearn import Classifier, Regressor  # isort: skip
from nnkit.sklearn.plateau import Plateau  # isort: skip

X, Y = blobs()
FAST: dict[str, Any] = {"hidden": (8,), "learning_rate": 0.02, "epochs": 10, "tol": None, "random_state": 3}


def network(outputs: int = 3, **options: Any) -> nnkit.Network:
    given = {"output_activation": "softmax", "dtype": "float64", "seed": 3} | options
    return nnkit.FeedForward(inputs=4, outputs=outputs, hidden=[8], **given)


def test_fit_is_the_fit_of_the_network() -> None:
    net = network()
    run = net.fit(X, Y, epochs=10, batch_size=16, learning_rate=0.02, progress=False)
    mine = Classifier(batch_size=16, **FAST).fit(X, Y)
    assert (mine.network_.predict(X) == net.predict(X)).all()
    assert mine.loss_curve_ == run.history["loss"] == mine.run_.history["loss"]
    assert mine.n_iter_ == 10
    assert mine.run_.network is mine.network_


def test_the_architecture_follows_the_parameters() -> None:
    net = Classifier(
        hidden=[7, 5], activation=["tanh", "gelu"], dropout=0.25, l1=1e-4, l2=1e-3, dtype="float32", epochs=1
    ).fit(X, Y)
    dropout = nnkit.nn.Dropout(0.25)
    dense = [nnkit.nn.Dense(n, act, l1=1e-4, l2=1e-3) for n, act in ((7, "tanh"), (5, "gelu"), (3, "softmax"))]
    twin = nnkit.Sequential([dense[0], dropout, dense[1], dropout, dense[2]], (4,))
    assert repr(net.network_.module) == repr(twin.module)
    assert [layer.penalty for layer in net.network_.module.layers[::2]] == [layer.penalty for layer in dense]
    assert net.network_.dtype == net.predict_proba(X).dtype.name == "float32"


@pytest.mark.parametrize("hidden", [(), [], 8, np.array([8]), (np.int64(8),)])
def test_ways_to_say_the_hidden_layers(hidden: Any) -> None:
    net = Classifier(hidden=hidden, epochs=1).fit(X, Y)
    assert len(net.network_.module.layers) == (1 if np.size(hidden) == 0 else 2)


@pytest.mark.parametrize(
    ("given", "kept"), [("float32", "float32"), ("float64", "float64"), ("float16", "float64"), ("int32", "float64")]
)
def test_the_data_decide_on_the_dtype(given: str, kept: str) -> None:
    net = Regressor(epochs=1).fit(np.round(X).astype(given), Y)
    assert net.network_.dtype == net.predict(X).dtype.name == kept


# -- chance


def test_a_number_makes_it_repeatable_and_is_the_seed() -> None:
    first, second = (Classifier(dropout=0.2, batch_size=7, **FAST).fit(X, Y) for _ in range(2))
    assert same(first, second)
    assert first.network_.seed == 3
    assert same(first, first.fit(X, Y))
    assert not same(first, Classifier(dropout=0.2, batch_size=7, **FAST | {"random_state": 4}).fit(X, Y))


def test_a_generator_is_drawn_from() -> None:
    def seeds(generator: Any) -> list[int]:
        net = Classifier(**FAST | {"random_state": generator})
        return [net.fit(X, Y).network_.seed for _ in range(2)]

    found = seeds(np.random.RandomState(0))
    assert found == seeds(np.random.RandomState(0))
    assert found[0] != found[1]
    state = np.random.get_state()
    try:
        np.random.seed(0)
        assert seeds(None) == found
    finally:
        np.random.set_state(state)


# -- weights


def test_weights_of_rows() -> None:
    weight = np.random.default_rng(0).uniform(size=60)
    net = network()
    net.fit(X, Y, epochs=10, batch_size=200, learning_rate=0.02, sample_weight=weight, progress=False)
    mine = Classifier(**FAST).fit(X, Y, sample_weight=weight)
    assert (mine.network_.predict(X) == net.predict(X)).all()
    assert not same(mine, Classifier(**FAST).fit(X, Y))


@pytest.mark.parametrize("class_weight", ["balanced", {"a": 2.0, "c": 0.5}])
def test_weights_of_classes_are_weights_of_rows(class_weight: Any) -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    names = np.array(["a", "b", "c"])[np.minimum(Y, np.arange(60) % 2 + 1)]
    weight = np.random.default_rng(0).uniform(size=60)
    by_row = compute_sample_weight(class_weight, names)
    net = Classifier(class_weight=class_weight, **FAST)
    assert same(net.fit(X, names), Classifier(**FAST).fit(X, names, sample_weight=by_row))
    weighted = Classifier(**FAST).fit(X, names, sample_weight=by_row * weight)
    assert same(net.fit(X, names, sample_weight=weight), weighted)


def test_weights_of_rows_of_a_regression() -> None:
    x, y = waves(2)
    twice = Regressor(**FAST).fit(np.concatenate([x, x[:20]]), np.concatenate([y, y[:20]]))
    weighted = Regressor(**FAST).fit(x, y, sample_weight=np.where(np.arange(60) < 20, 2, 1))
    np.testing.assert_allclose(weighted.predict(x), twice.predict(x), rtol=1e-9, atol=1e-12)


# -- validation


def test_early_stopping_watches_rows_that_it_sets_aside() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 3, 60)  # there is nothing to learn
    net = Classifier(early_stopping=True, patience=4, **FAST | {"epochs": 500, "learning_rate": 0.1}).fit(X, noise)
    assert net.n_iter_ < 500
    assert "early stopping: val_loss has not improved for 4 epochs" in str(net.run_.stopped)
    best = min(net.run_.history["val_loss"])
    assert net.run_.result.validation["loss"] == pytest.approx(best)
    assert net.run_.record.data["validation"] == 6
    rows = net.run_.record.data["validation_indices"]
    assert net.network_.test(X[rows], noise[rows]).loss == pytest.approx(best)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_own_data_for_validation(early_stopping: bool) -> None:
    names = np.array(["a", "b", "c"])
    x, y = blobs(seed=1)
    net = Classifier(early_stopping=early_stopping, **FAST).fit(X, names[Y], validation_data=(x, names[y]))
    assert net.run_.record.data["train"] == 60
    assert net.run_.record.data["validation"] == 60
    assert net.run_.history["val_accuracy"][-1] == pytest.approx(net.score(x, names[y]))
    weighted = Classifier(**FAST).fit(X, names[Y], validation_data=(x, names[y], np.arange(60)))
    assert weighted.run_.history["val_loss"] != net.run_.history["val_loss"]


def test_own_data_for_validation_of_a_regression() -> None:
    from scipy.sparse import csr_array

    x, y = waves(2, seed=1)
    net = Regressor(early_stopping=True, **FAST).fit(*waves(2), validation_data=(csr_array(x), y))
    assert net.run_.result.validation["loss"] == pytest.approx(((net.predict(x) - y) ** 2).mean())


def test_training_ends_where_it_no_longer_gets_anywhere() -> None:
    options = FAST | {"epochs": 1000, "learning_rate": 0.05}
    net = Classifier(**options | {"tol": 1e-3, "patience": 5}).fit(X, Y)
    assert 5 < net.n_iter_ < 1000
    assert "has not fallen by more than 0.001 for 5 epochs" in str(net.run_.stopped)
    assert all(early > late + 1e-3 for early, late in zip(net.loss_curve_[:1], net.loss_curve_[-6:-5], strict=True))
    assert max(net.loss_curve_[-6] - loss for loss in net.loss_curve_[-5:]) <= 1e-3
    last_weights = network()  # which stay, unlike those of early stopping
    last_weights.fit(X, Y, epochs=net.n_iter_, batch_size=200, learning_rate=0.05, progress=False)
    assert (net.network_.predict(X) == last_weights.predict(X)).all()


def test_a_loss_that_is_not_a_number_is_no_progress() -> None:
    plateau = Plateau(2, 0.0)

    class Training:
        epoch = 0
        stopped = False

        def __init__(self) -> None:
            self.history: dict[str, list[float]] = {"loss": []}

        def stop(self, reason: str) -> None:
            self.stopped = True

    training = Training()
    for loss in (1.0, float("nan"), float("nan")):
        training.epoch += 1
        training.history["loss"].append(loss)
        plateau.epoch(training)  # type: ignore[arg-type]
    assert training.stopped


def test_callbacks_look_on() -> None:
    seen: list[int] = []
    for callbacks in ([lambda training: seen.append(training.epoch)], lambda training: seen.append(training.epoch)):
        Classifier(callbacks=callbacks, **FAST | {"epochs": 3}).fit(X, Y)
    assert seen == [1, 2, 3, 1, 2, 3]
    Classifier(callbacks=None, **FAST | {"epochs": 3}).fit(X, Y)


def test_verbose_shows_the_progress(capsys: pytest.CaptureFixture[str]) -> None:
    Classifier(**FAST).fit(X, Y)
    silent = capsys.readouterr()
    Classifier(verbose=True, **FAST).fit(X, Y)
    told = capsys.readouterr()
    assert not silent.out + silent.err
    assert "loss" in told.out + told.err


# -- going on


def test_partial_fit_goes_on_from_weights_and_moments() -> None:
    net, optimizer = network(), Adam(0.02)
    losses = []
    for _ in range(4):
        losses += net.fit(X, Y, epochs=1, batch_size=16, optimizer=optimizer, progress=False).history["loss"]
    mine = Classifier(batch_size=16, **FAST)
    for _ in range(4):
        mine.partial_fit(X, Y, classes=[0, 1, 2])
    assert (mine.network_.predict(X) == net.predict(X)).all()
    assert mine.loss_curve_ == losses
    assert mine.n_iter_ == 4


def test_partial_fit_goes_on_from_fit() -> None:
    mine = Regressor(**FAST).fit(*waves())
    net, optimizer = network(1, output_activation="identity"), Adam(0.02)
    for epochs in (10, 1):
        net.fit(*waves(), epochs=epochs, batch_size=200, optimizer=optimizer, progress=False)
    mine.partial_fit(*waves())
    assert (mine.network_.predict(X) == net.predict(X)).all()
    assert mine.n_iter_ == len(mine.loss_curve_) == 11


def test_another_learning_rate_keeps_the_moments() -> None:
    def losses(first: Any, second: Any) -> list[float]:
        net = Classifier(**FAST | first)
        for _ in range(3):
            net.partial_fit(X, Y, classes=[0, 1, 2])
        found: list[float] = net.set_params(**second).partial_fit(X, Y).partial_fit(X, Y).loss_curve_
        return found

    objects = losses(
        {"optimizer": SGD(0.02, momentum=0.9), "learning_rate": 1e-3}, {"optimizer": SGD(0.04, momentum=0.9)}
    )
    steady = losses({"optimizer": SGD(0.02, momentum=0.9), "learning_rate": 1e-3}, {})
    assert objects[:4] == steady[:4]
    assert objects[4] != steady[4]
    assert losses({}, {})[:4] == losses({}, {"learning_rate": 0.5})[:4]


def test_rows_may_come_a_few_at_a_time_and_classes_late() -> None:
    net = Classifier(**FAST)
    for _ in range(20):
        for start in range(0, 60, 13):
            rows = slice(start, start + 13)
            net.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    assert net.score(X, Y) > 0.95
    late = Classifier(**FAST).partial_fit(X[:1], Y[:1], classes=[0, 1, 2])
    assert late.predict_proba(X).shape == (60, 3)
    late.partial_fit(X[1:2], Y[1:2])


def test_answers_of_yes_or_no_may_come_a_few_at_a_time() -> None:
    answers = np.stack([Y > 0, Y > 1], axis=1).astype(int)
    net = Classifier(**FAST).partial_fit(X, answers, classes=[0, 1]).partial_fit(X[:1], answers[:1])
    assert net.predict(X).shape == (60, 2)


def test_warm_start_goes_on_from_weights_with_new_moments() -> None:
    net = network()
    for _ in range(2):
        run = net.fit(X, Y, epochs=10, batch_size=200, learning_rate=0.02, progress=False)
    for options in ({}, {"optimizer": Adam(0.02), "learning_rate": 1e-3}):
        mine = Classifier(warm_start=True, **FAST | options).fit(X, Y).fit(X, Y)
        assert (mine.network_.predict(X) == net.predict(X)).all()
        assert mine.loss_curve_ == run.history["loss"]
        assert mine.n_iter_ == 10
    cold = Classifier(**FAST).fit(X, Y).fit(X, Y)
    assert not same(cold, mine)


# -- what it keeps


def test_the_run_has_no_figures_that_need_the_data() -> None:
    import gc
    import weakref

    class Table(np.ndarray):
        """An array that can be watched."""

    x = X.copy().view(Table)
    watched = weakref.ref(x)
    net = Classifier(**FAST).fit(x, Y)
    del x
    gc.collect()
    assert watched() is None
    record = net.run_.to_dict()
    assert record["data"]["sha256"] is None
    assert record["resources"]["reasons"]["data.sha256"] == "an estimator does not keep its training data"
    assert record["result"]["train"] is None


@pytest.mark.parametrize("call", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
def test_what_is_not_fitted_says_so(call: str) -> None:
    with pytest.raises(NotFittedError, match="This Classifier instance is not fitted yet"):
        getattr(Classifier(), call)(X)


def test_nothing_is_compiled_for_a_small_training() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = Classifier().fit(X, Y)
    assert net.run_.record.training["program"]["kind"] == "plain"


def test_compile_reaches_the_network() -> None:
    net = Classifier(compile="off", **FAST).fit(X, Y)
    assert net.run_.record.training["compile"] == "off"
    assert net.predict(X).shape == (60,)
