"""The fixture over array libraries: it must not pass where a library is quietly missing or lenient."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.libraries import Library, opened
from tests.peers import peer


def test_there_and_back(library: Library) -> None:
    for values in (np.arange(6.0).reshape(2, 3), np.asarray(True), np.zeros((0, 2), "int32"), np.asarray([7], "uint8")):
        array = library.array(values)
        assert tuple(array.shape) == values.shape
        back = library.numpy(array)
        assert back.dtype == library.narrow(values).dtype
        np.testing.assert_array_equal(back, values)


def test_read_only_arrays_are_read_only() -> None:
    with opened("numpy read-only") as library, pytest.raises(ValueError, match="read-only"):
        library.array(np.zeros(2))[0] = 1.0


def test_the_other_device_refuses_the_host() -> None:
    with opened("strict on device1") as library, pytest.raises(ValueError, match="devices"):
        library.array(np.zeros(2)) + library.xp.zeros(2)


def test_float64_is_refused_where_there_is_none() -> None:
    with opened("strict without float64") as library:
        assert str(library.array(np.zeros(2)).dtype).endswith("float32")
        with pytest.raises(ValueError, match="float64"):
            library.xp.zeros(2, dtype=library.xp.float64, device=library.device)


def test_the_strictest_has_no_boolean_indexing() -> None:
    with opened("strictest") as library:
        array = library.array(np.zeros(2))
        with pytest.raises(RuntimeError, match="boolean"):
            array[array > 0]
    assert peer("array_api_strict").get_array_api_strict_flags()["boolean_indexing"]


def test_jax_has_double_precision() -> None:
    with opened("jax") as library:
        assert library.array(np.zeros(2)).dtype == np.float64


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_gpu_skips_or_fails(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNKIT_REQUIRE_GPU", required)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(outcome, match=r"(a GPU is needed, since NNKIT_REQUIRE_GPU=1|no GPU)"), opened("cupy"):
        pass


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_peer_skips_or_fails(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NNKIT_REQUIRE_PEERS", required)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(outcome, match="torch is"):
        peer("torch")
