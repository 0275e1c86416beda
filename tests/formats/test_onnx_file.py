"""An ONNX file as a whole: names, what it says of the network, versions, limits, and what goes wrong."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError, DataError, FileError, MissingExtraError
from nnkit.formats.onnx.exporting import file
from nnkit.formats.onnx.exporting.operators import FORMS, plain
from nnkit.formats.onnx.exporting.opsets import NEWEST, OLDEST
from tests.formats.onnx_runs import agrees, close, evaluated, exported, newest, operators, ran
from tests.formats.test_onnx_layers import Applied
from tests.peers import peer


def network(**options: Any) -> nnkit.Network:
    given = {"hidden": [5], "outputs": 3, "output_activation": "softmax", "seed": 2} | options
    return nnkit.FeedForward(inputs=4, **given)


# -- what is in it


def test_names_lead_to_the_network() -> None:
    layers = [nn.Dense(5, "relu"), nn.Sequential([nn.BatchNorm(), nn.Dense(3)])]
    model = exported(nnkit.Sequential(layers, input_shape=(4,)))
    graph = model.graph
    assert {each.name for each in graph.initializer} == {
        *("layers.0.weight", "layers.0.bias", "layers.1.layers.1.weight", "layers.1.layers.1.bias"),
        *(f"layers.1.layers.0.{name}" for name in ("weight", "bias", "mean", "variance")),
    }
    assert [node.name for node in graph.node] == [
        *("layers.0/Gemm", "layers.0.activation/Relu", "layers.1.layers.0/BatchNormalization"),
        "layers.1.layers.1/Gemm",
    ]
    assert [each.name for each in graph.input] == ["input"]
    assert [each.name for each in graph.output] == ["output"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_and_types_of_what_goes_in_and_out(dtype: str) -> None:
    onnx = peer("onnx")
    net = nnkit.Sequential([nn.Flatten(), nn.Dense(3)], input_shape=(2, 4), dtype=dtype)
    graph = exported(net).graph
    sizes = [
        [size.dim_param or size.dim_value for size in each.type.tensor_type.shape.dim]
        for each in (*graph.input, *graph.output)
    ]
    assert sizes == [["batch", 2, 4], ["batch", 3]]
    kinds = {each.type.tensor_type.elem_type for each in (*graph.input, *graph.output)}
    assert kinds == {onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))}


def test_initialisers_hold_the_very_values() -> None:
    onnx, net = peer("onnx"), network()
    kept = {each.name: onnx.numpy_helper.to_array(each) for each in exported(net).graph.initializer}
    assert kept.keys() == net.parameters().keys()
    for path, value in net.parameters().items():
        np.testing.assert_array_equal(kept[path], value)


class Awkward(nn.Module):
    """Leaves with the names of everything else in the file."""

    def __init__(self) -> None:
        self.input = nn.Parameter((3,), "ones")
        self.output = nn.Parameter((3,), "ones")
        self.parts = {
            "/Add": nn.Parameter((3,), "ones"),
            "ключ с пробелом": nn.Parameter((3,), "ones"),
            "constant_2.5_float32": nn.Parameter((3,), "ones"),
        }

    def __call__(self, x: Any, run: nn.Run) -> Any:
        for part in (self.input, self.output, *self.parts.values()):
            x = x * part + 2.5
        return x


def test_names_that_are_taken() -> None:
    net = nnkit.Network(Awkward(), (3,))
    net.set_parameters({path: np.full(3, 1.5 + i) for i, path in enumerate(net.parameters())})
    graph = agrees(net, 64).graph
    names = {each.name for each in graph.initializer}
    assert {"input_1", "output_1", "parts./Add", "parts.ключ с пробелом", "parts.constant_2.5_float32"} <= names
    everything = [
        *(each.name for each in (*graph.initializer, *graph.input)),
        *(o for n in graph.node for o in n.output),
    ]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("part", [nn.State((3,), 2.0), nn.Activation("relu")], ids=["leaf", "layer"])
def test_names_that_no_file_can_hold(part: Any, tmp_path: Path) -> None:
    peer("onnx")

    class Broken(nn.Module):
        def __init__(self) -> None:
            self.parts = {"\ud800": part}

        def __call__(self, x: Any, run: nn.Run) -> Any:
            return self.parts["\ud800"](x, run) if isinstance(part, nn.Module) else x * self.parts["\ud800"]

    message = r"export: the name 'parts\.\\ud800.*' cannot be written as UTF-8; give the attribute or the key another"
    with pytest.raises(ArgumentError, match=message):
        nnkit.Network(Broken(), (3,)).export(tmp_path / "net.onnx")


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    net = network()
    for name in ("one", "two"):
        net.export(tmp_path / f"{name}.onnx")
    net.save(tmp_path / "net.h5")
    nnkit.load(tmp_path / "net.h5").export(tmp_path / "three.onnx")
    first, *others = ((tmp_path / f"{name}.onnx").read_bytes() for name in ("one", "two", "three"))
    assert others == [first, first]


def test_nothing_of_time_or_place_is_in_it() -> None:
    model = exported(network())
    assert (model.producer_name, model.producer_version) == ("nnkit", nnkit.__version__)
    assert not model.metadata_props
    assert str(Path.cwd()) not in str(model)


def test_what_is_known_of_the_network() -> None:
    net = network()
    net.classes = ("Katze", "Hund ≥ 3", "🐢")
    net.preprocessing = Preprocessing(features=("a", "b, c", "d", "é"), target="animal")
    known = {each.key: each.value for each in exported(net).metadata_props}
    assert json.loads(known["classes"]) == ["Katze", "Hund ≥ 3", "🐢"]
    assert json.loads(known["features"]) == ["a", "b, c", "d", "é"]
    assert json.loads(known["target"]) == "animal"


# -- rows as they were measured


@pytest.mark.parametrize("opset", [13, 21])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_standardised_in_the_file(dtype: str, opset: int) -> None:
    draw = np.random.default_rng(0)
    x = (draw.normal(size=(300, 4)) * [1e-3, 1.0, 50.0, 1e4] + [3.0, -1e3, 1e5, 0.0]).astype(dtype)
    net = network(dtype=dtype)
    net.fit(x, draw.integers(0, 3, 300), epochs=1, progress=False, standardize=True)
    model = exported(net, opset)
    assert operators(model)[-3:] == ["Gemm", "Relu", "Gemm", "Softmax"][-3:]
    assert {"preprocessing.scaling.mean", "preprocessing.scaling.scale"} <= {i.name for i in model.graph.initializer}
    close(ran(model, x), net.predict(x), 16)
    close(evaluated(model, x[:9]), net.predict(x[:9]), 16)


def test_a_network_that_is_nothing_but_its_scaling() -> None:
    net = nnkit.Network(nn.Dropout(0.5), (2,))
    net.preprocessing = Preprocessing(scaling=Scaling(np.array([1.0, 2.0]), np.array([2.0, 4.0])))
    x = np.array([[3.0, 4.0]], "float32")
    assert ran(exported(net), x).tolist() == net.predict(x).tolist() == [[1.0, 0.5]]


def test_what_comes_out_may_be_whole_numbers_or_what_went_in() -> None:
    same = nnkit.Network(nn.Sequential([]), (3,))
    assert operators(agrees(same, 0)) == ["Identity"]
    argmax = nnkit.Network(Applied(lambda xp, x: xp.argmax(x, axis=1)), (3,))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    assert ran(exported(argmax), x).tolist() == x.argmax(axis=1).tolist()


# -- versions


def test_every_version_that_is_offered() -> None:
    onnx, net = peer("onnx"), network(activation="gelu")
    for opset in range(OLDEST, newest() + 1):
        model = agrees(net, 24, opset, (2,))
        assert [each.version for each in model.opset_import] == [opset]
        assert model.ir_version == onnx.helper.find_min_ir_version_for(model.opset_import)
        assert ("Gelu" in operators(model)) == (opset >= 20)


def test_a_version_may_be_a_number_of_another_library() -> None:
    assert exported(network(), np.int64(17)).opset_import[0].version == 17


def test_the_version_that_is_written_unless_another_is_asked_for() -> None:
    model = exported(network())
    assert (model.opset_import[0].version, model.ir_version) == (21, 10)


@pytest.mark.parametrize("opset", [12, NEWEST + 1, True, 21.0, "21", -1])
def test_versions_that_are_not_offered(opset: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=rf"^export: opset is {opset!r}, expected a whole number from 13 to \d+"):
        network().export(tmp_path / "net.onnx", opset=opset)


def test_an_older_library_offers_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = peer("onnx")
    monkeypatch.setattr(onnx.defs, "onnx_opset_version", lambda: 22)
    message = (
        rf"opset is 23, expected a whole number from 13 to 22 \({NEWEST} with a newer onnx than {onnx.__version__}"
    )
    with pytest.raises(ArgumentError, match=message):
        network().export(tmp_path / "net.onnx", opset=23)


# -- what goes wrong


def test_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "onnx":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'ONNX files are written with onnx: pip install "nnkit\[onnx\]"'):
        network().export(tmp_path / "net.onnx")


def test_nothing_of_onnx_is_imported_before_it_is_needed() -> None:
    code = "import sys, nnkit, nnkit.formats; print([m for m in ('onnx', 'google.protobuf') if m in sys.modules])"
    roots = os.pathsep.join(str(Path(nnkit.__file__).parents[1] / part) for part in ("", "backends"))
    environment = os.environ | {"PYTHONPATH": roots}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "[]\n"


def test_parameters_that_are_no_numbers(tmp_path: Path) -> None:
    peer("onnx")
    net = network()
    net._model.store.write({"layers.1.bias": np.full(3, np.nan, "float32")})
    with pytest.raises(DataError, match=r"export: 'layers\.1\.bias' holds NaN or infinity; train again with a smaller"):
        net.export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_network_beyond_what_one_message_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything of the file is made, and the values are read."""
    peer("onnx")
    net = network(hidden=[500])
    monkeypatch.setattr(file, "LARGEST", 10_000)
    monkeypatch.setattr(file, "model_of", lambda *_: pytest.fail("it was made"))
    message = r"export: the network takes 16 kB, and an ONNX file holds at most 10 kB; export its parameters as \.saf"
    with pytest.raises(ArgumentError, match=message):
        net.export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_larger_than_its_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants of a module count as well."""
    peer("onnx")
    table = np.ones((50, 50), "float32")
    net = nnkit.Network(Applied(lambda xp, x: x @ xp.asarray(table)), (50,))
    monkeypatch.setattr(file, "LARGEST", 9_000)
    with pytest.raises(ArgumentError, match=r"the network takes 10\.\d+ kB, and an ONNX file holds at most 9 kB"):
        net.export(tmp_path / "net.onnx")


def test_the_limit_is_that_of_protobuf() -> None:
    assert file.LARGEST == 2**31 - 1


def test_a_network_that_the_checker_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx, path = peer("onnx"), tmp_path / "net.onnx"
    path.write_text("what was there")

    def refuse(model: Any, full_check: bool) -> None:
        assert full_check
        assert model != str(path)
        assert operators(onnx.load(model)) == ["Gemm", "Relu", "Gemm", "Softmax"]
        raise onnx.checker.ValidationError("no such\nnode")

    monkeypatch.setattr(onnx.checker, "check_model", refuse)
    message = (
        r"net\.onnx was not written: the checker of ONNX refuses the network's graph; please report it: no such node$"
    )
    with pytest.raises(FileError, match=message):
        network().export(path)
    assert path.read_text() == "what was there"
    assert [each.name for each in tmp_path.iterdir()] == ["net.onnx"]


def test_the_checker_is_the_official_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that is not there, and one that takes no two operands of such shapes."""
    peer("onnx")
    monkeypatch.setitem(FORMS, "tanh", plain("Tangent"))
    with pytest.raises(FileError, match=r"please report it: .*No Op registered for Tangent"):
        network(activation="tanh").export(tmp_path / "net.onnx")
    monkeypatch.setitem(FORMS, "tanh", lambda writer, line, operands: writer.sizes((1, 2)))
    with pytest.raises(FileError, match=r"please report it: .*[Ii]nference"):
        network(activation="tanh").export(tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".onnx/inner.onnx", r"there is no folder .*\.onnx to write inner\.onnx to; create it, or save elsewhere"),
        ("folder.onnx", r"folder\.onnx is a folder; add the name of a file, such as .*folder\.onnx.net\.onnx"),
    ],
)
def test_places_that_no_file_can_have(
    place: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said before anything is made."""
    peer("onnx")
    monkeypatch.setattr(file, "model_of", lambda *_: pytest.fail("it was made"))
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(FileError, match=message):
        network().export(tmp_path / place)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.onnx"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer("onnx")
    path = tmp_path / "net.onnx"
    path.write_text("what was there")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FileError, match=r"net\.onnx could not be written: No space left on device; check free space"):
        network().export(path)
    assert [each.name for each in tmp_path.iterdir()] == ["net.onnx"]
    assert path.read_text() == "what was there"


def test_the_network_is_as_it_was(tmp_path: Path) -> None:
    peer("onnx")
    net = network()
    before, x = net._model.values(), np.ones((2, 4), "float32")
    predicted = net.predict(x)
    net.export(tmp_path / "net.onnx")
    np.testing.assert_array_equal(net.predict(x), predicted)
    assert all(np.array_equal(value, before[path]) for path, value in net._model.values().items())


def test_options_of_other_formats(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"export: layout='torch' has no meaning in ONNX \('net\.onnx'\)"):
        network().export(tmp_path / "net.onnx", layout="torch")


def test_a_home_folder_and_capitals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = peer("onnx")
    monkeypatch.setenv("HOME", str(tmp_path))
    network().export("~/NET.ONNX")
    assert operators(onnx.load(tmp_path / "NET.ONNX")) == ["Gemm", "Relu", "Gemm", "Softmax"]


# -- devices and sessions


def test_two_threads_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    peer("onnx")
    net = network(activation="gelu", hidden=[7, 7])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: net.export(tmp_path / f"{i}.onnx"), range(8)))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_onnxruntime_has_nothing_to_warn_of(capfd: pytest.CaptureFixture[str]) -> None:
    """Such as initialisers that nothing reads."""
    runtime = peer("onnxruntime")
    layers = [nn.SpectralNorm(nn.Dense(8, "elu")), nn.BatchNorm(), nn.GroupNorm(2), nn.Dense(4, "sparsemax")]
    model = exported(nnkit.Sequential(layers, input_shape=(6,)))
    options = runtime.SessionOptions()
    options.log_severity_level = 2
    runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert capfd.readouterr().err == ""
