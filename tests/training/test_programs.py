"""An epoch: whole batches by one program and the smaller one that is left by another, on the same store."""

from __future__ import annotations

import numpy as np
import pytest

import nnkit
from nnkit.optimizers import SGD, Adam
from nnkit.training.compiling import Compiler
from nnkit.training.data import Rows
from nnkit.training.graphs import evaluation_graph, prediction_graph, scoring_graph, training_graph
from nnkit.training.layout import Layout, counters, metrics, moments, settings
from nnkit.training.model import KEPT, Model
from nnkit.training.objective import objective
from nnkit.training.programs import Epoch, Walk


def model_of(module=None, optimizer=None):
    module = module or nnkit.nn.Sequential([nnkit.nn.Dense(5, "tanh"), nnkit.nn.Dense(3, "softmax", l2=0.01)])
    model = Model(module, Layout.of(module, (4,), "float64"), "cpu", seed=1)
    model.draw()
    optimizer = (optimizer or SGD(0.1)).resolved(10)
    numbers = {f"setting.optimizer.{name}": value for name, value in optimizer.settings().items()}
    for leaves in (counters(), metrics(), settings(numbers, "float64"), moments(optimizer, model.layout)):
        model.store.allocate(leaves)
    model.store.write(numbers)
    return model, optimizer, objective(module, "auto")


def rows_of(count, weighted=False):
    draw = np.random.default_rng(2)
    weight = draw.uniform(0.0, 2.0, count) if weighted else None
    return Rows(draw.normal(size=(count, 4)), draw.integers(0, 3, count).astype("int32"), weight, np.arange(count))


def training(model, optimizer, goal, rows, batch):
    weighted = rows.weight is not None
    build = lambda size: training_graph(model.layout, goal, optimizer, ((), "int32"), size, weighted)  # noqa: E731
    return Epoch(Walk(Compiler(model, "off"), rows, batch, ("train", weighted), build, 1))


@pytest.mark.parametrize(
    ("count", "batch", "steps"), [(12, 4, 3), (13, 4, 4), (3, 4, 1), (1, 1, 1), (5, 1, 5), (4, 4, 1)]
)
def test_an_epoch_uses_every_row_once(count, batch, steps):
    model, optimizer, goal = model_of()
    epoch = training(model, optimizer, goal, rows_of(count), batch)
    epoch.start()
    assert epoch.steps == steps
    done = 0
    while not epoch.finished:
        wanted = epoch.ahead(100)
        assert epoch.run(100) == wanted
        done += wanted
    assert done == steps
    state = model.store.read(["counter.cursor", "counter.step", "counter.update", "metric.weight"])
    assert {name: float(value) for name, value in state.items()} == {
        "counter.cursor": count,
        "counter.step": steps,
        "counter.update": steps,
        "metric.weight": count,
    }


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.05)])
@pytest.mark.parametrize("weighted", [False, True])
def test_pieces_of_any_length_give_the_same(optimizer, weighted):
    ends = []
    for pieces in ([100], [1] * 20, [2, 3, 100]):
        model, resolved, goal = model_of(optimizer=optimizer)
        epoch = training(model, resolved, goal, rows_of(22, weighted), 4)
        for _ in range(2):
            epoch.start(np.arange(22)[::-1])
            for piece in pieces:
                if not epoch.finished:
                    epoch.run(piece)
            while not epoch.finished:
                epoch.run(100)
        ends.append((model.values(), epoch.metrics(1)))
    for values, measured in ends[1:]:
        assert measured == ends[0][1]
        assert all((values[path] == ends[0][0][path]).all() for path in values)


def test_means_are_weighted_by_rows_and_the_loss_has_its_penalties():
    model, optimizer, goal = model_of(optimizer=SGD(0.0))
    rows = rows_of(11)
    epoch = training(model, optimizer, goal, rows, 4)
    epoch.start()
    while not epoch.finished:
        epoch.run(9)
    net = nnkit.Network(model.module, (4,), dtype="float64", seed=1)
    scores = net.test(rows.x, rows.y)
    assert epoch.metrics(1)["loss"] == pytest.approx(scores.loss, rel=1e-13)
    assert epoch.metrics(1)["accuracy"] == scores.accuracy
    penalty = 0.01 * np.sum(net.parameters()["layers.1.weight"] ** 2)
    bare = -np.mean(np.log(net.predict(rows.x)[np.arange(11), rows.y]))
    assert scores.loss == pytest.approx(bare + penalty, rel=1e-12)
    assert "accuracy" not in epoch.metrics(None)


def test_before_the_first_step_there_is_no_mean():
    model, optimizer, goal = model_of()
    epoch = training(model, optimizer, goal, rows_of(5), 4)
    epoch.start()
    assert epoch.metrics(1) == {"loss": 0.0, "accuracy": 0.0}


def test_a_new_order_is_the_order_of_the_batches():
    rows, order = rows_of(8), np.asarray([3, 1, 7, 5, 0, 2, 4, 6])
    sorted_rows = Rows(rows.x[order], rows.y[order], None, np.arange(8))
    ends = []
    for given, start in ((rows, order), (sorted_rows, None), (rows, None)):
        model, optimizer, goal = model_of()
        epoch = training(model, optimizer, goal, given, 4)
        epoch.start(start)
        epoch.run(2)
        ends.append(model.values())
    assert all((ends[0][path] == ends[1][path]).all() for path in ends[0])
    assert not any((ends[0][path] == ends[2][path]).all() for path in ends[0])


def test_evaluation_changes_metrics_and_cursor_alone():
    model, _, goal = model_of()
    before = {leaf.name: model.store.array(leaf.name).copy() for leaf in model.store.leaves()}
    build = lambda size: evaluation_graph(model.layout, goal, ((), "int32"), size, False)  # noqa: E731
    epoch = Epoch(Walk(Compiler(model, "off"), rows_of(11), 4, ("evaluate",), build, 1))
    epoch.start()
    while not epoch.finished:
        epoch.run(5)
    changed = {name for name, value in before.items() if (model.store.array(name) != value).any()}
    assert changed <= {"metric.loss", "metric.weight", "metric.correct", "counter.cursor"}
    assert {"metric.loss", "counter.cursor"} <= changed


def test_states_of_modules_are_read_by_evaluation_and_written_by_training():
    module = nnkit.nn.Sequential([nnkit.nn.BatchNorm(), nnkit.nn.Dense(3, "softmax")])
    model, optimizer, goal = model_of(module)
    graph = training_graph(model.layout, goal, optimizer, ((), "int32"), 4, False)
    assert {"layers.0.mean", "layers.0.variance"} <= graph.output.keys() & graph.inputs.keys()
    for graph in (
        prediction_graph(model.layout, module, 4),
        scoring_graph(model.layout, goal, ((), "int32"), 4),
        evaluation_graph(model.layout, goal, ((), "int32"), 4, False),
    ):
        assert {"layers.0.mean", "layers.0.variance"} <= graph.inputs.keys()
        assert not {"layers.0.mean", "layers.0.variance", "parameter"} & graph.output.keys()


def test_hyper_parameters_are_settings_and_enter_no_plan():
    model, _, goal = model_of()
    rates = [Adam(0.1).resolved(5), Adam(0.2, (0.5, 0.9), 1e-3).resolved(5)]
    graphs = [training_graph(model.layout, goal, optimizer, ((), "int32"), 4, False) for optimizer in rates]
    assert graphs[0].fingerprint == graphs[1].fingerprint
    roles = {node.options["name"]: node.options["role"] for _, node in graphs[0] if node.operation == "input"}
    assert {name for name, role in roles.items() if role == "setting"} == {
        "setting.seed_low",
        "setting.seed_high",
        "setting.layers.1.weight.l2",
        *(f"setting.optimizer.{name}" for name in Adam().settings()),
    }


def test_plans_are_kept_by_key_up_to_a_number():
    model, _, _ = model_of()
    made = []

    def graph():
        made.append(1)
        return prediction_graph(model.layout, model.module, 2)

    first = model.planned(("a",), graph)
    assert model.planned(("a",), graph) is first
    assert len(made) == 1
    for number in range(KEPT):
        model.planned(("b", number), graph)
    assert model.planned(("a",), graph) is not first
