"""The primitives that the standard lacks. On traced arrays they are recorded; on others their row evaluates them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, pi
from typing import Any

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from nnkit.graph.interpret import Eager
from nnkit.graph.primitives import PRIMITIVES
from nnkit.graph.tracing import TracedArray

Array = Any


def namespace(x: Array) -> Any:
    """The standard's namespace of an array: its trace's, or its library's.

    >>> import numpy as np
    >>> namespace(np.zeros(3)).__name__
    'array_api_compat.numpy'
    """
    return x.__array_namespace__() if isinstance(x, TracedArray) else array_namespace(x)


def _apply(operation: str, *operands: Array, **options: Any) -> Array:
    traced = [operand for operand in operands if isinstance(operand, TracedArray)]
    if traced:
        return traced[0].trace.record(operation, operands, **options)
    run = Eager(array_namespace(operands[0]), device_of(operands[0]))
    return PRIMITIVES[operation].evaluate(run, *operands, **options)


def erf(x: Array) -> Array:
    """Error function, (2/√π) ∫₀ˣ exp(−t²) dt, elementwise; shape and dtype of x.

    >>> import numpy as np
    >>> float(erf(np.asarray(6.0)))
    1.0
    """
    return _apply("erf", x)


def stop_gradient(x: Array) -> Array:
    """x itself; its derivative is zero."""
    return _apply("stop_gradient", x)


def scatter_add(x: Array, indices: Array, shape: tuple[int, ...], axis: int = 0) -> Array:
    """Zeros of ``shape`` to which slice i of x along ``axis`` is added at ``indices[i]``; equal indices add up.

    >>> import numpy as np
    >>> scatter_add(np.asarray([1.0, 2.0, 4.0]), np.asarray([0, 2, 2]), (3,))
    array([1., 0., 6.])
    """
    return _apply("scatter_add", x, indices, shape=tuple(shape), axis=axis)


def random_bits(seed: Sequence[Array], step: Array, stream: tuple[int, int], shape: tuple[int, ...]) -> Array:
    """32 random bits for each element, uint32, as a function of seed (two 0-d uint32), step (0-d uint32) and stream."""
    return _apply("random_bits", seed[0], seed[1], step, stream=tuple(stream), shape=tuple(shape))


def random_uniform(bits: Array, dtype: Any) -> Array:
    """Uniform numbers in [0, 1) from random bits: the upper 24 times 2⁻²⁴, or as many as ``dtype`` holds exactly."""
    xp = namespace(bits)
    digits = min(24, 1 - round(log2(xp.finfo(dtype).eps)))
    return xp.astype(bits >> (32 - digits), dtype) * 2.0**-digits


def random_normal(bits: Array, more: Array, dtype: Any) -> Array:
    """Normal numbers of mean 0 and variance 1, √(−2 log u) · cos(2π v), from two arrays of random bits of one shape.

    u, in (0, 1], and v, in [0, 1), are uniform numbers of 24 bits, exact in float32; the result is at most 5.8 in size.
    Box, Muller, "A note on the generation of random normal deviates", Annals of Mathematical Statistics 29, 1958.

    >>> import numpy as np
    >>> bits = np.random.default_rng(0).integers(2**32, size=(2, 10_000), dtype="uint32")
    >>> random_normal(bits[0], bits[1], np.float32).std().round(2)
    np.float32(1.0)
    """
    xp = namespace(bits)
    radius = xp.sqrt(xp.log(1.0 - random_uniform(bits, dtype)) * -2.0)
    return radius * xp.cos(random_uniform(more, dtype) * (2.0 * pi))
