"""Random small graphs with states, views, fused passes, reductions, products, joins and gathers."""

from __future__ import annotations

import numpy as np

from nnkit.graph import Trace


class RandomGraph:
    """``operations`` operations drawn by ``seed``; every number stays of order one."""

    def __init__(self, seed, operations, guarded=None, dtype="float64"):
        self.dtype = dtype
        self.draw = np.random.default_rng(seed)
        self.trace = Trace()
        self.xp = self.trace.namespace
        rows, columns = (int(self.draw.integers(1, top)) for top in (40, 7))
        self.shapes = [(rows, columns), (rows,), (columns,), (columns, columns), ()]
        self.inputs, self.pool = {}, []
        for number in range(int(self.draw.integers(1, 5))):
            self._input(f"state{number}", "state", self._pick(self.shapes))
        self._input("x", "data", self.shapes[0])
        self._input("y", "data", self._pick(self.shapes))
        self._input("rate", "setting", ())
        for _ in range(operations):
            self.pool.append(self._pick(STEPS)(self))
        self.graph = self.trace.graph(self._outputs(guarded))

    def _input(self, name, role, shape):
        self.inputs[name] = np.asarray(self.draw.normal(size=shape), dtype=self.dtype)
        self.pool.append(self.trace.input(name, role, shape, self.dtype))

    def _outputs(self, guarded):
        outputs = {}
        for name, value in self.inputs.items():
            if name.startswith("state") and self.draw.random() < 0.9:
                outputs[name] = self._like(value.shape)
        for number in range(int(self.draw.integers(1, 4))):
            outputs[f"out{number}"] = self._pick(self.pool)
        if guarded is not None:
            outputs["guard"] = self.xp.sum(self.recent()) < (np.inf if guarded else -np.inf)
        return outputs

    def _like(self, shape):
        """A value of this shape: one that is there, as it is or as a fresh sum."""
        fitting = [value for value in self.pool if value.shape == shape]
        chosen = fitting[int(len(fitting) * self.draw.random() ** 0.5)]
        return self._pick([chosen, chosen, self.xp.tanh(chosen), chosen * 0.5 + self._pick(fitting)])

    def _pick(self, choices):
        return choices[int(self.draw.integers(len(choices)))]

    def recent(self):
        """A value, rather one of the latest."""
        return self.pool[int(len(self.pool) * self.draw.random() ** 0.6)]

    def of_rank(self, least):
        for _ in range(20):
            value = self.recent()
            if value.ndim >= least and value.size:
                return value
        return self.pool[next(i for i, value in enumerate(self.pool) if value.ndim >= least and value.size)]


def unary(g):
    name = g._pick(["tanh", "sin", "cos", "abs", "negative", "floor", "sign"])
    return getattr(g.xp, name)(g.recent())


def partner(g, x):
    """Another value that broadcasts with x: often a repeated, a reversed or a reordered one."""
    fitting = [v for v in g.pool if v.shape == x.shape or (v.size == 1 and v.ndim <= x.ndim) or v.shape == x.shape[-1:]]
    return g._pick(fitting) if fitting and g.draw.random() < 0.8 else flip(g, x)


def binary(g):
    x = g.recent()
    y = partner(g, x)
    name = g._pick(["add", "subtract", "multiply", "maximum", "minimum"])
    return g.xp.tanh(getattr(g.xp, name)(*g._pick([(x, y), (y, x)])))


def neutral(g):
    x = g.recent()
    return g._pick([x * 1.0, x + 0.0, 1.0 * x, x - 0.0, x / 1.0, g.xp.negative(-x), x * 0.5])


def select(g):
    x = g.recent()
    y, z = partner(g, x), partner(g, x)
    return g.xp.where(*g._pick([(x > y, x, z), (z < 0.1, y, x), (y > z, z, x)]))


def chosen_flags(g):
    x = g.recent()
    flags = g.xp.where(x > 0.0, x < 0.5, g.xp.isfinite(x))
    return g.xp.astype(flags & (x > -1.0), g.dtype)


def flip(g, x=None):
    x = g.of_rank(1) if x is None else x
    return g.xp.flip(x, axis=int(g.draw.integers(x.ndim))) if x.ndim else x


def reorder(g):
    x = g.of_rank(2)
    return g.xp.permute_dims(x, tuple(int(a) for a in g.draw.permutation(x.ndim)))


def cut(g):
    x = g.of_rank(1)
    spans = []
    for extent in x.shape:
        first, step = int(g.draw.integers(extent)), g._pick([1, 1, 1, 2, -1])
        spans.append(slice(first, None, step) if g.draw.random() < 0.6 else slice(None))
    return x[tuple(spans)]


def reshape(g):
    x = g.recent()
    return g.xp.reshape(x, g._pick([(-1,), (1, *x.shape), (*x.shape, 1), x.shape[::-1]]))


def repeat(g):
    x = g.recent()
    if x.size > 500:
        return x
    return g.xp.broadcast_to(x, (int(g.draw.integers(1, 4)), *x.shape))


def reduce(g):
    x = g.of_rank(1)
    axis = g._pick([None, 0, x.ndim - 1])
    name = g._pick(["sum", "mean", "max", "min"])
    return g.xp.tanh(getattr(g.xp, name)(x, axis=axis, keepdims=bool(g.draw.random() < 0.5)))


def normalise(g):
    """Elements, a value of each row, and elements again."""
    x = g.xp.sin(g.of_rank(1))
    kept = bool(g.draw.random() < 0.7)
    total = getattr(g.xp, g._pick(["sum", "max", "min"]))(x, axis=-1, keepdims=kept)
    total = g._pick([total, g.xp.tanh(total), total * 0.5])
    if not kept:
        total = g.xp.expand_dims(total, axis=-1)
    return g.xp.tanh(g._pick([x - total, x * total, g.xp.maximum(x, total)]))


def join(g):
    x = g.of_rank(1)
    parts = [x, *(v for v in g.pool[-8:] if v.shape == x.shape)][: int(g.draw.integers(1, 4))]
    if g.draw.random() < 0.5:
        return g.xp.concat([g.xp.reshape(part, (-1,)) for part in (*parts, g.recent())])
    return g.xp.concat(parts, axis=int(g.draw.integers(x.ndim)))


def product(g):
    x = g.of_rank(2)
    x = x if x.ndim == 2 else g.xp.reshape(x, (x.shape[0], -1))
    return g.xp.tanh(g._pick([lambda: x @ x.T, lambda: x.T @ x, lambda: x.T @ (x * 0.5), lambda: x @ g.xp.flip(x).T])())


def gather(g):
    x = g.of_rank(1)
    axis = int(g.draw.integers(x.ndim))
    extent = x.shape[axis]
    indices = g.xp.asarray(g.draw.integers(-extent, extent, 5))
    return g.xp.take(x, indices, axis=axis)


def scatter(g):
    x = g.of_rank(1)
    axis = int(g.draw.integers(x.ndim))
    shape = (*x.shape[:axis], 4, *x.shape[axis + 1 :])
    indices = g.xp.asarray(g.draw.integers(-4, 4, x.shape[axis]))
    return g.xp.tanh(g.xp.scatter_add(x, indices, shape, axis))


def surround(g):
    x = g.of_rank(1)
    step = int(g.draw.integers(1, 3))
    shape = tuple(2 + step * extent for extent in x.shape)
    return g.xp.place(x, shape, (1,) * x.ndim, (step,) * x.ndim)


def accumulate(g):
    x = g.of_rank(1)
    return g.xp.tanh(g.xp.cumulative_sum(x, axis=int(g.draw.integers(x.ndim))))


STEPS = [
    *[unary] * 4,
    *[binary] * 8,
    *[neutral] * 2,
    *[select] * 2,
    *[flip, reorder, cut, reshape, repeat] * 2,
    *[reduce, normalise, join] * 2,
    *[chosen_flags, product, gather, scatter, surround, accumulate],
]
