"""Parameters that go to PyTorch and come back: names, predictions, and nothing that is silently transposed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, FileError
from nnkit.formats.torch_activations import PLAIN, WITH_PARAMETERS, WITHOUT
from nnkit.formats.torch_layers import TABLE, pieces
from nnkit.formats.torch_names import equivalent
from nnkit.nn.activations import ACTIVATIONS, leaky_relu
from nnkit.nn.serial import LAYERS
from tests.formats.models import again, agree, in_torch, leaves, network, rows
from tests.nn.calling import Custom
from tests.nn.table import ROWS
from tests.peers import peer

FILE = "net.safetensors"


def there_and_back(net: nnkit.Network, folder: Path) -> None:
    """Into the equivalent model, whose file comes back to the bit."""
    net.export(folder / FILE, layout="torch")
    model = in_torch(net, folder / FILE)
    agree(net, model)
    peer("safetensors.torch").save_model(model, folder / FILE)
    for layout in ("torch", None):
        other = again(net)
        assert leaves(other) != leaves(net) or not leaves(net)
        other.load_parameters(folder / FILE, layout=layout)
        assert leaves(other) == leaves(net)


# -- every layer


def test_every_layer_and_activation_has_a_line_in_the_tables() -> None:
    assert set(TABLE) == set(LAYERS.values())
    assert sorted([*PLAIN, *WITH_PARAMETERS, *WITHOUT]) == sorted(ACTIVATIONS)


MORE_AXES = ("batch norm, more axes", "group norm, more axes")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in ROWS if name not in MORE_AXES])
def test_every_layer(name: str, dtype: str, tmp_path: Path) -> None:
    row = ROWS[name]
    net = network([row.make()], row.shape[1:], dtype)
    there_and_back(net, tmp_path)
    alone = nnkit.Network(row.make(), row.shape[1:], dtype=dtype)
    assert equivalent(alone) == equivalent(net)


@pytest.mark.parametrize(
    ("layer", "module"), [(nn.BatchNorm(), "BatchNorm1d"), (nn.GroupNorm(2), "GroupNorm"), (nn.PReLU(), "PReLU")]
)
def test_features_in_another_axis_than_pytorch_has_them(layer: nn.Module, module: str, tmp_path: Path) -> None:
    net = network([nn.Dense(4), layer], (3, 4))
    for call in (lambda: net.export(tmp_path / FILE, layout="torch"), lambda: equivalent(net)):
        with pytest.raises(
            ArgumentError,
            match=rf"layer 'layers.1' \({type(layer).__name__}\) has its features in the last of 3 axes, where "
            rf"torch.nn.{module} takes axis 1; layout='nnkit' keeps the parameters of every layer",
        ):
            call()
    assert not list(tmp_path.iterdir())
    there_and_back(network([nn.Dense(4), nn.Flatten(), layer], (3, 4)), tmp_path)


OPTIONS = [
    ("leaky_relu", {"slope": 0.2}),
    ("elu", {"alpha": 0.3}),
    ("celu", {"alpha": 2}),
    ("hard_tanh", {"low": -0.5, "high": 2}),
    ("hard_tanh", {"low": float("-inf"), "high": 0.5}),
    ("hard_shrink", {"threshold": 0.2}),
    ("soft_shrink", {"threshold": 0.2}),
    ("threshold", {"threshold": 0.1, "value": -3.0}),
    *((name, {}) for name in ACTIVATIONS if name not in WITHOUT),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_every_activation(name: str, options: dict[str, float], dtype: str, tmp_path: Path) -> None:
    net = network([nn.Dense(12, nn.Activation(name, **options)), nn.Activation(name, **options)], 5, dtype)
    there_and_back(net, tmp_path)
    torch, x = peer("torch"), np.linspace(-60, 60, 600, dtype=dtype).reshape(100, 6)
    ours = nnkit.Sequential([nn.Activation(name, **options)], (6,), dtype=dtype)
    theirs = eval(equivalent(ours), {"nn": torch.nn})(torch.asarray(x)).numpy()
    rtol = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(ours.predict(x), theirs, rtol=rtol, atol=rtol)


def test_functions_of_nnkit_are_known() -> None:
    net = network([nn.Dense(3, nnkit.nn.activations.relu), nn.Activation(partial(leaky_relu, slope=0.5))])
    assert "nn.ReLU(),\n    nn.LeakyReLU(0.5)," in equivalent(net)


@pytest.mark.parametrize(
    "activation",
    [
        *(nn.Activation(name) for name in WITHOUT),
        nn.Activation(lambda x: x * 2.0),
        nn.Activation("hard_tanh", low=1.0, high=1.0),
        nn.Activation("soft_shrink", threshold=-1.0),
    ],
    ids=str,
)
def test_an_activation_that_pytorch_lacks_takes_a_place(activation: nn.Activation, tmp_path: Path) -> None:
    net = network([nn.Dense(4, activation), nn.Dense(2)])
    with pytest.raises(
        ArgumentError, match=r"layer 'layers.0.activation' \(Activation\) is Activation\('.*torch.nn doe"
    ):
        equivalent(net)
    net.export(tmp_path / FILE, layout="torch")
    found = peer("safetensors.torch").load_file(tmp_path / FILE)
    assert found.keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}
    other = again(net)
    other.load_parameters(tmp_path / FILE)
    assert leaves(other) == leaves(net)


def test_a_layer_of_ones_own_has_no_counterpart(tmp_path: Path) -> None:
    own = Custom(lambda self, x, run: x * self.factor, factor=nn.Parameter((3,)))
    reason = r"layer 'layers.0' \(Custom\) has no counterpart in torch.nn; layout='nnkit' keeps the parameters of every"
    net = network([own, nn.WeightNorm(nn.Dense(2))])
    with pytest.raises(ArgumentError, match=reason):
        net.export(tmp_path / FILE, layout="torch")
    assert not list(tmp_path.iterdir())
    net.export(tmp_path / FILE)
    with pytest.raises(ArgumentError, match=reason):
        net.load_parameters(tmp_path / FILE, layout="torch")
    with pytest.raises(ArgumentError, match=r"the network's module \(Custom\) has no counterpart in torch.nn"):
        nnkit.Network(own, (3,)).export(tmp_path / FILE, layout="torch")


def test_what_a_norm_is_around_must_be_known(tmp_path: Path) -> None:
    inner = Custom(lambda self, x, run: x @ self.weight, weight=nn.Parameter((3, 2)))
    net = network([nn.WeightNorm(inner)])
    with pytest.raises(
        ArgumentError, match=r"layer 'layers.0' \(WeightNorm\) is around <.*which has no counterpart in"
    ):
        net.export(tmp_path / FILE, layout="torch")


def test_training_goes_on_alike(tmp_path: Path) -> None:
    """Momentum, ε and running statistics of batch normalisation are the same in the code."""
    torch = peer("torch")
    net = network([nn.Dense(4, "tanh"), nn.BatchNorm(momentum=0.3, eps=0.01), nn.Dense(1)], dtype="float64")
    net.export(tmp_path / FILE, layout="torch")
    model, x = in_torch(net, tmp_path / FILE).train(), rows(net, 16)
    y = x[:, :1] - x[:, 1:2]
    descent = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        descent.zero_grad()
        torch.nn.functional.mse_loss(model(torch.asarray(x)), torch.asarray(y)).backward()
        descent.step()
    net.fit(x, y, epochs=5, batch_size=16, optimizer="sgd", learning_rate=0.1, progress=False)
    agree(net, model.eval())


# -- code


def test_the_code_stands_in_the_file(tmp_path: Path) -> None:
    net = network([nn.Dense(4, "relu"), nn.GaussianNoise(0.1), nn.ActivityRegularization(0.1), nn.Dense(2)])
    net.export(tmp_path / FILE, layout="torch")
    with peer("safetensors").safe_open(tmp_path / FILE, "np") as file:
        said = file.metadata()
    assert said == {"format": "pt", "layout": "torch", "nnkit": nnkit.__version__, "module": equivalent(net)}
    assert "nn.Identity(),  # GaussianNoise(0.1) acts in training alone, and torch.nn has none\n" in said["module"]
    assert equivalent(nnkit.Sequential([], (3,))) == "nn.Sequential()"
    assert equivalent(nnkit.Sequential([nn.Dense(1)], (3,), dtype="float64")).endswith(",\n).double()")


def test_a_layer_in_several_places(tmp_path: Path) -> None:
    torch, shared = peer("torch"), nn.Dense(3, "prelu")
    net = network([shared, nn.Dense(3), shared, nn.Dense(2)])
    net.export(tmp_path / FILE, layout="torch")
    model = in_torch(net, tmp_path / FILE)
    assert model[0] is model[3]
    assert model[1] is model[4]
    assert len(list(model.parameters())) == len(net.parameters())
    there_and_back(net, tmp_path)
    values = {name: value.clone() for name, value in model.state_dict().items()}
    peer("safetensors.torch").save_file(values | {"3.bias": torch.ones(3)}, tmp_path / FILE)
    with pytest.raises(
        FileError, match=r"3.bias is another array than the one before it for 'layers.0.bias'; the network shares it"
    ):
        again(net).load_parameters(tmp_path / FILE, layout="torch")


def test_a_weight_in_several_layers(tmp_path: Path) -> None:
    one, other = nn.Dense(3), nn.Dense(3)
    other.weight = one.weight
    net = network([one, other])
    assert "nn.Linear(3, 3),\n    nn.Linear(3, 3),  # in nnkit, its array is that of layers.0.weight\n" in equivalent(
        net
    )
    net.export(tmp_path / FILE, layout="torch")
    agree(net, in_torch(net, tmp_path / FILE))
    there_and_back(net, tmp_path)


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
        r"which order they stand; save the state_dict of a torch.nn.Sequential of them; make .*layout='torch'",
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
        net, tmp_path / FILE, r"has layers.1.weight \(2, 3\) where the network has \(3, 2\); .*layout='nnkit'", "nnkit"
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


def test_pieces_are_counted_as_modules() -> None:
    net = network([nn.Dense(4, "relu"), nn.Dropout(0.1), nn.Sequential([nn.Dense(3), nn.Sequential([nn.Flatten()])])])
    assert [piece.path for piece in pieces(net)] == [
        "layers.0",
        "layers.0.activation",
        "layers.1",
        "layers.2.layers.0",
        "layers.2.layers.1.layers.0",
    ]
