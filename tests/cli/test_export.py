"""``nnkit export``: a saved network in the formats of other tools."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from tests.cli.conftest import Cli
from tests.peers import peer


@pytest.fixture
def saved() -> nnkit.Network:
    """A network in net.h5."""
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2, output_activation="softmax", seed=1)
    network.save("net.h5")
    return network


def test_onnx(cli: Cli, saved: nnkit.Network) -> None:
    onnx, runtime = peer("onnx"), peer("onnxruntime")
    size = r"written to net.onnx: 3 inputs → 5 relu → 2 softmax, 32 parameters, float32"
    status, out, err = cli("export", "net.h5", "net.onnx")
    assert (status, err) == (0, "")
    assert out.endswith(f" B {size}\n")
    assert onnx.load("net.onnx").opset_import[0].version == 21
    saved.export("direct.onnx")
    assert Path("net.onnx").read_bytes() == Path("direct.onnx").read_bytes()
    x = np.ones((4, 3), "float32")
    found = runtime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]
    np.testing.assert_allclose(found, saved.predict(x), rtol=1e-6)


def test_another_version(cli: Cli, saved: nnkit.Network) -> None:
    onnx = peer("onnx")
    assert cli("export", "net.h5", "net.onnx", "--opset", 15).status == 0
    assert onnx.load("net.onnx").opset_import[0].version == 15


def test_options_reach_the_format(cli: Cli, saved: nnkit.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def export(self: nnkit.Network, path: Path, **options: Any) -> None:
        asked.append((path, options))
        path.write_bytes(b"12345")

    monkeypatch.setattr(nnkit.Network, "export", export)
    assert cli("export", "net.h5", "net.safetensors", "--layout", "torch").out.startswith("5 B written to net.safetens")
    assert asked == [(Path("net.safetensors"), {"layout": "torch", "opset": None})]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("net.h5 net.txt", 2, "export: the end of 'net.txt' names no format; it can be .onnx, .safetensors, .weights"),
        ("net.h5 copy.h5", 2, "export: the end of 'copy.h5' names no format; it can be .onnx"),
        ("net.h5 net.h5", 2, "net.h5 is the file of the network itself; write to another one"),
        ("net.h5 ./net.h5", 2, "net.h5 is the file of the network itself; write to another one"),
        ("net.h5 net.onnx --layout torch", 2, "export: layout='torch' has no meaning in ONNX ('net.onnx')"),
        ("net.h5 net.safetensors --opset 17", 2, "export: opset=17 has no meaning in safetensors ('net.safetensors')"),
        ("net.h5 net.onnx --opset 7", 2, "export: opset is 7, expected a whole number from 13 to "),
        ("net.h5 net.onnx --opset new", 2, "argument --opset: expected a whole number from 1, got 'new'"),
        ("net.h5 net.safetensors --layout keras", 2, "argument --layout: invalid choice: 'keras'"),
        ("net.h5 none/net.onnx", 1, "there is no folder "),
        ("absent.h5 net.onnx", 1, "absent.h5"),
        ("parameters.safetensors net.onnx", 2, "'parameters.safetensors' (safetensors) holds parameters and no"),
        ("net.h5", 2, "the following arguments are required: OUTPUT"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_message(cli: Cli, saved: nnkit.Network, words: str, status: int, message: str) -> None:
    peer("onnx")
    before = sorted(Path().iterdir())
    found = cli("export", *words.split())
    assert (found.status, found.out) == (status, "")
    assert found.err.startswith("error: ")
    assert message in found.err
    assert found.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_a_missing_extra_is_named(cli: Cli, saved: nnkit.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "onnx":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    expected = 'error: ONNX files are written with onnx: pip install "nnkit[onnx]"\n'
    assert cli("export", "net.h5", "net.onnx") == (1, "", expected)


def test_what_is_exported_to_onnx_is_used_like_the_network(cli: Cli, tmp_path: Path) -> None:
    peer("onnx")
    assert cli("train", "--data", "moons", "--epochs", 1, "--quiet", "--save", "net.h5").status == 0
    assert cli("export", "net.h5", "net.onnx").status == 0
    np.savez(tmp_path / "x.npz", x=np.eye(2))
    for words in (("predict", "--data", "x.npz"), ("test", "--data", "moons"), ("explain",)):
        own, other = (cli(words[0], name, *words[1:]) for name in ("net.h5", "net.onnx"))
        assert other.status == 0
        assert other.out.splitlines()[:3] == own.out.splitlines()[:3]
