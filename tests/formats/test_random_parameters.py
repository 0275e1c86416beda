"""Random networks through both layouts and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nnkit
from nnkit import nn
from nnkit.formats.torch_activations import PLAIN, WITH_PARAMETERS
from tests.formats.models import again, agree, in_torch, leaves, randomised
from tests.peers import peer

WIDTHS = st.sampled_from([2, 4, 6])  # even, for glu and groups, and often square
ELEMENTWISE = sorted({*PLAIN, *WITH_PARAMETERS} - {"glu"})
ACTIVATIONS = st.one_of(
    st.sampled_from(ELEMENTWISE), st.sampled_from(ELEMENTWISE).map(nn.Activation), st.builds(nn.PReLU)
)
DENSE = st.builds(nn.Dense, WIDTHS, ACTIVATIONS, st.booleans())
LAYERS = st.one_of(
    DENSE,
    DENSE,
    st.builds(nn.WeightNorm, DENSE),
    st.builds(nn.SpectralNorm, DENSE),
    st.builds(nn.BatchNorm, st.sampled_from([0.1, 0.5]), st.sampled_from([1e-5, 0.1])),
    st.builds(nn.LayerNorm, st.sampled_from([1e-5, 0.1])),
    st.builds(nn.RMSNorm, st.sampled_from([1e-5, 0.1])),
    st.builds(nn.GroupNorm, st.sampled_from([1, 2])),
    st.builds(nn.PReLU),
    st.sampled_from(ELEMENTWISE).map(nn.Activation),
    st.builds(nn.Dropout, st.just(0.3)),
    st.builds(nn.GaussianNoise, st.just(0.3)),
    st.builds(nn.Flatten),
)
MODULES = st.recursive(
    st.lists(LAYERS, min_size=1, max_size=4).map(nn.Sequential),
    lambda inner: st.lists(st.one_of(inner, LAYERS), min_size=1, max_size=3).map(nn.Sequential),
    max_leaves=3,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MODULES, WIDTHS, st.integers(0, 9))
def test_both_layouts(module: nn.Module, inputs: int, seed: int) -> None:
    check(module, inputs, seed)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MODULES, WIDTHS, st.integers(0, 9))
def test_both_layouts_often(module: nn.Module, inputs: int, seed: int) -> None:
    check(module, inputs, seed)


def check(module: nn.Module, inputs: int, seed: int) -> None:
    net = nnkit.Network(module, (inputs,), dtype="float64")
    randomised(net, seed)
    with tempfile.TemporaryDirectory() as folder:
        for layout in ("nnkit", "torch"):
            path = Path(folder) / f"{layout}.safetensors"
            net.export(path, layout=layout)
            other = again(net)
            other.load_parameters(path)
            assert leaves(other) == leaves(net)
        model = in_torch(net, path)
        agree(net, model)
        peer("safetensors.torch").save_file(model.state_dict(), path)
        other = again(net)
        other.load_parameters(path, layout="torch")
        assert leaves(other) == leaves(net)
