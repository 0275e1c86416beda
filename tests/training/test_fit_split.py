"""``validation_split``: shuffled, stratified, disjoint, in the record, and never trained on."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.errors import ArgumentError, DataError, NnkitWarning
from tests.training.small import blobs, fit, network, same, values

RNG = np.random.default_rng(4)
X = RNG.normal(size=(200, 3))
Y = np.repeat([0, 1, 2], [140, 50, 10])  # sorted, and uneven


def indices(**options: object) -> list[int]:
    run = fit(network(**options.pop("network", {})), X, options.pop("y", Y), epochs=0, **options)
    return run.record.data["validation_indices"]


def test_it_is_shuffled_and_stratified() -> None:
    chosen = indices(validation_split=0.2)
    assert len(chosen) == len(set(chosen)) == 40
    assert np.bincount(Y[chosen]).tolist() == [28, 10, 2]
    assert max(np.diff(chosen)) < 60  # from everywhere
    assert chosen != list(range(160, 200))


def test_one_hot_and_yes_or_no_are_stratified_too() -> None:
    chosen = indices(validation_split=0.2, y=np.eye(3)[Y])
    assert np.bincount(Y[chosen]).tolist() == [28, 10, 2]
    yes = indices(network={"outputs": 1, "output_activation": "sigmoid"}, y=Y == 2, validation_split=0.2)
    assert (Y[yes] == 2).sum() == 2


def test_a_split_that_would_leave_no_rows_to_validate_with_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"validation_split is 0\.5, but none of the 3 rows can be split off: every class"
    ):
        fit(network(), X[:3], [0, 1, 2], epochs=1, validation_split=0.5)


def test_the_seed_decides() -> None:
    assert indices(validation_split=0.2) == indices(validation_split=0.2)
    assert indices(validation_split=0.2) != indices(validation_split=0.2, network={"seed": 6})


def test_without_shuffling_the_last_rows_are_taken() -> None:
    assert indices(validation_split=0.1, shuffle=False) == list(range(180, 200))


def test_rows_in_the_order_of_time_are_shuffled_in_training_only() -> None:
    assert indices(validation_split=0.1, time_ordered=True) == list(range(180, 200))
    net, other = network(), network()
    run = fit(net, X, Y, epochs=2, validation_split=0.1, time_ordered=True)
    fit(other, X[:180], Y[:180], epochs=2)
    assert same(values(net), values(other))
    assert run.record.training["time_ordered"]
    with pytest.raises(ArgumentError, match="time_ordered must be True or False, got 'yes'"):
        fit(net, X, Y, time_ordered="yes")


def test_what_is_split_off_is_not_trained_on() -> None:
    net = network()
    run = fit(net, X, Y, epochs=3, validation_split=0.2)
    rows = run.record.data["validation_indices"]
    changed = X.copy()
    changed[rows] *= -3.0
    other = network()
    fit(other, changed, Y, epochs=3, validation_split=0.2)
    assert same(values(net), values(other))
    assert run.record.data["train"] == 160
    assert run.record.data["validation"] == 40


def test_the_rest_is_trained_on_as_if_it_were_all() -> None:
    x, y = blobs(60)
    split, alone = network(), network()
    run = fit(split, x, y, epochs=2, validation_split=0.25, shuffle=False)
    fit(alone, x[:45], y[:45], epochs=2, shuffle=False)
    assert same(values(split), values(alone))
    assert run.result.train == alone.test(x[:45], y[:45]).to_dict()


def test_the_record_has_no_indices_where_nothing_was_split_off() -> None:
    x, y = blobs(30, seed=3)
    assert indices() == []
    assert indices(validation_data=(x, y)) == []


@pytest.mark.parametrize("fraction", [1, 1.0, -0.1, 2.0, float("nan")])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(ArgumentError, match=r"validation_split must be a number from 0 up to, but not, 1, got "):
        fit(network(), X, Y, validation_split=fraction)


@pytest.mark.parametrize("fraction", ["0.1", None, True, [0.1]])
def test_what_is_no_number_is_refused(fraction: object) -> None:
    with pytest.raises(ArgumentError, match=r"validation_split must be a number from 0 up to, but not, 1, got "):
        fit(network(), X, Y, validation_split=fraction)


def test_numpy_numbers_are_numbers() -> None:
    assert len(indices(validation_split=np.float32(0.25))) == 50


def test_nothing_left_to_train_on() -> None:
    with pytest.raises(DataError, match=r"splitting 0\.9 off 2 rows leaves nothing for training"):
        fit(network(), X[:2], Y[:2], validation_split=0.9)


def test_not_both_kinds_of_validation() -> None:
    with pytest.raises(ArgumentError, match="give either validation_split or validation_data, not both"):
        fit(network(), X, Y, validation_split=0.1, validation_data=(X, Y))


@pytest.mark.parametrize("data", [X, (X,), (X, Y, None, None), "ab", {"x": X}])
def test_validation_data_of_another_form(data: object) -> None:
    with pytest.raises(ArgumentError, match=r"validation_data must be \(x, y\) or \(x, y, sample_weight\)"):
        fit(network(), X, Y, validation_data=data)


def test_errors_in_validation_data_name_it() -> None:
    with pytest.raises(nnkit.errors.ShapeError, match=r"validation x has shape \(200, 2\)"):
        fit(network(), X, Y, validation_data=(X[:, :2], Y))
    with pytest.raises(DataError, match="validation y has the label 7 in row 0"):
        fit(network(), X, Y, validation_data=(X, np.full(200, 7)))


def test_rows_in_both_parts_are_told_where_fit_was_called() -> None:
    with pytest.warns(
        NnkitWarning, match="20 of the 20 rows of the validation data are in the training data too"
    ) as seen:
        fit(network(), X, Y, epochs=1, validation_data=(X[:20], Y[:20]))
    assert seen[0].filename.endswith("small.py")  # where net.fit stands


def test_unscaled_data_are_told_where_fit_was_called() -> None:
    with pytest.warns(NnkitWarning, match="has a standard deviation of about|has a mean of about") as seen:
        fit(network(), 1000 * X, Y, epochs=1)
    assert seen[0].filename.endswith("small.py")
