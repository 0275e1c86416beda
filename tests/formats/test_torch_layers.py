"""Every layer and activation goes to PyTorch and comes back: names, predictions, and the code of the model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

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
NOT_THERE = ("rescaling", "rescaling, by column")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in ROWS if name not in (*MORE_AXES, *NOT_THERE)])
def test_every_layer(name: str, dtype: str, tmp_path: Path) -> None:
    row = ROWS[name]
    net = network([row.make()], row.shape[1:], dtype)
    there_and_back(net, tmp_path)
    alone = nnkit.Network(row.make(), row.shape[1:], dtype=dtype)
    assert equivalent(alone) == equivalent(net)


def test_fixed_numbers_are_to_be_written_by_hand(tmp_path: Path) -> None:
    net, other = (network([nn.Dense(2), nn.Rescaling([2.0, 3.0], 5.0), nn.Dense(1)], 4) for _ in range(2))
    net.export(tmp_path / FILE, layout="torch")
    other.set_parameters({name: value * 0 for name, value in other.parameters().items()})
    other.load_parameters(tmp_path / FILE, layout="torch")
    assert leaves(other) == leaves(net)
    with pytest.raises(
        ArgumentError, match=r"'layers.1' \(Rescaling\) is Rescaling\(scale=\[2, 3\], offset=5\), which torc"
    ):
        equivalent(net)


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


def test_pieces_are_counted_as_modules() -> None:
    net = network([nn.Dense(4, "relu"), nn.Dropout(0.1), nn.Sequential([nn.Dense(3), nn.Sequential([nn.Flatten()])])])
    assert [piece.path for piece in pieces(net)] == [
        "layers.0",
        "layers.0.activation",
        "layers.1",
        "layers.2.layers.0",
        "layers.2.layers.1.layers.0",
    ]
