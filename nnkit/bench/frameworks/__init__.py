"""The same step and the same prediction in each framework, as short as its users write them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, NamedTuple

from nnkit.bench.turns import Contestant

__all__ = ["FRAMEWORKS", "Framework", "installed"]

MODULES = "nnkit.bench.frameworks"


class Framework(NamedTuple):
    """A contestant by name: the module here, its mode, what it needs installed, and whether it predicts otherwise."""

    module: str
    mode: str
    packages: tuple[str, ...]
    predicts: bool = True
    """False where predictions are those of another row."""

    def step(self, **arguments: Any) -> Contestant:
        """A block of training steps."""
        return Contestant(f"{MODULES}.{self.module}", "step", {"mode": self.mode, **arguments})

    def predict(self, **arguments: Any) -> Contestant:
        """A block of predictions."""
        return Contestant(f"{MODULES}.{self.module}", "predict", {"mode": self.mode, **arguments})


FRAMEWORKS = {
    "nnkit": Framework("programs", "first", ()),
    "nnkit, not compiled": Framework("programs", "off", (), predicts=False),
    "PyTorch eager": Framework("pytorch", "eager", ("torch",)),
    "PyTorch, fused Adam": Framework("pytorch", "fused", ("torch",), predicts=False),
    "torch.compile": Framework("pytorch", "compile", ("torch",)),
    "JAX jit": Framework("jax_jit", "", ("jax",)),
    "Keras on JAX": Framework("keras_fit", "", ("keras", "jax")),
    "scikit-learn": Framework("sklearn_mlp", "", ("sklearn",)),
}


def installed(name: str) -> bool:
    """Whether what a framework needs is there."""
    return all(find_spec(package) is not None for package in FRAMEWORKS[name].packages)
