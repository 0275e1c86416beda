"""The contract between the engine and a device, and the selector from a device's name to its backend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import numpy as np

from nnkit.errors import ArgumentError, DeviceError, ShapeError
from nnkit.plan import Plan, Target

GROUP = "nnkit.backends"
AUTO = "auto"
HINTS = {"cuda": "it takes an NVIDIA GPU, CuPy (pip install 'nnkit[cuda12]' or 'nnkit[cuda13]'); else use device='cpu'"}


class NoNativeFormError(Exception):
    """A plan that cannot become native code; the text says what stands in the way. Its plain form runs instead."""


class Leaf(NamedTuple):
    """One named lasting value: a role (parameter, moment, state, counter, metric, setting), shape and data type."""

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str


class Store(Protocol):
    """All lasting values of a network on its device, in aligned flat segments, one for each role and data type.

    Programs borrow it; nothing rebinds an array. What ``read`` gives are copies.
    """

    def allocate(self, leaves: Iterable[Leaf]) -> None:
        """Add leaves, zero-filled. All leaves of one role are given at once; the role's former leaves are dropped."""

    def drop(self, role: str) -> None:
        """Let go of the leaves of a role."""

    def leaves(self) -> tuple[Leaf, ...]:
        """All leaves in the order in which they were allocated."""

    def array(self, name: str) -> Any:
        """The device array of a leaf, or of a whole segment by its role (``parameters`` and so on)."""

    def write(self, values: Mapping[str, Any]) -> None:
        """Copy host values into leaves; shapes must match."""

    def read(self, names: Iterable[str]) -> dict[str, Any]:
        """Host copies of leaves, or of whole segments by their roles; the only synchronisation."""

    def part(self, name: str, where: Any) -> Any:
        """A host copy of the part of a leaf at these indices, which lies in one piece."""

    def nbytes(self) -> int:
        """Bytes of all segments."""


class LeafTable(ABC):
    """What every store knows of its leaves: their roles in order, and which of them there are."""

    def __init__(self) -> None:
        self._roles: dict[str, tuple[Leaf, ...]] = {}
        self._known: dict[str, Leaf] = {}

    def drop(self, role: str) -> None:
        """Let go of the leaves of a role."""
        for leaf in self._roles.pop(role, ()):
            del self._known[leaf.name]
        self._lay_out(role, ())

    @abstractmethod
    def _lay_out(self, role: str, leaves: tuple[Leaf, ...]) -> None:
        """Make the zero-filled segments of a role, in the place of its former ones."""

    def allocate(self, leaves: Iterable[Leaf]) -> None:
        """Add leaves, zero-filled; all leaves of one role are given at once and replace the role's former ones."""
        for role, group in groupby(leaves, key=lambda leaf: leaf.role):
            found = tuple(group)
            self.drop(role)
            self._lay_out(role, found)  # which may find no memory: then the role has no leaves
            self._roles[role] = found
            self._known |= {leaf.name: leaf for leaf in found}

    def leaves(self) -> tuple[Leaf, ...]:
        """All leaves, role by role."""
        return tuple(leaf for group in self._roles.values() for leaf in group)

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Host values as arrays, once every name and shape is right."""
        arrays = {name: np.asarray(value) for name, value in values.items()}
        for name, value in arrays.items():
            if name not in self._known:
                raise ArgumentError(f"there is no leaf '{name}'; there are: {', '.join(self._known)}")
            if value.shape != self._known[name].shape:
                raise ShapeError(f"leaf '{name}' has shape {self._known[name].shape}, got {value.shape}")
        return arrays


class Program(Protocol):
    """An executable with its buffers, bound to a store and to data."""

    def run(self, steps: int) -> int:
        """Run so many steps; returns how many ran before the guard refused one (all, if none was refused)."""

    def feed(self, name: str, array: Any) -> None:
        """From the next step on this host array is the data of that name, in the shape and type of what was bound.

        Where the device is the host it may be read where it is; else what was bound is overwritten.
        """

    def read(self, names: Iterable[str]) -> dict[str, Any]:
        """Host copies of outputs that are not states, as the last step left them."""

    def memory(self) -> int:
        """Bytes of the program's own buffers."""

    def started(self) -> Mapping[str, Any]:
        """How the device is told to run a step, for the record; nothing where the host runs it itself."""

    def step_seconds(self, rounds: int) -> Sequence[float]:
        """Seconds of each step of the plan over so many rounds, of which the first warm up.

        Those of a native program are parts of whole steps.
        """


class Executable(Protocol):
    """Compiled code without buffers; cached by the plan's fingerprint."""

    def bind(self, store: Store, data: Mapping[str, Any]) -> Program:
        """A program on these values. ``data`` maps names of data inputs to device arrays."""


class Hardware(NamedTuple):
    """What a device is, as far as it says so."""

    pci_bus_id: str | None = None
    """Which one of the machine it is, such as ``"0000:3b:00.0"``; its number does not say, for it can be changed."""
    memory_bytes: int | None = None
    """All of its own memory; None where it computes in the host's."""
    compute_capability: str | None = None


class Share(NamedTuple):
    """What this process takes of a device with memory of its own."""

    memory_bytes: int
    """Of the arrays that are there now."""
    copied_bytes: int
    """Copied there from the host's arrays so far, and the seconds that the host waited for it: none for what is copied
    while steps run."""
    copied_s: float


class Mark(Protocol):
    """A point in the order of what a device does."""

    def wait(self) -> None:
        """The host waits until the device has come to it."""


class Inlet(Protocol):
    """A way into the memory of a device on which copies go while steps run. Copies keep their order, as steps do."""

    def zeros(self, shape: Sequence[int], dtype: str) -> Any:
        """A device array of zeros."""

    def pinned(self, shape: Sequence[int], dtype: str) -> Any:
        """A host array that copies can leave at full speed, with any content."""

    def mark(self) -> Mark:
        """The point after all steps so far."""

    def send(self, pairs: Sequence[tuple[Any, Any]], after: Mark) -> Mark:
        """Begin to copy from pinned arrays: (device array, host array of its shape and type). The host does not wait.

        The copies wait for the mark ``after``; what is given back is the point after them, until which the host must
        leave its arrays as they are. Any thread may call it.
        """

    def hold(self, mark: Mark) -> None:
        """What steps start from now on waits for this mark of copies; the host does not."""


class Backend(Protocol):
    """A device."""

    name: str

    def target(self) -> Target:
        """What the planner needs to know."""

    def native_target(self) -> Target | None:
        """The device as natively compiled plans see it; None if it has one form of program only."""

    def calibrate(self) -> Mapping[str, Target]:
        """Measure the device's rates, keep them for later processes, and give the targets that they make, by form."""

    def compile_s(self, plan: Plan) -> float:
        """Predicted seconds to compile a native plan, as if nothing were cached."""

    def new_store(self) -> Store:
        """An empty store."""

    def compile(self, plan: Plan) -> Executable:
        """Code for a plan; ``NoNativeFormError`` if it was made for the native target and has no such form."""

    def free_bytes(self) -> int | None:
        """Memory that is free on the device now; None where it does not say."""

    def hardware(self) -> Hardware:
        """What the device is."""

    def share(self) -> Share | None:
        """What this process takes of the device; None where that is the host's memory. May be asked by any thread."""

    def to_device(self, array: Any) -> Any:
        """A device array of a host array: shared where the device is the host, else a copy."""

    def overwrite(self, target: Any, source: Any) -> None:
        """Copy a host array into a device array of the same shape."""

    def inlet(self) -> Inlet | None:
        """How data come that the device has no room for; None where it shares the memory of the host."""


def select(device: str) -> Backend:
    """The backend of a device's name, such as ``"cpu"`` or ``"cuda:1"``, found among the installed entry points.

    ``"auto"`` is the GPU if one can be used, and else the processor; the backend's ``name`` says which.
    """
    if not isinstance(device, str) or not device:
        raise ArgumentError(f"device must be a name such as 'cpu' or 'cuda', got {device!r}")
    name = device.strip().lower().replace("gpu", "cuda")
    return _automatic() if name == AUTO else _select(name)


def _automatic() -> Backend:
    try:
        return _select("cuda")
    except Exception:  # a broken installation raises what it likes, and nobody asked for a GPU
        return _select("cpu")


@cache
def _select(device: str) -> Backend:
    kind, _, number = device.partition(":")
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if kind not in found:
        hint = HINTS.get(kind, f"installed devices: {', '.join(sorted(found)) or 'none; reinstall nnkit'}")
        raise DeviceError(f"there is no backend for device '{device}' here: {hint}")
    backend: Backend = found[kind].load()(number)
    return backend
