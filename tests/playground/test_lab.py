import numpy as np
import pytest

import nnkit
from nnkit.callbacks import Callback
from nnkit.playground.curve import MOST, Curve
from nnkit.playground.frames import CLASS, GRADIENTS, LARGE, MAPS, OUTPUT, PARAMETERS
from nnkit.playground.given import Given, subject_for
from nnkit.playground.lab import Lab
from nnkit.playground.maps import GRID, SMALL
from nnkit.playground.optimizer import optimizer_for
from nnkit.playground.settings import Settings
from nnkit.playground.strokes import strokes
from nnkit.playground.table import read_table


def lab(**wanted) -> Lab:
    settings, notes = Settings().changed(wanted)
    assert notes == []
    subject = subject_for(settings, Given())
    return Lab(subject.settled(settings), subject)


def changed(made: Lab, **wanted) -> Lab:
    settings, notes = made.settings.changed(wanted)
    assert notes == []
    subject = subject_for(settings, Given())
    return made.with_settings(subject.settled(settings), subject)


class Count(Callback):
    """Keeps a lab's count, as the pump does."""

    def __init__(self, made: Lab) -> None:
        self.made, self.before = made, made.step

    def end(self, training):
        self.made.step = self.before + training.step


def train(made: Lab, epochs: int = 3) -> None:
    assert made.fit(Count(made), epochs) is None


def test_it_trains_as_fit_does():
    made = lab(data="xor", hidden=[5], optimizer="adam", rate=0.01, seed=3)
    train(made)
    subject = made.subject
    net = nnkit.FeedForward(2, 1, hidden=[5], activation="tanh", output_activation="sigmoid", seed=3)
    net.fit(
        subject.x_train, subject.y_train, epochs=3, batch_size=10, optimizer=nnkit.optimizers.Adam(0.01), progress=False
    )
    for path, value in net.parameters().items():
        assert np.array_equal(made.network.parameters()[path], value)
    assert (made.step, made.epoch, made.steps_per_epoch) == (75, 3.0, 25)


def test_its_figures_are_those_of_test():
    made = lab(data="gauss", classes=4, noise=20, hidden=[6])
    train(made)
    figures = made.scored()
    for (x, y, labels), loss, score in zip(
        made.subject.scored_rows(True),
        (figures.train_loss, figures.test_loss),
        (figures.train_score, figures.test_score),
        strict=True,
    ):
        expected = made.network.test(x, y)
        assert (loss, score) == (expected.loss, expected.accuracy)
        assert np.array_equal(np.asarray(expected.confusion).sum(axis=1), np.bincount(labels, minlength=4))
    assert np.array_equal(figures.confusion, made.network.test(x, y).confusion)
    values = lab(data="plane", hidden=[6])
    train(values)
    x, y, _ = list(values.subject.scored_rows(True))[1]
    expected = values.network.test(x, y)
    assert values.scored().test_score == expected.r2
    assert values.scored().others == {"mae": expected.mae, "rmse": expected.rmse}
    for output, goal in (("sigmoid", (0, 1)), ("auto", (-1, 1))):
        rows = "".join(f"{row},{row % 7},{row * 2.5}\n" for row in range(40))
        given = Given(table=read_table(f"a,b,price\n{rows}".encode(), "prices.csv"))
        settings = Settings(data="table", output=output, loss="mean_squared_error")
        priced = Lab(settings, subject_for(settings, given))
        x, y, _ = list(priced.subject.scored_rows(True))[1]
        prices = 97.5 * (y[:, 0] - goal[0]) / (goal[1] - goal[0])
        guesses = 97.5 * (priced.network.predict(x)[:, 0] - goal[0]) / (goal[1] - goal[0])
        assert priced.scored().others["mae"] == pytest.approx(np.abs(prices - guesses).mean(), rel=1e-4)
        assert priced.scored().others["rmse"] == pytest.approx(np.sqrt(((prices - guesses) ** 2).mean()), rel=1e-4)


@pytest.mark.parametrize("step", [0, 3])
def test_dropout_before_the_first_step_is_as_if_it_had_been_there_from_the_start(step):
    made = lab(data="circle", hidden=[3, 2])
    made.step = step
    changed = made.with_settings(made.settings.changed({"dropout": 0.2})[0], made.subject)
    before, after = (list(each.network.parameters().values()) for each in (made, changed))
    fresh = list(lab(data="circle", hidden=[3, 2], dropout=0.2).network.parameters().values())
    for one, other in zip(after, before if step else fresh, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(before[-2], fresh[-2])  # with it, layers have other paths, and so other numbers


@pytest.mark.parametrize(
    ("output", "loss"), [("auto", "auto"), ("tanh", "auto"), ("softmax", "auto"), ("auto", "hinge")]
)
def test_sections_are_the_network_at_this_moment(output, loss):
    made = lab(data="circle", hidden=[3, 2], output=output, loss=loss, dropout=0.2)
    train(made, 1)
    made.subject.hovered = made.neuron([2, 1])
    sections = made.subject.sections(made)
    parameters = made.network.parameters()
    flat = np.concatenate([value.reshape(-1) for value in parameters.values()])
    assert np.array_equal(np.frombuffer(sections[PARAMETERS], "<f4"), flat)
    gradients = made.network.gradients(made.subject.x_train, made.subject.y_train, loss=made.subject.goal.loss)
    assert np.array_equal(
        np.frombuffer(sections[GRADIENTS], "<f4"), np.concatenate([value.reshape(-1) for value in gradients.values()])
    )
    grid = made.subject.plane.grid(GRID)
    shown = np.frombuffer(sections[OUTPUT], np.int8) / 127
    out = made.network.predict(made.subject.plane.features(grid, ("x1", "x2")))[:, -1]
    wanted = out if made.subject.goal.activation in ("tanh", "identity") else 2 * out - 1
    assert np.abs(shown - np.clip(wanted, -1, 1)).max() < 0.005
    assert np.frombuffer(sections[LARGE], "<u2", count=2).tolist() == [2, 1]
    outputs = made.subject.goal.outputs
    maps = np.frombuffer(sections[MAPS], np.int8).reshape(5 + outputs, SMALL, SMALL) / 127
    hidden = made.network.activations(made.subject.plane.features(grid, ("x1", "x2")))
    second = list(hidden.values())[2][:, 1].reshape(GRID, GRID)
    assert np.abs(maps[4] - second.reshape(SMALL, 2, SMALL, 2).mean(axis=(1, 3))).max() < 0.005
    assert np.abs(np.frombuffer(sections[LARGE], np.int8, offset=4).reshape(GRID, GRID) / 127 - second).max() < 0.005


def test_more_classes_have_a_map_of_the_likeliest():
    made = lab(data="spiral", classes=3, hidden=[4])
    sections = made.subject.sections(made)
    out = made.network.predict(made.subject.grid)
    assert np.array_equal(np.frombuffer(sections[CLASS], np.uint8), out.argmax(axis=1))
    assert np.abs(np.frombuffer(sections[OUTPUT], np.int8) / 127 - out.max(axis=1)).max() < 0.005


def test_what_is_still_right_stays():
    made = lab(data="xor", optimizer="adam", rate=0.01)
    train(made)
    slower = changed(made, rate=0.001)
    assert slower.network is made.network
    assert slower.optimizer is made.optimizer
    assert (slower.step, slower.curve) == (made.step, made.curve)
    other = changed(slower, optimizer="rmsprop")
    assert other.network is made.network
    assert other.optimizer == optimizer_for(other.settings)
    heavier = changed(other, penalty="l2", strength=0.01)
    assert heavier.network is not made.network
    assert all(np.array_equal(heavier.network.parameters()[p], v) for p, v in made.network.parameters().items())
    dropped = changed(heavier, dropout=0.25)
    assert dropped.settings.dropout == 0.25
    assert dropped.layers[2].weight == "layers.2.weight"
    for old, new in zip(made.network.parameters().values(), dropped.network.parameters().values(), strict=True):
        assert np.array_equal(old, new)
    halved = changed(heavier, batch=20)
    assert (halved.steps_per_epoch, halved.step, halved.epoch) == (13, 39, 3.0)
    for new in ({"noise": 5}, {"hidden": [4, 3]}, {"features": ["x1"]}, {"activations": ["relu", "relu"]}, {"seed": 1}):
        assert changed(made, **new).step == 0
    lossy = changed(made, loss="binary_focal")
    assert lossy.network is made.network
    assert lossy.step == made.step


def test_a_learning_rate_changes_without_losing_the_moments():
    first = lab(data="xor", optimizer="sgd", momentum=0.9, rate=0.01)
    train(first, 1)
    second = changed(first, rate=0.02)
    train(second, 1)
    # The same in one training whose rate changes on the way.
    whole = lab(data="xor", optimizer="sgd", momentum=0.9, rate=0.01)

    class Faster(Callback):
        def epoch(self, training):
            training.set(learning_rate=0.02)

    whole.fit(Faster(), 2)
    for path, value in whole.network.parameters().items():
        assert np.array_equal(second.network.parameters()[path], value)


def test_a_training_that_diverges_says_so_and_keeps_its_last_weights():
    made = lab(data="plane", hidden=[], rate=100, features=["x1^2", "x2^2"])
    ended = made.fit(Count(made), 100)
    assert ended is not None
    assert ended.why == "nan"
    assert "learning rate" in ended.reason
    assert all(np.isfinite(value).all() for value in made.network.parameters().values())


def test_points_that_are_drawn_join_a_network_that_learns():
    settings, _ = Settings().changed({"data": "drawn"})
    empty = subject_for(settings, Given())
    made = Lab(empty.settled(settings), empty)
    assert not empty.ready
    assert made.fit(Count(made)).reason == empty.summary
    assert np.isnan(made.scored().four).all()
    assert OUTPUT in empty.sections(made)
    points = [[1, 1, 0], [-1, -1, 1], [2, 2, 0], [-2, -2, 1]]
    some = subject_for(settings, Given(strokes(points)))
    made = made.with_settings(some.settled(settings), some)
    train(made)
    more = subject_for(settings, Given(strokes([*points, [3, 3, 0]])))
    assert made.with_settings(more.settled(settings), more).network is made.network
    third = subject_for(settings, Given(strokes([*points, [3, 3, 2]])))
    grown = made.with_settings(third.settled(settings), third)
    assert (grown.settings.classes, grown.layers[-1].size, grown.step) == (3, 3, 0)


def test_what_does_not_go_together_is_refused():
    settings, _ = Settings().changed({"output": "softmax", "loss": "hinge"})
    with pytest.raises(nnkit.NnkitError, match="hinge"):
        subject_for(settings, Given())
    settings, _ = Settings().changed({"data": "table"})
    with pytest.raises(ValueError, match="drop a CSV file"):
        subject_for(settings, Given())


@pytest.mark.parametrize(
    ("path", "index", "value", "said"),
    [
        ("layers.9.weight", [0, 0], 1.0, "there is no parameter 'layers.9.weight'"),
        ("layers.0.weight", [0], 1.0, r"layers.0.weight has the shape \[2, 4\], and no place \[0\]"),
        ("layers.0.weight", [0, -1], 1.0, "no place"),
        ("layers.0.weight", [0, 4], 1.0, "no place"),
        ("layers.0.weight", [0, 0], 1e300, "NaN, infinity, or a number beyond"),
    ],
)
def test_edits_that_cannot_be(path, index, value, said):
    made = lab()
    before = made.network.parameters()
    with pytest.raises((ValueError, nnkit.NnkitError), match=said):
        made.edit(path, index, value)
    assert all(np.array_equal(made.network.parameters()[name], array) for name, array in before.items())


def test_an_edit_changes_one_weight():
    made = lab()
    before = made.network.parameters()
    made.edit("layers.0.weight", [1, 3], 2.5)
    after = made.network.parameters()
    assert after["layers.0.weight"][1, 3] == 2.5
    assert sum((before[name] != after[name]).sum() for name in after) == 1


@pytest.mark.parametrize("place", [None, [0, 0], [4, 0], [1, 4], [1, -1], ["1", 0], [1], [True, 0]])
def test_neurons_that_are_not_there(place):
    with pytest.raises(ValueError, match="there is no neuron"):
        lab().neuron(place)


def test_goals():
    made = lab(stop="test loss", goal=0.5)
    figures = made.scored()
    assert made.reached(figures._replace(test_loss=0.6)) is None
    assert made.reached(figures._replace(test_loss=0.4)) == "the test loss is 0.4, below 0.5"
    assert made.reached(figures._replace(test_loss=float("nan"))) is None
    made = lab(stop="accuracy", goal=90)
    assert made.reached(figures._replace(test_score=0.95)) == "the accuracy of the test rows is 95.00%, above 90%"
    assert made.reached(figures._replace(test_score=0.9)) is None
    found = lab(stop="accuracy", goal=90, data="plane").reached(figures._replace(test_score=0.95))
    assert found == "the R² of the test rows is 95.00%, above 90%"
    made = lab(stop="epoch", goal=2)
    assert made.reached(figures) is None
    train(made, 2)
    assert made.reached(figures) == "2 epochs are done"


def test_the_plan_is_that_of_the_network():
    made = lab(hidden=[8], batch=16, optimizer="adam")
    plan = made.plan()
    expected = made.network.explain(16, "adam", "binary_cross_entropy").data
    assert plan["fingerprint"] == expected["fingerprint"]
    assert {step["phase"] for step in plan["steps"]} >= {"forward", "backward", "update"}
    assert changed(made, rate=0.5).planned_for == made.planned_for
    assert changed(made, batch=17).planned_for != made.planned_for


def test_a_curve_keeps_its_ends_and_its_shape():
    curve = Curve()
    for epoch in range(100_000):
        curve.add(epoch, 1 / (1 + epoch), 2 / (1 + epoch))
    assert MOST / 3 < len(curve.points) <= MOST
    assert curve.points[0] == (0, 1.0, 2.0)
    assert curve.points[-1][0] == 99_999
    epochs = [point[0] for point in curve.points]
    assert epochs == sorted(set(epochs))
    assert np.diff(epochs[:-1]).max() < 3 * np.median(np.diff(epochs))


def test_predictions_that_are_no_numbers_are_right_for_no_row(monkeypatch):
    made = lab(output="tanh")
    assert made.scored().test_score > 0
    monkeypatch.setattr(made.network, "predict", lambda x: np.full((len(x), 1), np.nan))
    assert made.scored().test_score == 0
