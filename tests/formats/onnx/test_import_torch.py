"""Files that PyTorch's two exporters write: predictions beside PyTorch and onnxruntime."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnkit.errors import FileError
from tests.formats.onnx.graphs import layers, loaded, rows, runtime
from tests.peers import peer

Make = Callable[[Any], list[Any]]

LAYERS: dict[str, tuple[Make, str]] = {
    "relu": (lambda nn: [nn.ReLU()], "Dense(4, activation='relu')"),
    "relu6": (lambda nn: [nn.ReLU6()], "Dense(4, activation='relu6')"),
    "leaky_relu": (lambda nn: [nn.LeakyReLU(0.2)], "Dense(4, activation=Activation('leaky_relu', slope=0.2))"),
    "elu": (lambda nn: [nn.ELU(0.7)], "Dense(4, activation=Activation('elu', alpha=0.7))"),
    "celu": (lambda nn: [nn.CELU(1.5)], "Dense(4, activation=Activation('celu', alpha=1.5))"),
    "selu": (lambda nn: [nn.SELU()], "Dense(4, activation='selu')"),
    "gelu": (lambda nn: [nn.GELU()], "Dense(4, activation='gelu')"),
    "gelu_tanh": (lambda nn: [nn.GELU(approximate="tanh")], "Dense(4, activation='gelu_tanh')"),
    "silu": (lambda nn: [nn.SiLU()], "Dense(4, activation='silu')"),
    "hard_swish": (lambda nn: [nn.Hardswish()], "Dense(4, activation='hard_swish')"),
    "hard_sigmoid": (lambda nn: [nn.Hardsigmoid()], "Dense(4, activation='hard_sigmoid')"),
    "hard_tanh": (
        lambda nn: [nn.Hardtanh(-0.5, 2.0)],
        "Dense(4, activation=Activation('hard_tanh', low=-0.5, high=2.0))",
    ),
    "mish": (lambda nn: [nn.Mish()], "Dense(4, activation='mish')"),
    "softplus": (lambda nn: [nn.Softplus()], "Dense(4, activation='softplus')"),
    "softplus, beta": (lambda nn: [nn.Softplus(beta=2.0)], "Dense(4, activation='softplus')"),
    "softsign": (lambda nn: [nn.Softsign()], "Dense(4, activation='softsign')"),
    "tanh": (lambda nn: [nn.Tanh()], "Dense(4, activation='tanh')"),
    "sigmoid": (lambda nn: [nn.Sigmoid()], "Dense(4, activation='sigmoid')"),
    "log_sigmoid": (lambda nn: [nn.LogSigmoid()], "Dense(4, activation='log_sigmoid')"),
    "soft_shrink": (lambda nn: [nn.Softshrink(0.3)], "Dense(4, activation=Activation('soft_shrink', threshold=0.3))"),
    "hard_shrink": (lambda nn: [nn.Hardshrink(0.3)], "Dense(4, activation=Activation('hard_shrink', threshold=0.3))"),
    "tanh_shrink": (lambda nn: [nn.Tanhshrink()], "Dense(4, activation='tanh_shrink')"),
    "threshold": (
        lambda nn: [nn.Threshold(0.1, 20.0)],
        "Dense(4, activation=Activation('threshold', threshold=0.1, value=20.0))",
    ),
    "softmax": (lambda nn: [nn.Softmax(-1)], "Dense(4, activation='softmax')"),
    "log_softmax": (lambda nn: [nn.LogSoftmax(1)], "Dense(4, activation='log_softmax')"),
    "softmin": (lambda nn: [nn.Softmin(1)], "Dense(4, activation='softmax')"),
    "glu": (lambda nn: [nn.GLU(), nn.Linear(2, 4)], "Dense(4, activation='glu'), Dense(4, activation='identity')"),
    "prelu": (lambda nn: [nn.PReLU(4)], "Dense(4, activation=PReLU(initial=0.25))"),
    "prelu, one slope": (lambda nn: [nn.PReLU()], "Dense(4, activation=PReLU(initial=0.25))"),
    "batch norm": (
        lambda nn: [nn.ReLU(), nn.BatchNorm1d(4, eps=1e-3)],
        "Dense(4, activation='relu'), BatchNorm(momentum=0.1, eps=0.001)",
    ),
    "batch norm without weights": (
        lambda nn: [nn.ReLU(), nn.BatchNorm1d(4, affine=False, momentum=0.3)],
        "Dense(4, activation='relu'), BatchNorm(momentum=0.3, eps=1e-05)",
    ),
    "layer norm": (
        lambda nn: [nn.LayerNorm(4, eps=1e-3)],
        "Dense(4, activation='identity'), LayerNorm(eps=0.001)",
    ),
    "layer norm without weights": (
        lambda nn: [nn.LayerNorm(4, elementwise_affine=False)],
        "Dense(4, activation='identity'), LayerNorm(eps=1e-05)",
    ),
    "layer norm without a bias": (
        lambda nn: [nn.LayerNorm(4, bias=False)],
        "Dense(4, activation='identity'), LayerNorm(eps=1e-05)",
    ),
    "rms norm": (lambda nn: [nn.RMSNorm(4, eps=1e-3)], "Dense(4, activation='identity'), RMSNorm(eps=0.001)"),
    "group norm": (
        lambda nn: [nn.GroupNorm(2, 4, eps=0.01)],
        "Dense(4, activation='identity'), GroupNorm(2, eps=0.01)",
    ),
    "dropout": (lambda nn: [nn.Dropout(0.3)], "Dense(4, activation='identity')"),
    "no bias": (
        lambda nn: [nn.ReLU(), nn.Linear(4, 4, bias=False)],
        "Dense(4, activation='relu'), Dense(4, activation='identity')",
    ),
}
NOT_BY_TRACING = {"threshold", "rms norm"}
"""What the older exporter cannot write."""
FOLDED = {"batch norm", "batch norm without weights"}


def network(make: Make) -> Any:
    """Layers between two linear ones, with values that are not those they begin with, ready for use."""
    torch = peer("torch")
    torch.manual_seed(3)
    built = torch.nn.Sequential(torch.nn.Linear(3, 4), *make(torch.nn), torch.nn.Linear(4, 2))
    for name, values in (*built.named_parameters(), *built.named_buffers()):
        if values.is_floating_point():
            values.data = torch.rand_like(values) + 0.5 if "var" in name else torch.randn_like(values)
    return built.eval()


def exported(built: Any, dynamo: bool, shape: tuple[int, ...] = (3,), **options: Any) -> bytes:
    """What one of the exporters writes, with a free number of rows; what they say about themselves is left aside."""
    torch = peer("torch")
    x = (torch.zeros(2, *shape),)
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if dynamo:
                peer("onnxscript")
                free = ({0: torch.export.Dim("rows")},)
                program = torch.onnx.export(built, x, dynamo=True, dynamic_shapes=free, verbose=False, **options)
                return bytes(program.model_proto.SerializeToString())
            file = io.BytesIO()
            axes = {"x": {0: "rows"}, "y": {0: "rows"}}
            torch.onnx.export(
                built, x, file, dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=axes, **options
            )
            return file.getvalue()
    finally:
        logging.disable(logging.NOTSET)


def same(built: Any, made: bytes, folder: Path, shape: tuple[int, ...] = (3,)) -> str:
    """The layers, after the predictions were compared with PyTorch's and onnxruntime's, in float32 all three."""
    torch = peer("torch")
    read = loaded(made, folder)
    assert read.dtype == "float32"
    for count in (1, 2, 7, 1000):
        x = rows(count, shape, size=1.0)
        found = read.predict(x)
        with torch.no_grad():
            np.testing.assert_allclose(found, built(torch.from_numpy(x)).numpy(), rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(found, runtime(made, x), rtol=2e-5, atol=2e-5)
    return layers(read)


@pytest.mark.parametrize("name", sorted(set(LAYERS) - NOT_BY_TRACING))
def test_the_exporter_that_traces(name: str, tmp_path: Path) -> None:
    make, expected = LAYERS[name]
    built = network(make)
    assert same(built, exported(built, dynamo=False), tmp_path) == f"{expected}, Dense(2, activation='identity')"


@pytest.mark.slow
def test_the_exporter_of_today_on_many_layers(tmp_path: Path) -> None:
    """One file for all, since an export takes seconds; each by itself is a slow test."""
    chosen = ("gelu", "softplus, beta", "soft_shrink", "hard_shrink", "threshold", "prelu", "rms norm", "group norm")
    built = network(lambda nn: [part for name in chosen for part in (*LAYERS[name][0](nn), nn.Linear(4, 4))])
    expected = ", ".join(LAYERS[name][1] for name in chosen)
    found = same(built, exported(built, dynamo=True), tmp_path)
    assert found == f"{expected}, Dense(4, activation='identity'), Dense(2, activation='identity')"


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_the_exporter_of_today(name: str, tmp_path: Path) -> None:
    make, expected = LAYERS[name]
    built = network(make)
    found = same(built, exported(built, dynamo=True), tmp_path)
    if name not in FOLDED:  # into the linear layer after it, by the exporter
        assert found == f"{expected}, Dense(2, activation='identity')"


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20])
def test_older_operators(opset: int, tmp_path: Path) -> None:
    """GELU, layer normalisation and mish have been operators since 20, 17 and 18, and were written out before."""
    built = network(
        lambda nn: [nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 4), nn.Mish(), nn.Linear(4, 4), nn.SiLU(), nn.Softmax(1)]
    )
    found = same(built, exported(built, dynamo=False, opset_version=opset), tmp_path)
    assert found == (
        "Dense(4, activation='gelu'), LayerNorm(eps=1e-05), Dense(4, activation='mish'), Dense(4, activation='silu'), "
        "Activation('softmax'), Dense(2, activation='identity')"
    )


def test_training_mode_keeps_dropout(tmp_path: Path) -> None:
    torch = peer("torch")
    built = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.3), torch.nn.Linear(4, 2))
    made = exported(built, dynamo=False, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    assert (
        layers(loaded(made, tmp_path))
        == "Dense(4, activation='identity'), Dropout(0.3), Dense(2, activation='identity')"
    )


def test_batch_normalisation_in_training_mode_is_refused(tmp_path: Path) -> None:
    torch = peer("torch")
    built = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    made = exported(built, dynamo=False, training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)
    with pytest.raises(FileError, match=r"\(BatchNormalization\), which was exported for training.*model\.eval\(\)"):
        loaded(made, tmp_path)


@pytest.mark.parametrize("dynamo", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_network_of_ones_own(dynamo: bool, tmp_path: Path) -> None:
    """With views, squeezes and scales in its forward, as people write them."""
    torch = peer("torch")

    class Own(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = torch.nn.Linear(12, 5), torch.nn.Linear(5, 1)

        def forward(self, x: Any) -> Any:
            x = (x - 0.5) / 0.25
            x = x.view(x.shape[0], -1)
            return 2.0 * torch.tanh(self.last(torch.nn.functional.gelu(self.first(x)))).squeeze(-1)

    built = Own().eval()
    made = exported(built, dynamo, shape=(1, 3, 4))
    read = loaded(made, tmp_path)
    x = rows(7, (1, 3, 4))
    with torch.no_grad():
        expected = built(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(read.predict(x)[:, 0], expected, rtol=2e-5, atol=2e-5)
    assert layers(read).startswith("Flatten(), Dense(5, activation='gelu'), Dense(1, activation='tanh')")


def test_a_shortcut_is_refused(tmp_path: Path) -> None:
    torch = peer("torch")

    class Residual(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Linear(3, 3)

        def forward(self, x: Any) -> Any:
            return x + torch.relu(self.inner(x))

    made = exported(Residual().eval(), dynamo=False)
    with pytest.raises(
        FileError, match=r"has node '/Add' \(Add\), where branches meet that part at 'x'; nnkit reads chains"
    ):
        loaded(made, tmp_path)


def test_a_convolution_is_refused(tmp_path: Path) -> None:
    torch = peer("torch")
    built = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(18, 2)
    )
    made = exported(built.eval(), dynamo=False, shape=(1, 8, 8))
    with pytest.raises(
        FileError, match=r"stands for: Conv \('/0/Conv'\); MaxPool \('/2/MaxPool'\)\. nnkit reads feed-for"
    ):
        loaded(made, tmp_path)
