"""Files that are on no list: the fuzzer found what they do to the library, or to an earlier loader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nnkit
from nnkit.nn import Dense
from tests.checkpoint.hostile.case import Case
from tests.checkpoint.raw import sealed, spans

NUMBER = 61
HEAP, TREE = b"FRHP", b"BTHD"


def _with(signature: bytes, place: int, value: bytes) -> Callable[[Path], None]:
    """A network with more layers than fit into the header of a group, and the index of their names changed."""

    def make(path: Path) -> None:
        nnkit.Sequential([Dense(2) for _ in range(12)], input_shape=(3,)).save(path)
        data = path.read_bytes()
        start = data.index(signature) + place
        path.write_bytes(sealed(data[:start] + value + data[start + len(value) :], spans(data)))

    return make


BLOCKS = (
    r"the file keeps names or attributes in .* rows of .* blocks of up to .* bytes; 64, 256 and 1,048,576 are the most"
)
CASES = [
    Case(NUMBER, "a heap in blocks of 4 GB", _with(HEAP, 112, (2**32).to_bytes(8, "little")), BLOCKS),
    Case(NUMBER, "a heap that may have blocks of 4 GB", _with(HEAP, 120, (2**32).to_bytes(8, "little")), BLOCKS),
    Case(NUMBER, "a heap with rows of 65,535 blocks", _with(HEAP, 110, b"\xff\xff"), BLOCKS),
    Case(NUMBER, "a heap of 65,535 rows", _with(HEAP, 140, b"\xff\xff"), BLOCKS),
    Case(NUMBER, "a packed heap", _with(HEAP, 7, b"\x08\0"), "the file has packed names or attributes"),
    Case(
        NUMBER, "a tree in nodes of 2 GB", _with(TREE, 9, b"\x80"), "the file has an index in nodes of 2,147,484,160 by"
    ),
    Case(NUMBER, "a heap without blocks", _with(HEAP, 110, b"\0\0"), "each of these is a power of two, in this order"),
    Case(NUMBER, "a heap of odd blocks", _with(HEAP, 112, b"\3"), "each of these is a power of two, in this order"),
    # It took such a tree for one of names.
    *(
        Case(
            NUMBER, f"a tree of kind {kind}", _with(TREE, 5, bytes([kind])), "has an index of something else than names"
        )
        for kind in (0, 1, 4, 6, 7, 8, 9, 10, 11)
    ),
    # It divided by this.
    Case(NUMBER, "a tree of empty entries", _with(TREE, 10, b"\0\0"), "levels with entries of 0 bytes in nodes of 512"),
    Case(NUMBER, "a tree of large entries", _with(TREE, 10, b"\0\2"), "with entries of 512 bytes in nodes of 512; an"),
    Case(NUMBER, "a tree of 65,535 levels", _with(TREE, 12, b"\xff\xff"), "has an index of 65,535 levels"),
    # The library makes a table of so many names, and ended the process where it had only twelve.
    Case(NUMBER, "a tree of more names than it has", _with(TREE, 26, (28).to_bytes(8, "little")), "", loads=True),
    Case(NUMBER, "a tree of a million names", _with(TREE, 26, (10**6).to_bytes(8, "little")), "leads to more than the"),
    # It cannot close the file.
    Case(NUMBER, "a heap with an index that is not there", _with(HEAP, 22, b"\x10\0\0\0\0\0\0\0"), "", loads=None),
]
