"""A training whose numbers leave their range says where, in which row, why, and what to do; and can show it again."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit.diagnosis import Failure
from nnkit.diagnosis.kept import _folder
from nnkit.errors import NnkitWarning
from nnkit.ops import namespace
from nnkit.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
LABELS = RNG.integers(0, 3, size=60)


class Own(nnkit.Module):
    """A layer with a function of its own in the middle."""

    def __init__(self, function: Any) -> None:
        self.first = nnkit.nn.Dense(3)
        self.last = nnkit.nn.Dense(3, activation="softmax")
        self.function = function

    def __call__(self, x: Any, run: Any) -> Any:
        h = self.first(x, run)
        return self.last(self.function(namespace(h), h), run)


def classifier(**more: Any) -> nnkit.Network:
    return nnkit.FeedForward(3, 3, [8, 8], output_activation="softmax", seed=0, **more)


def own(function: Any) -> nnkit.Network:
    return nnkit.Network(Own(function), input_shape=(3,), seed=0)


def failed(net: nnkit.Network, x: Any = X, y: Any = LABELS, **options: Any) -> tuple[Any, str]:
    """The run of a training that fails, and what it warns of."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        run = net.fit(x, y, **{"epochs": 50, "batch_size": 10, "progress": False} | options)
    assert all(issubclass(one.category, NnkitWarning) for one in seen)
    return run, str(seen[-1].message)


def spoilt(row: int, value: float) -> Any:
    x = X.copy()
    x[row] = value
    return x


CASES: dict[str, tuple[Any, list[str]]] = {
    "a learning rate far too large": (
        lambda: failed(classifier(), optimizer=SGD(1e30)),
        ["forward pass of 'layers.1', in 'matmul'", "beyond float32", "weights have grown: 'layers.2.weight' reaches",
         "smaller learning rate"],
    ),
    "a row that overflows": (
        lambda: failed(classifier(), spoilt(41, 3e38)),
        ["forward pass of 'layers.0'", "(row 41 of the data)", "inputs are not scaled: they reach 3e+38, in row 41"],
    ),
    "targets that overflow": (
        lambda: failed(nnkit.FeedForward(3, 1, [8], seed=0), y=X[:, 0] * 1e25),
        ["of the loss, in 'square'", "The targets are not scaled: they reach"],
    ),
    "a logarithm": (
        lambda: failed(own(lambda xp, h: xp.log(h)), loss="cross_entropy"),
        ["in 'log' at test_failure.py:", "it is the logarithm of -", "Keep its operand above zero"],
    ),
    "a square root": (
        lambda: failed(own(lambda xp, h: xp.sqrt(h)), loss="cross_entropy"),
        ["in 'sqrt'", "it is the square root of -", "Keep its operand above zero"],
    ),
    "a division by zero": (
        lambda: failed(own(lambda xp, h: h / (h - h)), loss="cross_entropy"),
        ["in 'divide'", "it is a division by zero", "Keep the divisor away from zero"],
    ),
    "an exponential": (
        lambda: failed(own(lambda xp, h: xp.exp(h * 1e3)), loss="cross_entropy"),
        ["in 'exp'", "it is the exponential of numbers up to"],
    ),
    "a derivative": (
        lambda: failed(own(lambda xp, h: xp.sqrt(abs(h) * 0.0)), loss="cross_entropy"),
        ["in the backward pass of", "it is a division by zero"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_message_says_where_why_and_what_to_do(case: str) -> None:
    make, wanted = CASES[case]
    run, message = make()
    for part in wanted:
        assert part in message, part
    assert message == run.stopped
    assert str(run.failure) in message


def test_the_row_is_that_of_the_data_whatever_the_order_of_the_batches() -> None:
    for row in (0, 17, 59):
        run, _ = failed(classifier(), spoilt(row, 3e38), validation_split=0.0)
        assert run.failure.step.rows[run.failure.blame.row] == row


def test_the_last_smaller_batch_is_its_own() -> None:
    run, message = failed(classifier(), spoilt(59, 3e38), batch_size=8, shuffle=False)
    assert "epoch 1, step 8;" in message
    assert run.failure.step.rows == (56, 57, 58, 59)


def test_a_row_beside_validation_rows() -> None:
    run, _ = failed(classifier(), spoilt(5, 3e38), validation_split=0.25)
    assert run.failure.step.rows[run.failure.blame.row] == 5


def test_the_step_is_the_one_that_failed() -> None:
    """Its graph on its inputs gives the loss that the guard refused, and its parameters are those that are left."""
    net = classifier()
    run, _ = failed(net, spoilt(41, 3e38), sample_weight=np.linspace(1, 2, 60))
    step = run.failure.step
    after = dict(step.leaves(step.inputs["parameter"]))
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(after[path], value)
    np.testing.assert_array_equal(step.inputs["x"], spoilt(41, 3e38)[list(step.rows)])
    np.testing.assert_array_equal(step.inputs["y"], LABELS[list(step.rows)])
    guard = step.graph.output["guard"]
    assert not next(value for i, value in step.evaluated() if i == guard)


def test_a_parameter_that_an_update_carried_away() -> None:
    """With momentum a finite gradient can give an update that is not."""
    run, message = failed(classifier(), optimizer=SGD(1e38, momentum=0.9), batch_size=60)
    assert "The first number that is not finite" in message
    first = run.failure.step.graph.nodes[run.failure.blame.node]
    assert first.operation in ("input", "matmul")


def test_compiled_and_plain_blame_the_same() -> None:
    pytest.importorskip("llvmlite")
    texts = {
        mode: str(failed(classifier(), spoilt(41, 3e38), compile=mode, shuffle=False)[0].failure)
        for mode in ("first", "off")
    }
    assert texts["first"] == texts["off"]


def test_a_step_that_is_finite_when_it_is_evaluated_says_so() -> None:
    run, _ = failed(classifier(), spoilt(41, 3e38))
    step = run.failure.step
    fine = Failure(type(step)(step.graph, {**step.inputs, "x": X[:10]}, step.rows, step.parameters, 1, 1))
    assert fine.blame is None
    assert str(fine).startswith("Evaluated node by node all numbers of that step are finite")


def test_a_training_that_does_not_fail_keeps_nothing(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = classifier().fit(X, LABELS, epochs=2, progress=False)
    assert run.failure is None
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_costs_the_file_only(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    run, message = failed(classifier(), spoilt(41, 3e38))
    assert run.failure.path is None
    assert "nnkit replay" not in message
    run.failure.save(tmp_path / "step.npz")
    assert str(Failure.read(tmp_path / "step.npz")) == str(run.failure)


def test_the_last_few_files_stay(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run, _ = failed(classifier(), spoilt(41, 3e38))
    paths = [run.failure.path]
    for second in range(7):
        os.utime(paths[-1], (second, second))
        paths.append(Failure.kept(run.failure.step).path)
    (folder,) = tmp_path.iterdir()
    assert sorted(map(str, folder.iterdir())) == sorted(paths[-5:])
    assert str(Failure.read(paths[-1])) == str(run.failure)


@pytest.mark.skipif(os.name != "posix", reason="temporary files are in the user's own folder there")
def test_a_folder_that_others_can_reach_is_not_used(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run, _ = failed(classifier(), spoilt(41, 3e38))
    (folder,) = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    assert Failure.kept(run.failure.step).path is None
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o700)
    assert Failure.kept(run.failure.step).path is None
    with pytest.raises(PermissionError, match="is not a folder of this user alone"):
        _folder()


def test_layer_by_layer() -> None:
    run, _ = failed(classifier(), spoilt(41, 3e38))
    lines = {(line.layer, line.phase): line for line in run.failure.lines}
    assert not lines["layers.0", "forward"].finite
    assert lines["the loss", "forward"].values > 0
    assert next(iter(lines))[1] == "forward"
    assert repr(run.failure).startswith("<failure: epoch 1, step ")
