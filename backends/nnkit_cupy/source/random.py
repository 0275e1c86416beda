"""Random bits: Threefry-2x32 (Salmon et al. 2011), the words that every device draws."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from nnkit.graph.ir import Node
from nnkit.graph.primitives.random import PARITY, ROTATIONS, ROUNDS
from nnkit.plan.look import Look, offset
from nnkit_cupy.source.pieces import Piece, elements


def random_bits(node: Node, out: Look, operands: list[Look], dtypes: Sequence[str]) -> list[Piece]:
    """Words 2i and 2i + 1 from the counter (i, step)."""
    count = prod(out.shape)
    low, high, step = (operand.at([]) for operand in operands)
    stream = node.options["stream"]
    body = [
        f"const uint32 k0 = {low} ^ {stream[0]}u, k1 = {high} ^ {stream[1]}u, k2 = k0 ^ k1 ^ {PARITY}u;",
        f"uint32 x0 = (uint32)i + k0, x1 = {step} + k1;",
    ]
    for turn in range(ROUNDS):
        d = ROTATIONS[turn % 8]
        body.append(f"x0 += x1; x1 = ((x1 << {d}) | (x1 >> {32 - d})) ^ x0;")
        if turn % 4 == 3:
            block = turn // 4 + 1
            body.append(f"x0 += k{block % 3}; x1 += k{(block + 1) % 3} + {block}u;")
    even, odd = (f"{out.buffer}[2 * i + {word} + {offset(out.offset)}]" for word in (0, 1))
    body += [f"{even} = x0;", f"if (2 * i + 1 < {count}) {odd} = x1;"]
    return [elements((count + 1) // 2, body)]
