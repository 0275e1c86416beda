"""Forms of matrix products on a GPU: PYTHONPATH=.:backends python benchmarks/gpu_products.py --out FILE

Times each form of a product as a graph of launches, beside the library, after a comparison with NumPy. Prints the best
of each shape and writes all to FILE. Kernels are compiled by processes side by side, into CuPy's cache.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from nnkit.plan.look import Look
from nnkit_cupy.runtime import CupyRuntime
from nnkit_cupy.source.order import Placed
from nnkit_cupy.source.pieces import Piece, Product, indented
from nnkit_cupy.source.prelude import PRELUDE
from nnkit_cupy.source.staged import Staged
from nnkit_cupy.source.tiles import Form, chosen, tiled

OVER, ROUNDS = 20, 7
"""Launches of a graph, and graphs that are timed."""
TOGETHER = 12
"""Kernels of a module."""
SECONDS = 60
"""After so many of timing, no other form is timed."""


class Case(NamedTuple):
    """A product: forward x·W, back to the input g·Wᵀ (``dx``), or to the weights xᵀ·g (``dw``)."""

    kind: str
    m: int
    n: int
    k: int

    @property
    def transposed(self) -> tuple[bool, bool]:
        return self.kind == "dw", self.kind == "dx"

    @property
    def along(self) -> tuple[bool, bool]:
        """Of which operands the terms of a sum lie together."""
        return not self.transposed[0], self.transposed[1]

    def looks(self) -> tuple[Look, Look, Look]:
        m, n, k = self[1:]
        a = Look("b0", 0, (m, k), (1, m) if self.transposed[0] else (k, 1))
        b = Look("b1", 0, (k, n), (1, k) if self.transposed[1] else (n, 1))
        return a, b, Look("b2", 0, (m, n), (n, 1))


CASES = [
    *(Case("forward", 128, 512, 784), Case("forward", 128, 512, 512), Case("dx", 128, 512, 512)),
    *(Case("dw", 784, 512, 128), Case("dw", 512, 512, 128)),
    *(Case("forward", 128, 10, 512), Case("dx", 128, 512, 10), Case("dw", 512, 10, 128)),
    *(Case("forward", 64, 128, 784), Case("dw", 784, 128, 64), Case("forward", 64, 10, 128), Case("dx", 64, 128, 10)),
    *(Case("forward", 64, 96, 96), Case("dx", 64, 96, 96), Case("dw", 96, 96, 64)),
    *(Case("dx", 1024, 4096, 10), Case("forward", 1024, 10, 4096), Case("dw", 4096, 10, 1024)),
    *(Case("forward", 256, 256, 256), Case("forward", 512, 512, 512), Case("dx", 512, 512, 512)),
    *(Case("dw", 512, 512, 512), Case("forward", 1024, 512, 512)),
]
STAGED = [
    # a tile of 64 × 64, of 64 × 32, of 32 × 32, of 32 × 16, of 16 × 32, of 16 × 16, of 8 × 16, of 8 × 8, narrow ones
    *(Staged(8, 8, (8, 8, 2), 1, 16, 3), Staged(8, 4, (8, 16, 1), 1, 16, 4), Staged(8, 4, (8, 16, 2), 1, 16, 3)),
    *(Staged(8, 4, (8, 8, 4), 1, 32, 3), Staged(8, 4, (8, 8, 2), 1, 32, 3), Staged(8, 8, (8, 4, 4), 1, 32, 3)),
    *(Staged(8, 4, (4, 8, 8), 1, 64, 2), Staged(8, 4, (4, 8, 8), 1, 32, 4), Staged(8, 4, (4, 8, 4), 1, 32, 3)),
    *(Staged(8, 8, (4, 4, 8), 1, 32, 4), Staged(4, 4, (8, 8, 4), 1, 32, 3), Staged(4, 4, (8, 8, 8), 1, 64, 2)),
    *(Staged(8, 4, (4, 8, 1), 8, 8, 2), Staged(8, 4, (4, 8, 1), 4, 16, 2), Staged(8, 4, (4, 8, 2), 1, 32, 3)),
    *(Staged(8, 4, (4, 4, 16), 1, 64, 3), Staged(4, 4, (8, 4, 16), 1, 64, 3), Staged(4, 4, (8, 4, 8), 1, 64, 3)),
    *(Staged(8, 4, (4, 4, 2), 8, 8, 3), Staged(8, 4, (4, 4, 2), 8, 8, 2), Staged(8, 4, (4, 4, 2), 4, 16, 3)),
    *(Staged(4, 4, (8, 4, 1), 8, 8, 3), Staged(4, 4, (8, 4, 4), 1, 32, 4), Staged(8, 4, (4, 4, 8), 1, 64, 3)),
    *(Staged(4, 4, (4, 8, 16), 1, 64, 3), Staged(4, 4, (4, 8, 8), 1, 64, 3), Staged(4, 4, (4, 8, 1), 8, 8, 3)),
    *(Staged(4, 4, (4, 4, 16), 1, 64, 4), Staged(4, 4, (4, 4, 16), 1, 128, 2), Staged(4, 4, (4, 4, 2), 8, 16, 2)),
    *(Staged(4, 4, (2, 4, 32), 1, 128, 3), Staged(4, 4, (2, 4, 16), 1, 128, 3), Staged(4, 4, (2, 4, 4), 8, 16, 2)),
    *(Staged(4, 4, (2, 2, 64), 1, 256, 2), Staged(4, 4, (2, 2, 32), 1, 128, 3), Staged(4, 2, (2, 4, 32), 1, 128, 3)),
    *(Staged(4, 2, (2, 8, 8), 1, 128, 2), Staged(2, 2, (4, 4, 8), 1, 64, 3), Staged(2, 2, (4, 8, 8), 1, 64, 3)),
    *(Staged(2, 1, (4, 10, 8), 1, 128, 3), Staged(4, 1, (4, 10, 8), 1, 128, 2), Staged(1, 1, (4, 10, 8), 1, 128, 3)),
]
DIRECT = [
    *(Form(4, 4, (4, 8, 1), 4), Form(8, 4, (2, 4, 4), 4), Form(4, 2, (2, 4, 4), 4), Form(2, 1, (4, 4, 2), 4)),
    *(Form(2, 1, (4, 8, 1), 4), Form(4, 4, (2, 4, 4), 4), Form(4, 4, (4, 4, 2), 4)),
]
NEAREST = 24
"""Staged forms of a shape that are timed: those of about as many tiles as the GPU has multiprocessors come first."""


def forms(case: Case, processors: int) -> list[Form | Staged]:
    """What is timed of a product: the present choice first."""
    m, n, k = case[1:]

    def tiles(form: Form | Staged) -> int:
        return -(-m // form.tile[0]) * -(-n // form.tile[1])

    def off(form: Staged) -> float:
        """How far the number of tiles is from whole rounds, and how much of a tile or a turn there is in vain."""
        rounds = tiles(form) / processors
        spare = tiles(form) * form.tile[0] * form.tile[1] / (m * n)
        deep = form.groups * form.depth
        return max(rounds, 1 / rounds) ** 0.5 * spare * -(-k // deep) * deep / k

    direct = [form._replace(warps=warps) for form in DIRECT for warps in (4, 8, 16)]
    direct = [form for form in direct if form.fits() and 60 <= tiles(form) <= 1100 and form.parts * 4 <= k]
    staged = sorted((form for form in STAGED if form.fits(case.along)), key=off)[:NEAREST]
    return list(dict.fromkeys([chosen((m, n, k), case.along), *direct, *staged]))


def kernel(case: Case, form: Form | Staged, name: str) -> tuple[str, Piece]:
    """The source of a product, as the steps of networks have it: offsets are parameters."""
    piece = tiled(*case.looks(), (case.m, case.n, case.k), lambda look: True, form)
    body = re.sub(r"OFFSET\(0\)", "o0", "\n".join(piece.lines)).split("\n")
    memory = f"__shared__ __align__(16) char shared[{piece.shared}];"
    head = f'extern "C" __global__ void __launch_bounds__({piece.threads}) {name}('
    head += "float* b0, float* b1, float* b2, int64 o0) {"
    return "\n".join([head, *indented([memory, *body]), "}"]), piece


def compiled(text: str, name: str) -> float:
    """In a process of its own: puts a module into the cache; gives the seconds that it took."""
    import cupy

    began = time.perf_counter()
    cupy.RawModule(code=text, options=("--std=c++17",)).get_function(name)  # as the runtime has it
    return time.perf_counter() - began


class Bench:
    """The operands of one product on the GPU, and what is expected."""

    def __init__(self, runtime: CupyRuntime, case: Case) -> None:
        self.runtime, self.case = runtime, case
        draw = np.random.default_rng(0)
        a, b = (draw.normal(size=shape).astype("float32") for shape in ((case.m, case.k), (case.k, case.n)))
        stored = [side.T if flag else side for side, flag in zip((a, b), case.transposed, strict=True)]
        self.expected = a.astype(float) @ b.astype(float)
        self.a, self.b = (runtime.upload(np.ascontiguousarray(side)) for side in stored)
        self.out = runtime.zeros((case.m, case.n), "float32")
        self.places = [runtime.address(each) for each in (self.a, self.b, self.out)]

    def measured(self, work: Callable[[int], None]) -> tuple[float, float]:
        """The largest error, relative to the largest result, and the seconds of a launch."""
        self.runtime.overwrite(self.out, np.float32(np.nan))
        work(0)
        error = np.abs(self.runtime.download(self.out) - self.expected).max() / np.abs(self.expected).max()
        replay = self.runtime.record([work] * OVER, [Placed(0, ())] * OVER)
        taken = [self.runtime.seconds(replay.launch) / OVER for _ in range(1 + ROUNDS)]
        return float(error), median(taken[1:])

    def library(self) -> tuple[float, float]:
        case, (a, b, out) = self.case, self.case.looks()
        lengths = (case.m if case.transposed[0] else case.k, case.k if case.transposed[1] else case.n, case.n)
        product = Product(a, b, out, "float32", "float32", "float32", case.m, case.n, case.k, case.transposed, lengths)
        return self.measured(self.runtime.product(product, self.places))

    def own(self, function: Any, piece: Piece) -> tuple[float, float]:
        arguments = [*self.places, 0]
        return self.measured(
            lambda lane: self.runtime.launch(function, piece.blocks, piece.threads, arguments, lane),
        )


def modules(work: list[tuple[Case, Form | Staged]]) -> list[tuple[str, list[tuple[int, str, Piece]]]]:
    """The sources, and of each the kernels in it: (number in ``work``, name, piece)."""
    found = []
    for first in range(0, len(work), TOGETHER):
        numbers = range(first, min(first + TOGETHER, len(work)))
        made = [kernel(*work[number], f"kernel{number}") for number in numbers]
        parts = [(number, f"kernel{number}", piece) for number, (_, piece) in zip(numbers, made, strict=True)]
        found.append(("\n".join([PRELUDE, *(text for text, _ in made)]), parts))
    return found


def short(form: Form | Staged) -> str:
    return f"{type(form).__name__}{tuple(form)}"


def line(row: dict[str, Any], best: float) -> str:
    microseconds = f"{row['seconds'] * 1e6:7.2f} µs" if row["seconds"] else "   failed"
    times = f"{row['seconds'] / best:5.2f}" if row["seconds"] else "     "
    return f"  {microseconds} {times}  {row['form']} {row['note']}"


def shown(case: Case, rows: list[dict[str, Any]]) -> None:
    """The best of each kind, the present choice, the library, and what is wrong."""
    right = sorted((row for row in rows if row["seconds"] and row["error"] < 1e-4), key=lambda row: row["seconds"])
    print(f"{case.kind} {case.m}×{case.n}×{case.k} (m × n × k)")
    kinds = (("Staged", 3), ("Form", 1), ("library", 1))
    some = [row for kind, most in kinds for row in [each for each in right if each["kind"] == kind][:most]]
    some += [row for row in right if row["note"] and row not in some]
    for row in sorted(some, key=lambda row: row["seconds"]):
        print(line(row, right[0]["seconds"]))
    for row in rows:
        if row not in right:
            print(f"  WRONG: error {row['error']}, {row['form']} {row['note']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="file for all timings")
    parser.add_argument("--processes", type=int, default=min(12, os.cpu_count() or 1))
    flags = parser.parse_args()
    began = time.perf_counter()
    os.environ["CUPY_CACHE_DIR"] = tempfile.mkdtemp(prefix="nnkit-products-")  # before CuPy is imported, here and there
    runtime = CupyRuntime(0)
    import cupy

    properties = cupy.cuda.runtime.getDeviceProperties(0)
    processors = int(properties["multiProcessorCount"])
    work = [(case, form) for case in CASES for form in forms(case, processors)]
    sources = modules(work)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(flags.processes, mp_context=spawned) as pool:
        jobs = [pool.submit(compiled, text, parts[0][1]) for text, parts in sources]
        for job in jobs:
            if job.exception():  # then it is compiled again below, where it is said what is wrong
                print(f"a module did not compile: {str(job.exception())[-500:]}", flush=True)
    print(f"{len(work)} kernels in {len(sources)} modules after {time.perf_counter() - began:.0f} s", flush=True)
    functions: dict[int, tuple[Any, Piece]] = {}
    for text, parts in sources:
        try:
            get = runtime.module(text)
            functions |= {number: (get(name), piece) for number, name, piece in parts}
        except Exception as error:
            print(f"a module was not loaded: {str(error)[-500:]}", flush=True)
    print(f"loaded after {time.perf_counter() - began:.0f} s", flush=True)
    found, left = [], time.perf_counter() - began
    for case in CASES:
        bench, rows = Bench(runtime, case), []
        present = chosen(case[1:], case.along)
        error, seconds = bench.library()
        rows.append({"kind": "library", "form": "the library", "note": "", "error": error, "seconds": seconds})
        for number, (other, form) in enumerate(work):
            if other != case or number not in functions or time.perf_counter() - began > SECONDS + left:
                continue
            row: dict[str, Any] = {"kind": type(form).__name__, "form": short(form), "error": None, "seconds": None}
            row["note"] = "← now" if form == present else ""
            try:
                row["error"], row["seconds"] = bench.own(*functions[number])
            except Exception as failure:  # a kernel that cannot be launched
                row["note"] += f" {failure}"
            rows.append(row)
        for row in rows:
            row["error"] = np.inf if row["error"] is None or not np.isfinite(row["error"]) else row["error"]
        shown(case, rows)
        found.append({**case._asdict(), "rows": [row | {"error": str(row["error"])} for row in rows]})
        head = {"gpu": properties["name"].decode(), "processors": processors, "launches": OVER, "rounds": ROUNDS}
        Path(flags.out).write_text(json.dumps(head | {"cases": found}, indent=1) + "\n", encoding="utf-8")
    print(f"done after {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
