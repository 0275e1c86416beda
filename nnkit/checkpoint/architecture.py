"""What a network is, as the JSON text in its file: everything but the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from nnkit.checkpoint.modules import description
from nnkit.data import Preprocessing

if TYPE_CHECKING:
    from nnkit.network import Network

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Architecture:
    """Input shape, data type, seed, description of the module, names of the classes, and what is done to new rows."""

    input_shape: tuple[int, ...]
    dtype: str
    seed: int
    module: Mapping[str, Any]
    classes: tuple[str, ...] | None
    preprocessing: Preprocessing | None

    @classmethod
    def of(cls, network: Network) -> Architecture:
        """That of a network."""
        module = description(network.module, network._model.layout)
        return cls(network.input_shape, network.dtype, network.seed, module, network.classes, network.preprocessing)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {"preprocessing": None if self.preprocessing is None else self.preprocessing.to_dict()}

    @classmethod
    def from_dict(cls, found: Any) -> Architecture:
        """What ``to_dict`` gave, after JSON; ValueError says what is wrong with it."""
        check_keys(found, {field.name for field in fields(cls)})
        _check_shape(found["input_shape"])
        if found["dtype"] not in ("float32", "float64"):
            raise ValueError(f"has dtype {found['dtype']!r}; it can be 'float32' or 'float64'")
        if type(found["seed"]) is not int or not 0 <= found["seed"] < 2**64:
            raise ValueError(f"has seed {found['seed']!r}; it is a whole number from 0 to 2⁶⁴ − 1")
        if not isinstance(found["module"], dict):
            raise ValueError(f"has module {_short(found['module'])}; it is an object")
        _check_names("classes", found["classes"])
        kept = None if found["preprocessing"] is None else Preprocessing.from_dict(found["preprocessing"])
        if kept is not None:
            _check_columns(kept, tuple(found["input_shape"]))
        typed = {
            "input_shape": tuple(found["input_shape"]),
            "classes": None if found["classes"] is None else tuple(found["classes"]),
            "preprocessing": kept,
        }
        return cls(**found | typed)


def check_keys(found: Any, known: set[str]) -> None:
    """Refuse what is not an object with exactly these entries."""
    if not isinstance(found, dict):
        raise ValueError(f"is {_short(found)}, not an object with the entries {', '.join(sorted(known))}")
    if missing := sorted(known - found.keys()):
        raise ValueError(f"lacks {', '.join(missing)}")
    if unknown := sorted(found.keys() - known):
        raise ValueError(f"has the unknown {_short(', '.join(unknown))}; known: {', '.join(sorted(known))}")


def _check_shape(shape: Any) -> None:
    fine = isinstance(shape, list) and len(shape) <= 32
    if not fine or not all(type(size) is int and 1 <= size <= LARGEST for size in shape):
        raise ValueError(f"has input_shape {_short(shape)}; it is a list of whole numbers from 1")


def _check_columns(kept: Preprocessing, shape: tuple[int, ...]) -> None:
    """A scaling and names of columns are for rows that are one column after another, and for as many."""
    lengths = {
        "features": None if kept.features is None else len(kept.features),
        "columns in the scaling": None if kept.scaling is None else len(kept.scaling.mean),
    }
    for entry, length in lengths.items():
        if length is not None and shape != (length,):
            raise ValueError(f"has {length:,} {entry}, and input_shape is {list(shape)}")


def _check_names(entry: str, names: Any) -> None:
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError(f"has {entry} {_short(names)}; it is a list of names, or null")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
