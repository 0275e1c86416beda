"""Products through shared memory: by threads side by side, and by one that stands for all."""

from __future__ import annotations

import numpy as np
import pytest

from nnkit import nn
from nnkit.optimizers import Adam
from nnkit.plan.look import Look
from nnkit_cupy.device import CupyBackend
from nnkit_cupy.source.staged import Staged
from nnkit_cupy.source.tiles import tiled
from tests.cuda.blocks import Blocks, looks
from tests.cuda.stand_in import HostRuntime, compiler
from tests.plan.running import Bench, close
from tests.training.steps import Job

pytestmark = pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler here")
FLAGS = [(False, False), (False, True), (True, False), (True, True)]
FORMS = [
    Staged(4, 2, (4, 4, 4), 1, 32, 3),  # one group, whose parts divide the terms
    Staged(8, 4, (4, 4, 2), 4, 8, 2),  # groups of a warp
    Staged(2, 1, (8, 4, 1), 2, 16, 4),
    Staged(4, 8, (8, 16, 1), 1, 8, 2),  # a group without parts
]
SHAPES = [(64, 32, 64), (33, 65, 7), (20, 12, 100)]


@pytest.mark.parametrize("flags", [FLAGS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in FLAGS[1:])])
def test_threads_side_by_side(flags: tuple[bool, bool]) -> None:
    """Operands that begin where vectors may be read, and behind one element more."""
    places = [*((shape, 0) for shape in SHAPES), (SHAPES[-1], 1)]
    cases = [(form, *shape, offset) for form in FORMS for shape, offset in places]
    assert all(form.fits() for form in FORMS)
    pieces = [tiled(*looks(m, n, k, flags, offset), (m, n, k), yes, form) for form, m, n, k, offset in cases]
    blocks, draw = Blocks(pieces), np.random.default_rng(0)
    for number, (form, m, n, k, offset) in enumerate(cases):
        a, b = draw.normal(size=(m, k)).astype("float32"), draw.normal(size=(k, n)).astype("float32")
        flat = [_flat(each, flag, offset) for each, flag in zip((a, b), flags, strict=True)]
        for late in (False, True):
            out = np.full(m * n + offset, np.nan, "float32")
            blocks.run(number, *flat, out, late)
            message = f"{form} {m, n, k, offset, late}"
            np.testing.assert_allclose(out[offset:].reshape(m, n), a @ b, rtol=1e-4, atol=1e-4, err_msg=message)


@pytest.mark.parametrize("form", FORMS)
def test_one_thread_stands_for_all(monkeypatch: pytest.MonkeyPatch, form: Staged) -> None:
    """Whole steps, in which what follows a product is its ending."""
    monkeypatch.setattr("nnkit_cupy.source.tiles.chosen", lambda extents, along: form)
    module = nn.Sequential([nn.Dense(20, "relu"), nn.Dense(7, "softmax")])
    job = Job(module, (13,), "auto", Adam(0.01), "classes", rows=40, dtype="float32")
    graph = job.graph(9)
    values = job.values(graph)
    backend = CupyBackend("cuda", HostRuntime())  # which has not compiled the plan in another form
    made = Bench(graph, values, target=backend.target(), backend=backend)
    assert f"HELD({form.block})" in backend.compile(made.plan).code.text
    for _ in range(2):
        close(made.step(), made.expected(), rtol=1e-4, atol=1e-5)


def yes(look: Look) -> bool:
    return True


def _flat(matrix: np.ndarray, transposed: bool, offset: int) -> np.ndarray:
    """The elements as they lie in a buffer that is aligned, behind so many others."""
    elements = (matrix.T if transposed else matrix).ravel()
    raw = np.full(len(elements) + offset + 4, np.nan, "float32")
    start = -raw.ctypes.data % 16 // 4
    raw[start + offset : start + offset + len(elements)] = elements
    return raw[start : start + offset + len(elements)]
