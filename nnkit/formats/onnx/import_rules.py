"""Operators that are a layer, or a part of one, by themselves: what each is, from its constants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnkit.data.arrays import Array
from nnkit.formats.onnx.import_graph import Node
from nnkit.formats.onnx.import_pieces import Affine, Drop, Linear, Named, Norm, Piece, Slopes, spreads, uniform
from nnkit.nn import BatchNorm

Value = Callable[[str], Array | None]
"""The constant of a name; None for what follows from the input, and for no name."""
Shape = tuple[int, ...]
Rule = Callable[[Node, Shape, Value], list[Piece]]


def rule_of(node: Node) -> Rule | None:
    """The rule for a node, if it has one."""
    return _RULES.get(node.kind)


def _input(node: Node, place: int, value: Value, what: str, rank: int | None = None) -> Array:
    """An input that has to be a constant."""
    name = node.inputs[place] if place < len(node.inputs) else ""
    array = value(name)
    if array is None:
        reason = "is computed from the input of the network" if name else "is missing"
        raise ValueError(f"has {node.place}, whose {what} {reason}; nnkit's layers have constant values for it")
    if array.dtype.kind != "f" or not array.size or (rank is not None and array.ndim != rank):
        wanted = "numbers" if rank is None else f"numbers in {rank} {'axis' if rank == 1 else 'axes'}"
        raise ValueError(f"has {node.place}, whose {what} is {array.dtype}{list(array.shape)}; expected are {wanted}")
    return array


def _gemm(node: Node, shape: Shape, value: Value) -> list[Piece]:
    """alpha · A · B + beta · C, where B may be transposed and C is spread."""
    options = node.attributes
    if options.get("transA", 0):
        raise ValueError(f"has {node.place}, which transposes its rows (transA=1); export it without that")
    weight = _input(node, 1, value, "matrix B", rank=2)
    weight = weight.T if options.get("transB", 0) else weight
    if (alpha := options.get("alpha", 1.0)) != 1:
        weight = weight * weight.dtype.type(alpha)
    _check_width(node, weight, shape)
    if len(node.inputs) < 3 or not node.inputs[2]:
        return [Linear(weight, None, node.place)]
    bias, beta = _input(node, 2, value, "vector C"), options.get("beta", 1.0)
    return [Linear(weight, _bias(node, bias * bias.dtype.type(beta), weight.shape[1]), node.place)]


def _bias(node: Node, bias: Array, units: int) -> Array:
    if bias.ndim > 2 or bias.shape[-1:] not in ((), (1,), (units,)) or bias.size not in (1, units):
        raise ValueError(
            f"has {node.place}, whose vector C has shape {list(bias.shape)}; expected are {units} numbers, one for "
            "each column of its matrix, or one for all"
        )
    return np.broadcast_to(bias.ravel(), (units,))


def _matmul(node: Node, shape: Shape, value: Value) -> list[Piece]:
    weight = _input(node, 1, value, "right-hand matrix", rank=2)
    _check_width(node, weight, shape)
    return [Linear(weight, None, node.place)]


def _check_width(node: Node, weight: Array, shape: Shape) -> None:
    width = shape[-1] if len(shape) > 1 else 0
    if width != weight.shape[0]:
        raise ValueError(
            f"has {node.place}, whose matrix is for {weight.shape[0]:,} inputs, and rows of shape {list(shape[1:])} "
            "come in; export the network again"
        )


def _batch_norm(node: Node, shape: Shape, value: Value) -> list[Piece]:
    if node.attributes.get("training_mode", 0):
        raise ValueError(
            f"has {node.place}, which was exported for training (training_mode=1); export it for use: model.eval() "
            "before torch.onnx.export"
        )
    if len(shape) != 2:
        raise ValueError(
            f"has {node.place} for rows of shape {list(shape[1:])}, whose first axis it normalises, and nnkit "
            "normalises the last; flatten the rows before it"
        )
    names = ("weight", "bias", "mean", "variance")
    found = {name: _input(node, place + 1, value, name, rank=1) for place, name in enumerate(names)}
    eps, momentum = node.attributes.get("epsilon", 1e-5), 1 - node.attributes.get("momentum", 0.9)
    for name, array in found.items():
        if array.shape != shape[1:]:
            raise ValueError(f"has {node.place}, whose {name} has {array.size:,} numbers for {shape[1]:,} features")
    if eps <= 0 or (found["variance"] < 0).any():
        raise ValueError(f"has {node.place}, whose epsilon or variance is not positive; the file is damaged")
    momentum = round(momentum, 7) if 1e-7 < momentum <= 1 else 0.1
    return [Norm(BatchNorm(momentum, eps), found, node.place)]


def _prelu(node: Node, shape: Shape, value: Value) -> list[Piece]:
    slope = _input(node, 1, value, "slope")
    width = shape[-1] if len(shape) > 1 else 1
    if slope.size not in (1, width) or slope.shape[-1:] not in ((), (1,), (width,)):
        raise ValueError(
            f"has {node.place}, whose slope has shape {list(slope.shape)}; nnkit has one for each of the {width:,} "
            "features in the last axis, or one for all"
        )
    return [Slopes(slope.ravel())]


def _dropout(node: Node, shape: Shape, value: Value) -> list[Piece]:
    given = value(node.inputs[1]) if len(node.inputs) > 1 else None
    rate = float(node.attributes.get("ratio", 0.5) if given is None else given.item() if given.size == 1 else -1)
    if not 0 <= rate < 1:
        raise ValueError(f"has {node.place}, whose ratio is {rate:g}; it is at least 0 and below 1")
    return [Drop(rate)] if rate else []


def _scaler(node: Node, shape: Shape, value: Value) -> list[Piece]:
    """(x − offset) · scale, of scikit-learn's scalers."""
    scale = np.array(node.attributes.get("scale", (1.0,)), np.float64)
    offset = np.array(node.attributes.get("offset", (0.0,)), np.float64)
    for name, array in (("scale", scale), ("offset", offset)):
        if array.size not in (1, shape[-1]) or not np.isfinite(array).all():
            raise ValueError(f"has {node.place}, whose {name} has {array.size:,} numbers for {shape[-1]:,} columns")
    return [Affine(uniform(scale), uniform(-offset * scale), node.place)]


def affine(node: Node, shape: Shape, value: Value) -> list[Piece]:
    """Add, Sub, Mul, Div or Neg with one constant operand; nothing for anything else."""
    if node.kind == "Neg":
        return [Affine(np.array(-1.0), np.array(0.0), node.place)]
    constants = [value(name) for name in node.inputs]
    place = next((place for place, array in enumerate(constants) if array is not None), None)
    constant = None if place is None else constants[place]
    if constant is None or len(constants) != 2 or (node.kind == "Div" and place == 0):
        return []
    number = _for_a_row(node, constant.astype(np.float64), shape)
    one, none = np.array(1.0), np.array(0.0)
    if node.kind == "Div" and not number.all():
        raise ValueError(f"has {node.place}, which divides by zero; the file is damaged")
    if node.kind in ("Mul", "Div"):
        return [Affine(number if node.kind == "Mul" else 1 / number, none, node.place)]
    scale, shift = (one, number) if node.kind == "Add" else (one, -number) if place else (-one, number)
    return [Affine(scale, shift, node.place)]


def _for_a_row(node: Node, number: Array, shape: Shape) -> Array:
    """The part of a constant that each row meets: all rows have to meet the same."""
    if not spreads(number.shape, shape) or (number.ndim == len(shape) and number.shape[0] != 1):
        raise ValueError(
            f"has {node.place}, whose constant of shape {list(number.shape)} does not fit rows of shape "
            f"{list(shape[1:])}; it has to be the same for every row"
        )
    return uniform(number.reshape(number.shape[1:]) if number.ndim == len(shape) else number)


def hard_sigmoid(node: Node, shape: Shape, value: Value) -> list[Piece]:
    """a · x + b, kept between 0 and 1."""
    scale, shift = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    return [Affine(np.array(scale), np.array(shift), node.place), Named("hard_tanh", {"low": 0.0, "high": 1.0})]


_RULES: dict[str, Rule] = {
    "ai.onnx.ml.Scaler": _scaler,
    "BatchNormalization": _batch_norm,
    "Dropout": _dropout,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "PRelu": _prelu,
}
