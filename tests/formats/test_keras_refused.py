"""Models of Keras that are no chain of layers that nnkit has: refused with what is the matter, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnkit
from nnkit import nn
from nnkit.errors import FileError
from tests.formats.keras_models import NOISE, rows
from tests.peers import keras

pytestmark = pytest.mark.filterwarnings(NOISE)

Make = Callable[[Any, Any], Any]


def sequential(*names: str, **options: Any) -> Make:
    """A Sequential of a layer by each name between two Dense; ``options`` are those of all of them."""

    def make(layers: Any, models: Any) -> Any:
        inner = [getattr(layers, name)(**options) for name in names]
        return models.Sequential([layers.Input((4,)), layers.Dense(4), *inner, layers.Dense(4)])

    return make


def _residual(layers: Any, models: Any) -> Any:
    start = layers.Input((4,))
    return models.Model(start, layers.Dense(4)(layers.add([start, layers.Dense(4)(start)])))


def _attributes(layers: Any, models: Any) -> Any:
    class Own(models.Model):  # type: ignore[misc]
        """Layers as attributes, which are made in another order than they compute."""

        def __init__(self) -> None:
            super().__init__()
            self.second = layers.Dense(4)
            self.first = layers.Dense(4)

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    return Own()


def _own_variables(layers: Any, models: Any) -> Any:
    class Own(models.Sequential):  # type: ignore[misc]
        """A Sequential with a variable of its own."""

        def build(self, *shape: Any) -> None:
            self.temperature = self.add_weight(shape=(), name="temperature")
            super().build(*shape)

    return Own([layers.Dense(4), layers.Dense(4)])


def _wrapped_layer(layers: Any, models: Any) -> Any:
    return models.Sequential([layers.Input((4,)), layers.SpectralNormalization(layers.Dense(4)), layers.Dense(4)])


def _two_models(layers: Any, models: Any) -> Any:
    start = layers.Input((4,))
    inner = models.Model(start, layers.Dense(4)(start))
    return models.Sequential([layers.Input((4,)), models.Sequential([layers.Dense(4)]), inner])


def _quantized(layers: Any, models: Any) -> Any:
    model = sequential()(layers, models)
    model.layers[0].quantize("int8")
    return model


NO_CHAIN = "; save the weights of a keras.Sequential of layers that nnkit has, one after the other$"
DENSE = [nn.Dense, nn.Dense]
REFUSED: dict[str, tuple[Make, list[Callable[..., nn.Module]], str]] = {
    "a sum": (_residual, DENSE, "has /layers/add, which have no counterpart in nnkit" + NO_CHAIN),
    "attributes": (
        _attributes,
        DENSE,
        "has /first, which are attributes of a class, of which the file does not say in",
    ),
    "variables of the model": (_own_variables, DENSE, "has /vars/0, which belong to the model itself and to no layer"),
    "a layer around a layer": (_wrapped_layer, DENSE, "has /layers/spectral_normalization, which have no counterpart"),
    "two models": (_two_models, DENSE, "has a model in its model, /layers/functional, /layers/sequential, and the"),
    "a scaler": (sequential("Normalization"), DENSE, "has /layers/normalization, which have no counterpart in nnkit"),
    "layers without variables": (
        sequential("UnitNormalization"),
        DENSE,
        "has /layers/unit_normalization, which have no counterpart in nnkit",
    ),
    "no centre": (
        sequential("BatchNormalization", center=False),
        [nn.Dense, lambda _: nn.BatchNorm(), nn.Dense],
        r"lacks /layers/batch_normalization/vars/3 \(4,\) \(.* is for layer 'layers.1' \(BatchNorm\)\); give the",
    ),
    "another normalisation": (
        sequential("LayerNormalization"),
        [nn.Dense, lambda _: nn.BatchNorm(), nn.Dense],
        r"lacks /layers/batch_normalization/vars/0 \(4,\) \[nearest: /layers/layer_normalization/vars/\d\]",
    ),
    "bfloat16": (
        sequential("RMSNormalization", dtype="bfloat16"),
        [nn.Dense, lambda _: nn.RMSNorm(), nn.Dense],
        r"/layers/rms_normalization/vars/0 has type \|V2, and little-endian float16 or .* of a Keras model in float32",
    ),
    "integers": (_quantized, DENSE, r"has /layers/dense/vars/2 \(4,\), which the network does not; give the network"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:.*[Qq]uantiz.*:UserWarning")
def test_refused(name: str, tmp_path: Path) -> None:
    make, modules, reason = REFUSED[name]
    net, path = nnkit.Sequential([module(4) for module in modules], input_shape=(4,)), tmp_path / "net.weights.h5"
    model = make(keras("layers"), keras("models"))
    model(rows(net))
    model.save_weights(path)
    before = net.parameters()
    with pytest.raises(FileError, match=reason) as caught:
        net.load_parameters(path)
    assert str(caught.value).startswith(str(path))
    assert all(np.array_equal(before[leaf], value) for leaf, value in net.parameters().items())
