"""The code of a head (``heads``): a block does a row of the batch, forward and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nnkit.plan import Plan
from nnkit.plan.look import Look
from nnkit.plan.passes import phases, reshaped
from nnkit_cupy.source.pieces import Lines, Piece, block, in_warps
from nnkit_cupy.source.registers import held
from nnkit_cupy.source.types import TYPES

FOUR = 4
"""Weights that are copied together, where they may be."""


class Head(NamedTuple):
    """The product of the scores, the pass over their rows, what it makes of them, and the product of that, by nodes."""

    scores: int
    passed: tuple[int, ...]
    slopes: int
    back: int


class HeadKernel:
    """x (rows, terms) · weights (terms, classes) are the scores, and slopes (rows, classes) · weightsᵀ the result."""

    def __init__(self, plan: Plan, looks: dict[int, Look], head: Head, aligned: Callable[[Look], bool]) -> None:
        self._plan, self._looks, self._head = plan, looks, head
        self._x, self._weights = (looks[i] for i in plan.graph.nodes[head.scores].inputs)
        self._terms, self._classes = self._weights.shape
        self._threads = 128 if self._terms <= 128 else 256
        self._early = self._read_early()
        size, start = self._terms * self._classes, self._weights.offset
        self._wide = FOUR if aligned(self._weights) and size % FOUR == 0 == start % FOUR else 1

    def piece(self, after: Lines | None = None) -> Piece:
        """``after`` is done with each element ``found`` of the result at (r, column), in place of storing it."""
        rows, size = self._x.shape[0], self._terms * self._classes
        lines = [
            "float* const weights = (float*)shared;",
            f"float* const parts = weights + {size};",
            f"float* const slopes = parts + TEAMS * {self._classes};",
            *self._copied(size),
            *block(
                f"for (int64 r = BID; r < {rows}; r += BLOCKS)",
                [
                    *self._sums(),
                    *block("if (TID < 32)", in_warps(self._middle())),
                    "__syncthreads();",
                    *self._back(after),
                ],
            ),
        ]
        floats = size + (self._threads // 32 + 1) * self._classes
        return Piece(lines, rows, self._threads, rows * size, roomy=True, shared=4 * floats)

    def _copied(self, size: int) -> Lines:
        """The weights begin to come to shared memory."""
        source = f"{self._weights.buffer}[e + OFFSET({self._weights.offset})]"
        head = f"for (int e = TID * {self._wide}; e < {size}; e += THREADS * {self._wide})"
        return [*block(head, [f"nn_copy<{self._wide}>(&weights[e], &{source}, true);"]), "nn_commit();"]

    def _sums(self) -> Lines:
        """What each warp finds of the scores. The row, and what the pass needs, are read while the weights come."""
        each = -(-self._terms // self._threads)
        head = f"for (int u = 0; u < {each} * HELD({self._threads}); u++)"
        inside = f"if (TID + u * THREADS < {self._terms}) " if each * self._threads != self._terms else ""
        return [
            f"float x[{each} * HELD({self._threads})];",
            "#pragma unroll",
            f"{head} {inside}x[u] = {self._x.at(['r', '(TID + u * THREADS)'])};",
            *self._loads(),
            f"float sums[{self._classes}] = {{}};",
            "nn_wait<0>();",
            "__syncthreads();",
            "#pragma unroll",
            *block(
                head,
                [
                    f"const float* const row = &weights[(TID + u * THREADS) * {self._classes}];",
                    "#pragma unroll",
                    f"{inside}{self._each_class} sums[j] += x[u] * row[j];",
                ],
            ),
            "#pragma unroll",
            f"{self._each_class} sums[j] = nn_fold_warp<float, Sum>(sums[j]);",
            f"if (TID % 32 == 0) {self._each_class} parts[TID / 32 * {self._classes} + j] = sums[j];",
            "__syncthreads();",
        ]

    def _middle(self) -> Lines:
        """The first warp has the scores in registers, goes over them, and leaves the slopes in shared memory."""
        scores, count = self._head.scores, self._classes
        known = self._looks | {scores: self._named(scores, "scores[u]")}
        known |= {i: self._named(i, f"w{i}[u]" if look.strides[-1] else f"v{i}") for i, look in self._early.items()}
        added = [f"for (int warp = 0; warp < TEAMS; warp++) scores[u] += parts[warp * {count} + i];"]
        kept = [f"{self._looks[scores].at(['r', 'i'])} = scores[u];"] if self._escapes() else []
        return [
            f"float scores[EACH({count})] = {{}};",
            *self._elements([*added, *kept]),
            *held(self._plan, phases(self._plan.graph, self._head.passed), known),
            *self._elements([f"slopes[i] = w{self._head.slopes}[u];"]),
        ]

    def _read_early(self) -> dict[int, Look]:
        """What the pass reads from outside, by row and class. A line of as many rows as classes could be either."""
        scores, passed, (rows, classes) = self._head.scores, self._head.passed, self._looks[self._head.scores].shape
        graph, found = self._plan.graph, {}
        for i in dict.fromkeys(o for member in passed for o in graph.nodes[member].inputs):
            if i == scores or reshaped(graph, i) in passed:
                continue
            look = self._looks[i]
            if look.shape == (rows,) and rows != classes:
                look = Look(look.buffer, look.offset, (rows, 1), (*look.strides, 0), look.text)
            if not look.text and (len(look.shape) == 2 or look.shape == (classes,) != (rows,)):
                found[i] = look.spread((rows, classes))
        return found

    def _loads(self) -> Lines:
        """Into registers of the first warp."""
        kinds = {i: TYPES[self._plan.graph.nodes[i].dtype] for i in self._early}
        each = {i for i, look in self._early.items() if look.strides[-1]}
        named = {i: f"w{i}[EACH({self._classes})]" if i in each else f"v{i}" for i in kinds}
        elements = [f"w{i}[u] = {self._early[i].at(['r', 'i'])};" for i in kinds if i in each]
        numbers = [f"v{i} = {self._early[i].at(['r', '0'])};" for i in kinds if i not in each]
        body = [*(self._elements(elements) if elements else []), *numbers]
        declared = [f"{kind} {named[i]} = {{}};" for i, kind in kinds.items()]
        return [*declared, *(block("if (TID < 32)", in_warps(body)) if body else [])]

    def _back(self, after: Lines | None) -> Lines:
        body = [
            "float found = 0;",
            "#pragma unroll",
            f"{self._each_class} found += slopes[j] * weights[column * {self._classes} + j];",
            *(after or [f"{self._looks[self._head.back].at(['r', 'column'])} = found;"]),
        ]
        return block(f"for (int column = TID; column < {self._terms}; column += THREADS)", body)

    @property
    def _each_class(self) -> str:
        return f"for (int j = 0; j < {self._classes}; j++)"

    def _elements(self, body: Lines) -> Lines:
        """For each element i of the row that a lane has."""
        inside = ["const int i = LANE + u * WIDTH;", *block(f"if (i < {self._classes})", body)]
        return ["#pragma unroll", *block(f"for (int u = 0; u < EACH({self._classes}); u++)", inside)]

    def _escapes(self) -> bool:
        """Whether anybody but the pass reads the scores."""
        graph, scores = self._plan.graph, self._head.scores
        return scores in graph.output.values() or not set(graph.users[scores]).issubset(self._head.passed)

    def _named(self, i: int, text: str) -> Look:
        """A value that stands in a variable."""
        return Look("", 0, self._looks[i].shape, (), text)
