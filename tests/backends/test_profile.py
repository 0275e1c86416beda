"""The measured rates of a machine: kept for later processes, used by both targets, and never trusted blindly."""

from __future__ import annotations

import json

import pytest

import nnkit
from nnkit.backend import select
from nnkit_numpy import calibration, device, profile
from nnkit_numpy.jit import cache

RATES = {
    "plain": {"call_s": 4e-7, "flops_per_s": 5e10, "tile_bytes": 1 << 18, "element_s": (("exp", 1e-9),)},
    "native": {"meet_s": 3e-7, "bytes_per_s": 2e10, "element_s": (("exp", 2e-9),)},
}


PATH = profile.path


@pytest.fixture(autouse=True)
def _own_file(tmp_path, monkeypatch):
    monkeypatch.setattr(profile, "path", lambda: tmp_path / "new" / "profile.json")
    profile.known.cache_clear()
    yield
    profile.known.cache_clear()


def test_machines_that_share_a_home_have_a_file_each(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.DIRECTORY, str(tmp_path))
    monkeypatch.setattr("platform.node", lambda: "red")
    assert PATH() == tmp_path / "profiles" / "red.json"


def test_without_a_profile_the_rates_are_built_in():
    assert profile.known() is None
    assert select("cpu").target() == device.TARGET
    assert select("cpu").target().profile == "built-in"


def test_a_profile_is_used_by_both_targets():
    file = profile.keep(RATES)
    assert json.loads(file.read_text())["plain"]["tile_bytes"] == 1 << 18
    plain, native = select("cpu").target(), select("cpu").native_target()
    assert (plain.call_s, plain.flops_per_s, plain.tile_bytes) == (4e-7, 5e10, 1 << 18)
    assert plain.seconds_per_element("exp") == 1e-9
    assert plain.near_bytes == device.TARGET.near_bytes  # what it does not say
    assert (native.meet_s, native.bytes_per_s, native.flops_per_s) == (3e-7, 2e10, device.NATIVE.flops_per_s)
    assert plain.profile == native.profile
    assert plain.profile.startswith("measured 20")


def test_the_record_names_it():
    x, y = [[0.0], [1.0]] * 4, [0, 1] * 4

    def named():
        net = nnkit.FeedForward(1, 2, output_activation="softmax", seed=0)
        return net.fit(x, y, epochs=1, progress=False).record.training["program"]["profile"]

    assert named() == "built-in"
    profile.keep(RATES)
    assert named().startswith("measured 20")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: text.replace("4e-07", "-4e-07"),
        lambda text: text.replace("4e-07", "NaN"),
        lambda text: text.replace("4e-07", '"fast"'),
        lambda text: text.replace('"threads": ', '"threads": 9'),
        lambda text: text.replace('"exp": 1e-09', '"exp": Infinity'),
        lambda text: "[]",
        lambda text: "",
    ],
)
def test_a_profile_that_cannot_be_used_is_not(damage):
    file = profile.keep(RATES)
    file.write_text(damage(file.read_text()))
    profile.known.cache_clear()
    assert profile.known() is None
    assert select("cpu").target() == device.TARGET


def test_calibration_measures_what_the_planner_asks_for(monkeypatch):
    pytest.importorskip("llvmlite")
    for name, value in {"FAR": 1 << 16, "NEAR": 1 << 14, "SIDE": 64, "BLOCK_S": 1e-5, "TILES": (1 << 12,)}.items():
        monkeypatch.setattr(calibration, name, value)
    found = select("cpu").calibrate()
    assert list(found) == ["plain", "native"]
    for target, built_in in ((found["plain"], device.TARGET), (found["native"], device.NATIVE)):
        assert target.profile.startswith("measured")
        assert 0 < target.call_s < 1e-3
        assert 1e7 < target.flops_per_s < 1e14
        assert target.flops_per_s != built_in.flops_per_s
        assert {name for name, _ in built_in.element_s} <= {name for name, _ in target.element_s}
    assert found["native"].operation_s < 1e-7
    assert profile.known()["native"].keys() >= {"bytes_per_s", "near_bytes_per_s", "cached_bytes_per_s"}
