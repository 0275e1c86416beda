"""Weights that Keras wrote are read, and those that are written are read by Keras: the predictions are the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnkit
from nnkit import nn
from nnkit.errors import ArgumentError, DataError, FileError
from nnkit.formats.keras_weights.counterparts import COUNTERPARTS, LACKING_ACTIVATIONS
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.module import walk
from tests.formats.keras_models import NOISE, activation, equivalent, predicted, rows, shaken
from tests.peers import keras

pytestmark = pytest.mark.filterwarnings(NOISE)

# Arrays are compared exactly. Predictions are in float32 in Keras, much of what is float64 too, and summed in another
# order than here; the largest difference that was seen in several hundred random networks is 22 units of the last place
# of the largest value, behind several normalisations.
UNITS = 50

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "activation": (lambda: nn.Activation("elu", alpha=0.5), (6,)),
    "activity regularization": (lambda: nn.ActivityRegularization(0.1, 0.2), (6,)),
    "alpha dropout": (lambda: nn.AlphaDropout(0.3), (6,)),
    "batch norm": (lambda: nn.BatchNorm(0.3, 0.1), (6,)),
    "batch norm, more axes": (lambda: nn.BatchNorm(0.3, 0.1), (3, 6)),
    "rescaling": (lambda: nn.Sequential([nn.Dense(2), nn.Rescaling([2.0, 3.0], 5.0)]), (6,)),
    "dense": (lambda: nn.Dense(5, "tanh"), (6,)),
    "dense, more axes": (lambda: nn.Dense(5, "softmax"), (3, 6)),
    "dense, no bias": (lambda: nn.Dense(5, bias=False), (6,)),
    "dense, prelu": (lambda: nn.Dense(5, nn.PReLU(0.1)), (6,)),
    "dense, norm": (lambda: nn.Dense(5, nn.LayerNorm()), (6,)),  # type: ignore[arg-type]
    "dropout": (lambda: nn.Dropout(0.3), (6,)),
    "flatten": (lambda: nn.Flatten(), (3, 6)),
    "gaussian dropout": (lambda: nn.GaussianDropout(0.3), (6,)),
    "gaussian noise": (lambda: nn.GaussianNoise(0.3), (6,)),
    "group norm": (lambda: nn.GroupNorm(2, 0.1), (6,)),
    "group norm, more axes": (lambda: nn.GroupNorm(2, 0.1), (3, 2, 6)),
    "layer norm": (lambda: nn.LayerNorm(0.1), (6,)),
    "layer norm, more axes": (lambda: nn.LayerNorm(0.1), (3, 6)),
    "prelu": (lambda: nn.PReLU(0.1), (6,)),
    "prelu, more axes": (lambda: nn.PReLU(0.1), (3, 2, 6)),
    "prelu, flattened": (lambda: nn.Sequential([nn.PReLU(), nn.Flatten(), nn.PReLU()]), (3, 2)),
    "rms norm": (lambda: nn.RMSNorm(0.1), (6,)),
    "rms norm, more axes": (lambda: nn.RMSNorm(0.1), (3, 6)),
    "sequential": (lambda: nn.Sequential([nn.Dense(4, "relu"), nn.Sequential([nn.Dense(3), nn.PReLU()])]), (6,)),
}


def contents(path: Path) -> dict[str, Any]:
    """Groups, which are None, and arrays of a file."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, thing: found.update({name: thing[()] if isinstance(thing, h5py.Dataset) else None})
        )
    return found


def assert_same_contents(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same groups and arrays, to the last bit."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert (value is None) == (other[name] is None)
        assert value is None or (value.dtype == other[name].dtype and np.array_equal(value, other[name]))


def assert_same(network: nnkit.Network, model: Any) -> None:
    """Both predict the same, to rounding."""
    x = rows(network)
    ours, theirs = network.predict(x), predicted(model, x)
    assert ours.shape == theirs.shape
    size = max(1.0, float(np.abs(theirs).max()))
    assert np.abs(ours - theirs).max() <= UNITS * np.finfo("float32").eps * size


def both_ways(network: nnkit.Network, folder: Path) -> None:
    """There, into a model with other values, and back, into a network with other values; and what Keras makes of it."""
    path, model = folder / "net.weights.h5", shaken(equivalent(network), 1)
    network.export(path)
    ours = contents(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.load_weights(path)
    assert [str(warning.message) for warning in caught if "copy keyword" not in str(warning.message)] == []
    assert_same(network, model)
    model.save_weights(path)
    assert_same_contents(contents(path), ours)

    shaken(model, 2).save_weights(path)
    theirs = contents(path)
    network.load_parameters(path)
    assert_same(network, model)
    network.export(path)
    assert_same_contents(contents(path), theirs)


@pytest.mark.parametrize(
    ("name", "dtype"), [*((name, "float32") for name in LAYERS), ("batch norm", "float64"), ("sequential", "float64")]
)
def test_every_layer(name: str, dtype: str, tmp_path: Path) -> None:
    make, shape = LAYERS[name]
    both_ways(nnkit.Network(make(), shape, dtype=dtype, seed=3), tmp_path)


def test_the_list_above_is_complete() -> None:
    made = {type(part) for make, _ in LAYERS.values() for _, part in walk(make()) if isinstance(part, nn.Module)}
    assert made == set(COUNTERPARTS)


def test_every_activation_has_a_function_in_keras_or_is_refused(tmp_path: Path) -> None:
    x = np.linspace(-4.0, 4.0, 36, dtype="float32").reshape(6, 6)
    for name, row in ACTIVATIONS.items():
        if name in LACKING_ACTIVATIONS:
            net = nnkit.Sequential([nn.Dense(6, name)], input_shape=(6,))
            with pytest.raises(ArgumentError, match=r"'layers.0' \(Dense\) has the activation Activation\(.*: Keras"):
                net.export(tmp_path / "net.weights.h5")
        else:
            theirs = np.asarray(activation(nn.Activation(name))(x))
            np.testing.assert_allclose(row.function(x), theirs, rtol=1e-5, atol=1e-6, err_msg=name)
    assert list(tmp_path.iterdir()) == []


# With an epsilon this large no deviation is so small that dividing by it makes much of rounding errors.
OTHERS: list[Callable[[], nn.Module]] = [
    lambda: nn.BatchNorm(eps=0.1),
    lambda: nn.LayerNorm(0.1),
    lambda: nn.RMSNorm(0.1),
    lambda: nn.GroupNorm(2, 0.1),
    lambda: nn.Dropout(0.2),
    nn.PReLU,
]
STEPS = st.one_of(
    st.builds(
        lambda half, activation, bias: lambda: nn.Dense(2 * half, activation, bias=bias),
        st.integers(1, 3),
        st.sampled_from(["identity", "relu", "tanh", "gelu", "prelu"]),
        st.booleans(),
    ),
    st.sampled_from(OTHERS),
)
NESTED = st.lists(st.one_of(STEPS, st.lists(STEPS, min_size=1, max_size=3)), min_size=1, max_size=7)


def built(steps: list[Any]) -> list[nn.Module]:
    """Layers from functions that make them; lists become Sequentials."""
    return [nn.Sequential(built(step)) if isinstance(step, list) else step() for step in steps]


RANDOM = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPES = st.sampled_from([(4,), (3, 4)])


@pytest.mark.slow
@settings(RANDOM, max_examples=2)
@given(NESTED, SHAPES)
def test_random_architectures(tmp_path: Path, steps: list[Any], shape: tuple[int, ...]) -> None:
    both_ways(nnkit.Sequential(built(steps), shape, dtype="float64", seed=5), tmp_path)


@pytest.mark.slow
@settings(RANDOM, max_examples=150)
@given(NESTED, SHAPES)
def test_more_random_architectures(tmp_path: Path, steps: list[Any], shape: tuple[int, ...]) -> None:
    both_ways(nnkit.Sequential(built(steps), shape, seed=6), tmp_path)


def test_more_layers_of_a_class_than_digits_sort(tmp_path: Path) -> None:
    """In the order of text, dense_10 stands before dense_2; all shapes are the same here."""
    both_ways(nnkit.FeedForward(inputs=3, hidden=[3] * 12, outputs=3, activation="tanh", dtype="float64"), tmp_path)


def test_a_layer_that_stands_in_two_places(tmp_path: Path) -> None:
    shared = nn.Dense(4, "tanh")
    net = nnkit.Sequential([shared, nn.Dense(4), shared, nn.Dense(2)], input_shape=(4,), seed=2)
    layers, models = keras("layers"), keras("models")
    twice = layers.Dense(4, activation="tanh")
    model = models.Sequential([layers.Input((4,)), twice, layers.Dense(4), twice, layers.Dense(2)])
    path = tmp_path / "net.weights.h5"
    net.export(path)
    assert sorted(name for name in contents(path) if name.count("/") == 1) == [
        "layers/dense", "layers/dense_1", "layers/dense_3",
    ]  # fmt: skip
    model.load_weights(path)
    assert_same(net, model)
    shaken(model, 1).save_weights(path)
    net.load_parameters(path)
    assert_same(net, model)


def test_training_there_goes_on_here_and_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(640, 8)).astype("float32")
    y = np.argmax(x @ generator.normal(size=(8, 3)), axis=1)
    net = nnkit.Sequential(
        [nn.Dense(24, "relu"), nn.BatchNorm(), nn.Dropout(0.1), nn.Dense(3, "softmax")], input_shape=(8,), seed=0
    )
    model, path = equivalent(net), tmp_path / "net.weights.h5"
    model.compile(keras("optimizers").Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, batch_size=64, verbose=0)
    model.save_weights(path)
    assert "optimizer/vars" in contents(path)
    net.load_parameters(path)
    # Logits are some units large, so that their errors are below 1e-5, and those of probabilities below that.
    np.testing.assert_allclose(net.predict(x), predicted(model, x), atol=1e-5)
    before = net.test(x, y)
    net.fit(x, y, epochs=5, learning_rate=0.01, compile="off", progress=False)
    assert net.test(x, y).loss < 0.8 * before.loss

    net.export(path)
    again = equivalent(net)
    again.load_weights(path)
    np.testing.assert_allclose(predicted(again, x), net.predict(x), atol=1e-5)


# -- models that are made in another way


def chain() -> nnkit.Network:
    """What the models below are."""
    return nnkit.Sequential([nn.Dense(4, "prelu"), nn.Dense(3), nn.PReLU(), nn.Dense(2)], input_shape=(5,))


def _activation_inside(layers: Any, models: Any) -> Any:
    inner = [layers.Dense(4, activation=layers.PReLU()), layers.Dense(3), layers.PReLU(), layers.Dense(2)]
    return models.Sequential([layers.Input((5,)), *inner])


def _second_activation_inside(layers: Any, models: Any) -> Any:
    inner = [layers.Dense(4), layers.PReLU(), layers.Dense(3, activation=layers.PReLU()), layers.Dense(2)]
    return models.Sequential([layers.Input((5,)), *inner])


def _functional(layers: Any, models: Any) -> Any:
    x = start = layers.Input((5,))
    for layer in (layers.Dense(4, name="z"), layers.PReLU(), layers.Dense(3, name="a"), layers.PReLU()):
        x = layer(x)
    return models.Model(start, layers.Dense(2, name="b")(layers.Dropout(0.5)(x)))


def _wrapped(layers: Any, models: Any) -> Any:
    return models.Sequential([layers.Input((5,)), _functional(layers, models)])


def _shared_slope(layers: Any, models: Any) -> Any:
    inner = [layers.Dense(4), layers.PReLU(shared_axes=[1]), layers.Dense(3), layers.PReLU(), layers.Dense(2)]
    return models.Sequential([layers.Input((5,)), *inner])


@pytest.mark.parametrize("make", [_activation_inside, _second_activation_inside, _functional, _wrapped, _shared_slope])
def test_other_ways_of_making_the_same_model(make: Callable[[Any, Any], Any], tmp_path: Path) -> None:
    model, net, path = make(keras("layers"), keras("models")), chain(), tmp_path / "net.weights.h5"
    predicted(model, rows(net))  # or Keras 3.15 does not make the variables of a PReLU that is an activation
    shaken(model, 1).save_weights(path)
    net.load_parameters(path)
    assert_same(net, model)


def test_a_nested_network_reads_a_flat_model(tmp_path: Path) -> None:
    net = chain()
    nested = nnkit.Sequential([nn.Sequential(net.module.layers[:2]), *net.module.layers[2:]], input_shape=(5,))
    model, path = shaken(equivalent(net), 1), tmp_path / "net.weights.h5"
    model.save_weights(path)
    nested.load_parameters(path)
    assert_same(nested, model)


def test_older_names_of_groups(tmp_path: Path) -> None:
    net, path = chain(), tmp_path / "net.weights.h5"
    model = shaken(equivalent(net), 1)
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    net.load_parameters(path)
    assert_same(net, model)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_other_types_are_converted(dtype: str, tmp_path: Path) -> None:
    path, layers = tmp_path / "net.weights.h5", keras("layers")
    model = keras("models").Sequential([layers.Input((3,)), layers.Dense(2, dtype=dtype)])
    shaken(model, 3).save_weights(path)
    net = nnkit.Sequential([nn.Dense(2)], input_shape=(3,))
    net.load_parameters(path)
    kernel = np.asarray(model.variables[0].value).astype("float32")
    assert np.array_equal(net.parameters()["layers.0.weight"], kernel)
    assert contents(path)["layers/dense/vars/0"].dtype == dtype


def test_a_parameter_that_layers_share(tmp_path: Path) -> None:
    first, second = nn.Dense(3), nn.Dense(3)
    second.weight = first.weight
    net, path = nnkit.Sequential([first, second], input_shape=(3,)), tmp_path / "net.weights.h5"
    net.export(path)
    model = equivalent(net)
    model.load_weights(path)
    assert_same(net, model)
    net.load_parameters(path)
    before = net.parameters()
    shaken(model, 1).save_weights(path)
    with pytest.raises(FileError, match=r"/layers/dense_1/vars/0 differs .* for 'layers.0.weight', which"):
        net.load_parameters(path)
    assert all(np.array_equal(before[name], value) for name, value in net.parameters().items())


def test_what_keras_lacks_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    class Own(nn.Dense):
        """A class of one's own."""

    path = tmp_path / "net.weights.h5"
    refused: dict[str, nn.Module] = {
        r"'layers.1' \(WeightNorm\) has no counterpart in Keras: Keras has no weight norm": nn.WeightNorm(nn.Dense(4)),
        r"'layers.1' \(SpectralNorm\) has no counterpart in Keras: Keras's SpectralN": nn.SpectralNorm(nn.Dense(4)),
        r"'layers.1' \(Own\) has no counterpart in Keras: it is a class of your own, of which": Own(4),
        r"'layers.1' \(Dense\) has the activation Activation\('maxout', pieces=2\): Keras has none; net.save": nn.Dense(
            4, nn.Activation("maxout", pieces=2)
        ),
        r"'layers.1' \(Activation\) has .*'hard_tanh', low=0.0\): Keras's has the bounds −1 and 1": nn.Activation(
            "hard_tanh", low=0.0
        ),
        r"'layers.1' \(Dense\) has the activation .*'sparsemax'\): Keras 3.15 adds up the wrong": nn.Dense(
            4, "sparsemax"
        ),
    }
    for reason, layer in refused.items():
        net = nnkit.Sequential([nn.Dense(4), layer], input_shape=(3,))
        with pytest.raises(ArgumentError, match=reason):
            net.export(path)
    assert list(tmp_path.iterdir()) == []


def test_functions_and_bounds_that_keras_can_have(tmp_path: Path) -> None:
    net = nnkit.Sequential([nn.Dense(4, lambda x: x * 2), nn.Activation("hard_tanh")], input_shape=(3,))
    net.export(tmp_path / "net.weights.h5")
    assert contents(tmp_path / "net.weights.h5")["layers/dense/vars/0"].shape == (3, 4)


def test_nan_is_not_exported(tmp_path: Path) -> None:
    net, path = chain(), tmp_path / "net.weights.h5"
    net.export(path)
    before = path.read_bytes()
    net._model.store.write({"layers.3.bias": np.array([1.0, np.nan], np.float32)})
    with pytest.raises(DataError, match=r"'layers.3.bias' holds NaN or infinity, .* is not exported; tra"):
        net.export(path)
    assert path.read_bytes() == before


def test_names_say_which_layer_of_the_network_it_was(tmp_path: Path) -> None:
    chain().export(tmp_path / "net.weights.h5")
    with h5py.File(tmp_path / "net.weights.h5") as file:
        assert file["layers/p_re_lu/vars"].attrs["name"] == "layers.0.activation"
        assert file["layers/dense_2/vars"].attrs["name"] == "layers.3"
