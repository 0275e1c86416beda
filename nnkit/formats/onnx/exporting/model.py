"""The file of a network: its graph written as nodes, what is done to rows before it, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nnkit._version import __version__
from nnkit.errors import DataError
from nnkit.formats.onnx.exporting.operators import FORMS, Operand
from nnkit.formats.onnx.exporting.recognise import Found, Recogniser
from nnkit.formats.onnx.exporting.rows import Extent, Lines, for_any_rows
from nnkit.formats.onnx.exporting.spelled import spelled_out
from nnkit.formats.onnx.exporting.writer import INPUT, OUTPUT, Writer
from nnkit.graph import Graph
from nnkit.training.graphs import BATCH, leafwise_graph

if TYPE_CHECKING:
    from nnkit.network import Network

Array = npt.NDArray[Any]
ROWS = "batch"


def model_of(network: Network, onnx: Any, opset: int) -> Any:
    """The network as a ``ModelProto``."""
    helper = onnx.helper
    lines = for_any_rows(_traced(network))
    leaves = _leaves(network)
    writer = Writer(onnx, opset, set(leaves))
    rows = _standardised(writer, network)
    write(writer, lines, lambda name: rows if name == BATCH else _kept(writer, name, leaves[name]))
    graph = helper.make_graph(
        writer.nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, writer.type_of(network.dtype), [ROWS, *network.input_shape])],
        [_output(writer, helper, lines)],
        initializer=writer.initializers,
    )
    versions = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        graph,
        producer_name="nnkit",
        producer_version=__version__,
        opset_imports=versions,
        ir_version=helper.find_min_ir_version_for(versions),
    )
    helper.set_model_props(model, _known(network))
    return model


def _traced(network: Network) -> Callable[[int], Graph]:
    """The prediction of so many rows."""
    return lambda rows: spelled_out(leafwise_graph(network._model.layout, network.module, rows))


def _leaves(network: Network) -> dict[str, Array]:
    values: dict[str, Array] = network._model.values()
    for path, value in values.items():
        if not np.isfinite(value).all():
            raise DataError(
                f"export: '{path}' holds NaN or infinity; train again with a smaller learning rate before exporting"
            )
    return values


def _kept(writer: Writer, path: str, value: Array) -> str:
    """A leaf, named by its path; only the names of the file's own input and output are taken."""
    return writer.values(writer.name(path) if path in (INPUT, OUTPUT) else path, value)


def _standardised(writer: Writer, network: Network) -> str:
    """The rows as the network takes them, from rows as they were measured; in float64, as ``predict`` does it."""
    scaling = None if network.preprocessing is None else network.preprocessing.scaling
    if scaling is None:
        return INPUT
    where = "preprocessing.scaling"
    name = INPUT if network.dtype == "float64" else writer.cast(INPUT, "float64", where)
    for operation, part, figures in (("Sub", "mean", scaling.mean), ("Div", "scale", scaling.scale)):
        kept = writer.values(writer.name(f"{where}.{part}"), np.asarray(figures, dtype="float64"))
        name = writer.node(operation, name, kept, where=where)
    return name if network.dtype == "float64" else writer.cast(name, network.dtype, where)


def write(writer: Writer, lines: Lines, input_named: Callable[[str], str]) -> None:
    """The nodes that the output needs, in the order of the graph; its inputs by their names there."""
    found = _plan(lines, Recogniser(lines, writer.opset))
    names: dict[int, str] = {}
    for position in sorted(found):
        line, whole = lines.lines[position], found[position]
        if line.node.operation == "input":
            names[position] = input_named(line.options["name"])
            continue
        read = line.node.inputs if whole is None else whole.inputs
        operands = [Operand(names[i], lines.lines[i]) for i in read]
        form = FORMS[line.node.operation] if whole is None else whole.write
        names[position] = form(writer, line, operands)
    writer.finish(names[lines.output])


def _plan(lines: Lines, recogniser: Recogniser) -> dict[int, Found | None]:
    """What is written for each position that is read; None for the primitive that stands there."""
    plan: dict[int, Found | None] = {lines.output: None}
    for position in range(lines.output, -1, -1):
        if position in plan:
            found = plan[position] = recogniser.at(position)
            read = lines.lines[position].node.inputs if found is None else found.inputs
            plan.update((i, None) for i in read)
    return plan


def _output(writer: Writer, helper: Any, lines: Lines) -> Any:
    line = lines.lines[lines.output]
    shape = [ROWS if isinstance(size, Extent) else size for size in line.shape]
    return helper.make_tensor_value_info(OUTPUT, writer.type_of(line.node.dtype), shape)


def _known(network: Network) -> dict[str, str]:
    """What the file says of the network beside its nodes."""
    kept = network.preprocessing
    known = {
        "classes": network.classes and list(network.classes),
        "features": kept and kept.features and list(kept.features),
    }
    texts = {name: json.dumps(value) for name, value in known.items() if value}
    return texts | ({"target": json.dumps(kept.target)} if kept is not None and kept.target else {})
