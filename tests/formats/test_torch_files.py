"""Files of PyTorch: in which order their modules stand, what does not fit, and nothing silently transposed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import FileError
from tests.formats.models import again, agree, leaves, network
from tests.peers import peer

FILE = "net.safetensors"


# -- files of PyTorch

MLP: list[nn.Module] = [nn.Dense(8, "relu"), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(8, "tanh"), nn.Dense(2)]


def mlp(t: Any) -> list[Any]:
    return [
        t.Linear(3, 8), t.ReLU(), t.BatchNorm1d(8), t.Dropout(0.5), t.Linear(8, 8), t.Tanh(), t.Linear(8, 2),
    ]  # fmt: skip


def flat(t: Any, parts: list[Any]) -> Any:
    return t.Sequential(*parts)


def holder(names: dict[str, slice]) -> Callable[[Any, list[Any]], Any]:
    """A module with parts of a Sequential under other names."""

    def make(t: Any, parts: list[Any]) -> Any:
        class Holder(t.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                for name, part in sorted(names.items()):  # not in the order in which they are called
                    inner = parts[part]
                    setattr(self, name, inner[0] if len(inner) == 1 else t.Sequential(*inner))

            def forward(self, x: Any) -> Any:
                for name in names:
                    x = getattr(self, name)(x)
                return x

        return Holder()

    return make


def gaps(t: Any, parts: list[Any]) -> Any:
    return t.Sequential(*(part for inner in parts for part in (inner, t.Identity(), t.Identity())))


def nested(t: Any, parts: list[Any]) -> Any:
    return t.Sequential(t.Sequential(*parts[:3]), t.Sequential(), t.Sequential(t.Sequential(*parts[3:6]), parts[6]))


MODELS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "flat": flat,
    "gaps": gaps,
    "nested": nested,
    "under one name": holder({"net": slice(0, 7)}),
    "numbered": holder({"fc1": slice(0, 4), "fc2": slice(4, 6), "fc10": slice(6, 7)}),
    "two numbered rows": holder({"fc1": slice(0, 2), "bn1": slice(2, 4), "fc2": slice(4, 6), "fc3": slice(6, 7)}),
    "names whose shapes tell": holder({"stem": slice(0, 4), "body": slice(4, 6), "a_head": slice(6, 7)}),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_trained_model_of_pytorch_predicts_the_same(make: Callable[..., Any], tmp_path: Path) -> None:
    torch = peer("torch")
    torch.manual_seed(0)
    model = make(torch.nn, mlp(torch.nn))
    x = torch.randn(64, 3)
    descent = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(20):
        descent.zero_grad()
        torch.nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        descent.step()
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    net = nnkit.Sequential(MLP, (3,), seed=3)
    net.load_parameters(tmp_path / FILE)
    agree(net, model.eval())


def test_more_than_ten_modules_are_sorted_by_number(tmp_path: Path) -> None:
    torch = peer("torch")
    model = torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(25)))
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    net = nnkit.Sequential([nn.Dense(3) for _ in range(25)], (3,))
    net.load_parameters(tmp_path / FILE)
    agree(net, model)


def test_one_slope_for_all_units(tmp_path: Path) -> None:
    torch = peer("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.PReLU(init=0.4), torch.nn.Linear(4, 2))
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    net = nnkit.Sequential([nn.Dense(4, "prelu"), nn.Dense(2)], (3,))
    net.load_parameters(tmp_path / FILE)
    assert net.parameters()["layers.0.activation.slope"].tolist() == [np.float32(0.4)] * 4
    agree(net, model)


def test_norms_under_the_names_of_earlier_versions(tmp_path: Path) -> None:
    torch, draw = peer("torch"), np.random.default_rng(0)
    values = {
        "0.weight_g": draw.normal(size=(4, 1)),
        "0.weight_v": draw.normal(size=(4, 3)),
        "0.bias": draw.normal(size=4),
        "1.weight_orig": draw.normal(size=(2, 4)),
        "1.weight_u": draw.normal(size=2),
        "1.weight_v": draw.normal(size=4),
        "1.bias": draw.normal(size=2),
    }
    arrays = {name: torch.asarray(value) for name, value in values.items()}
    peer("safetensors.torch").save_file(arrays, tmp_path / FILE)
    net = network([nn.WeightNorm(nn.Dense(4)), nn.SpectralNorm(nn.Dense(2))], dtype="float64")
    net.load_parameters(tmp_path / FILE)
    found = net._model.values()
    assert (found["layers.0.length"] == values["0.weight_g"][:, 0]).all()
    assert (found["layers.0.module.weight"] == values["0.weight_v"].T).all()
    assert (found["layers.1.module.weight"] == values["1.weight_orig"].T).all()
    assert (found["layers.1.u"] == values["1.weight_u"]).all()
    assert (found["layers.1.v"] == values["1.weight_v"]).all()


@pytest.mark.parametrize("kind", ["int64", "int32", "float32"])
def test_the_count_of_batches_is_left_aside(kind: str, tmp_path: Path) -> None:
    torch, net = peer("torch"), network([nn.BatchNorm()])
    net.export(tmp_path / FILE, layout="torch")
    values = peer("safetensors.torch").load_file(tmp_path / FILE)
    assert values["0.num_batches_tracked"].dtype == torch.int64
    count = torch.full((), 7, dtype=getattr(torch, kind))
    peer("safetensors.torch").save_file(values | {"0.num_batches_tracked": count}, tmp_path / FILE)
    again(net).load_parameters(tmp_path / FILE)
    del values["0.num_batches_tracked"]  # as before PyTorch 0.4.1
    peer("safetensors.torch").save_file(values, tmp_path / FILE)
    other = again(net)
    other.load_parameters(tmp_path / FILE)
    assert leaves(other) == leaves(net)


def test_bfloat16_predicts_as_pytorch_with_the_same_numbers(tmp_path: Path) -> None:
    torch = peer("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)).to(torch.bfloat16)
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    net = nnkit.Sequential([nn.Dense(4), nn.Dense(2)], (3,), dtype="float64")
    net.load_parameters(tmp_path / FILE)
    agree(net, model.double())


# -- what does not fit


def check_refused(net: nnkit.Network, path: Path, reason: str, layout: str | None = None) -> None:
    before = leaves(net)
    with pytest.raises(FileError, match=reason):
        net.load_parameters(path, layout=layout)
    assert leaves(net) == before


BOTH: dict[str, tuple[Callable[[Any], list[Any]], str]] = {
    "a layer more": (
        lambda t: [*mlp(t), t.ReLU(), t.Linear(2, 5)],
        r"net.safetensors has 8.bias \(5,\), 8.weight \(5, 2\), which the network does not; make the network as it was "
        r"when the file was written \(read as layout='torch'\)",
    ),
    "a layer more in the middle": (
        lambda t: [*mlp(t)[:4], t.Linear(8, 8), *mlp(t)[4:]],
        r"has \d.bias \(8,\), \d.weight \(8, 8\), which the network does not; make",
    ),
    "a layer less": (
        lambda t: mlp(t)[:6],
        r"lacks layers.4.bias \(2,\), layers.4.weight \(2, 8\); make",
    ),
    "another width": (
        lambda t: [*mlp(t)[:4], t.Linear(8, 7), t.Linear(7, 2)],
        r"has 4.bias \(7,\) where the network has \(8,\), 4.weight \(7, 8\) where the network has \(8, 8\), "
        r"5.weight \(2, 7\) where the network has \(2, 8\); make",
    ),
    "no bias": (
        lambda t: [t.Linear(3, 8, bias=False), *mlp(t)[1:]],
        r"lacks 0.bias \(8,\); make the network as it was",
    ),
    "another norm": (
        lambda t: [*mlp(t)[:2], t.LayerNorm(8), *mlp(t)[4:]],
        r"lacks 2.running_mean \(8,\), 2.running_var \(8,\); make",
    ),
    "a convolution": (
        lambda t: [t.Conv1d(3, 8, 1), *mlp(t)[1:]],
        r"has 0.weight \(8, 3, 1\) where the network has \(8, 3\); make",
    ),
    "no parameters": (lambda t: [t.ReLU()], r"lacks layers.0.bias \(8,\)"),
}


@pytest.mark.parametrize(("make", "reason"), BOTH.values(), ids=BOTH)
def test_another_network(make: Callable[[Any], list[Any]], reason: str, tmp_path: Path) -> None:
    torch = peer("torch")
    peer("safetensors.torch").save_file(torch.nn.Sequential(*make(torch.nn)).state_dict(), tmp_path / FILE)
    net = nnkit.Sequential(MLP, (3,))
    check_refused(net, tmp_path / FILE, reason, layout="torch")
    if "no parameters" not in reason:
        check_refused(net, tmp_path / FILE, r"make the network as it was when the file was written \(read as layout=")


def test_names_that_do_not_tell_the_order(tmp_path: Path) -> None:
    torch = peer("torch")
    model = holder({"first": slice(0, 1), "then": slice(1, 2), "out": slice(2, 3)})(
        torch.nn, [torch.nn.Linear(3, 3) for _ in range(3)]
    )
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    check_refused(
        nnkit.Sequential([nn.Dense(3) for _ in range(3)], (3,)),
        tmp_path / FILE,
        "net.safetensors has the modules first, out, then, and neither names that end in numbers nor shapes tell in "
        r"which order they stand; save the state_dict of a torch.nn.Sequential of them \(read as layout='torch'\)",
    )


# -- one layout or the other


def trap(t: Any, sizes: list[int]) -> Any:
    """A model of PyTorch whose names are those of nnkit."""
    model = t.Module()
    model.layers = t.ModuleList(t.Linear(*pair) for pair in itertools.pairwise(sizes))
    return model


def test_square_matrices_under_names_of_both_are_not_guessed(tmp_path: Path) -> None:
    torch = peer("torch")
    model = trap(torch.nn, [3, 3, 3])
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE)
    net = nnkit.Sequential([nn.Dense(3), nn.Dense(3)], (3,), seed=7)
    check_refused(
        net,
        tmp_path / FILE,
        r"net.safetensors fits the network in two ways, with its weights as \(inputs, units\) and as PyTorch's "
        r"\(units, inputs\): its matrices are square and its names are those of both; give layout='nnkit' or lay",
    )
    net.load_parameters(tmp_path / FILE, layout="torch")
    agree(net, torch.nn.Sequential(*model.layers))
    net.load_parameters(tmp_path / FILE, layout="nnkit")
    weight = net.parameters()["layers.0.weight"]
    np.testing.assert_array_equal(weight, model.layers[0].weight.detach().numpy())


@pytest.mark.parametrize("said", [{"format": "pt"}, {"format": "nnkit"}, {"format": "x"}, {"layout": "torch"}])
def test_a_file_can_say_which_it_is(said: dict[str, str], tmp_path: Path) -> None:
    torch = peer("torch")
    model = trap(torch.nn, [3, 3])
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE, metadata=said)
    net = nnkit.Sequential([nn.Dense(3)], (3,), seed=7)
    if said.get("format") not in ("pt", "nnkit"):
        check_refused(net, tmp_path / FILE, "fits the network in two ways")
        return
    net.load_parameters(tmp_path / FILE)
    weight = model.layers[0].weight.detach().numpy()
    expected = weight.T if said["format"] == "pt" else weight
    np.testing.assert_array_equal(net.parameters()["layers.0.weight"], expected)


@pytest.mark.parametrize("layout", ["nnkit", "torch"])
def test_our_own_files_say_it(layout: str, tmp_path: Path) -> None:
    net = network([nn.Dense(3), nn.Dense(3)])
    net.export(tmp_path / FILE, layout=layout)
    other = again(net)
    other.load_parameters(tmp_path / FILE)
    assert leaves(other) == leaves(net)


@pytest.mark.parametrize("said", ["pt", "nnkit"])
def test_shapes_say_more_than_what_the_file_says_of_itself(said: str, tmp_path: Path) -> None:
    torch = peer("torch")
    model = trap(torch.nn, [3, 3, 2])
    peer("safetensors.torch").save_file(model.state_dict(), tmp_path / FILE, metadata={"format": said})
    net = nnkit.Sequential([nn.Dense(3), nn.Dense(2)], (3,))
    net.load_parameters(tmp_path / FILE)
    agree(net, torch.nn.Sequential(*model.layers))
    check_refused(
        net,
        tmp_path / FILE,
        r"has layers.1.weight \(2, 3\) where the network has \(3, 2\); it fits with layout='torch' \(",
        "nnkit",
    )


def test_where_both_are_the_same_there_is_no_question(tmp_path: Path) -> None:
    net = network([nn.Dense(1), nn.LayerNorm()], 1)
    peer("safetensors.numpy").save_file(net._model.values(), tmp_path / FILE)
    other = again(net)
    other.load_parameters(tmp_path / FILE)
    assert leaves(other) == leaves(net)


def test_what_the_header_says_of_itself_is_not_evaluated(tmp_path: Path) -> None:
    net = network([nn.Dense(3), nn.Dense(3)])
    net.export(tmp_path / FILE)
    data = (tmp_path / FILE).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] |= {"architecture": "[" * 10_000, "module": "__import__('os').abort()", "layout": "torch"}
    text = json.dumps(header).encode()
    (tmp_path / FILE).write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    other = again(net)
    other.load_parameters(tmp_path / FILE)
    assert leaves(other) == leaves(net)
