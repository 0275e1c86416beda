"""What an initialiser is, and where its random numbers come from."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnkit.arguments import KnownArguments
from nnkit.hyperparameters import check_count, config_of

Shape = tuple[int, ...]
Values = NDArray[np.float64]


class Initializer(KnownArguments, ABC):
    """Initial values as a function of shape and random generator, in float64 on the host: every device starts equal.

    Subclasses are frozen dataclasses whose fields are the hyper-parameters.
    """

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, shape: Shape, rng: np.random.Generator) -> Values:
        """Values of ``shape``, float64."""

    def config(self) -> dict[str, Any]:
        """The initialiser as plain data for JSON; ``initializers.from_config`` reads it back."""
        return config_of(self)


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs and outputs a weight of ``shape`` joins: the last axis is out, the product of the others in.

    >>> fans((784, 128)), fans((3, 3, 16, 32)), fans((10,))
    ((784, 128), (144, 32), (1, 10))
    """
    return prod(shape[:-1]), prod(shape[-1:])


def generator(seed: int, path: str) -> np.random.Generator:
    """The random numbers for the leaf at ``path``, a function of (seed, path) alone.

    So that adding a layer changes the values of no other. The same on every platform.

    >>> generator(0, "layers.0.weight").integers(1000, size=3)
    array([631, 220, 203])
    """
    check_count("generator", "seed", seed, at_least=0)
    digest = np.frombuffer(hashlib.sha256(path.encode()).digest(), dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([int(seed), *map(int, digest)])))
