"""Native passes over rows: in pieces, by threads, and always with the same bits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnkit.backend import NoNativeFormError
from nnkit_numpy.device import NATIVE
from tests.backends.threads import crew
from tests.plan.rows import CASES, X, bench_of, down_the_columns
from tests.plan.running import close, same_bits

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.usefixtures("native_cache")
LONE = replace(NATIVE, threads=1)
FORMS = {
    "whole": LONE,
    "in pieces": replace(LONE, tile_bytes=4096),
    "by threads": crew(),
    "by threads, in pieces": crew(tile_bytes=4096),
}


# Each case in one data type, and by hand in the other.
EACH = [
    pytest.param(case, dtype, marks=() if number % 2 == place else pytest.mark.slow, id=f"{case.__name__}-{dtype}")
    for number, case in enumerate(CASES)
    for place, dtype in enumerate(("float32", "float64"))
]


@pytest.mark.parametrize(("case", "dtype"), EACH)
def test_a_pass_over_rows_is_the_formula_whatever_its_form(case, dtype):
    def build(xp, x):
        return {"y": case(xp, x)}

    x = X.astype(dtype)
    apart = bench_of(build, LONE, x, disable=("fuse",))
    expected = apart.step()
    if dtype == "float64":
        close(expected, apart.expected(), rtol=1e-12, atol=1e-12)
    for target in FORMS.values():
        bench = bench_of(build, target, x)
        for _ in range(2):
            same_bits(bench.step(), expected)


@pytest.mark.parametrize("form", FORMS)
def test_a_state_that_every_row_reads_is_not_written_over_row_by_row(form):
    bench = down_the_columns(FORMS[form])
    for _ in range(3):
        expected = bench.expected()
        close(bench.step(), expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [2, 5])
def test_several_questions_about_all_elements_in_one_pass(form, count):
    def build(xp, x):
        asked = [xp.any(x > bound) if bound % 2 else xp.all(x < bound) for bound in range(count)]
        return {f"y{k}": xp.astype(one, x.dtype) for k, one in enumerate(asked)}

    for shift in (0.0, -100.0, 100.0):
        bench = bench_of(build, FORMS[form], X + shift)
        for _ in range(2):
            same_bits(bench.step(), bench.expected())


def test_more_questions_than_a_cache_line_has_bytes():
    def build(xp, x):
        return {f"y{k}": xp.any(x > float(k)) for k in range(65)}

    with pytest.raises(NoNativeFormError, match="one pass has 65 questions about all of its elements, more than 64"):
        bench_of(build, LONE, X).step()
