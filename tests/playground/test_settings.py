import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnkit.playground.settings import DIGITS, PLANE, RULES, Settings, usual


def test_what_may_be_is_taken_as_it_is():
    wanted = {"data": "spiral", "noise": 10, "hidden": [8, 8, 8], "optimizer": "adam", "rate": 0.003, "batch": 32.0}
    found, notes = Settings().changed(wanted)
    assert notes == []
    assert (found.data, found.noise, found.hidden, found.batch) == ("spiral", 10.0, (8, 8, 8), 32)
    assert type(found.batch) is int
    assert found.activations == ("tanh", "tanh", "tanh")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("noise", 70, "noise is 70, expected a number from 0 to 50; it stays 0"),
        ("noise", True, "noise is True, expected a number from 0 to 50; it stays 0"),
        ("noise", float("nan"), "noise is nan, expected a number from 0 to 50; it stays 0"),
        ("rate", 0, "rate is 0, expected a number above 0 and up to 100; it stays 0.03"),
        ("batch", 2.5, "batch is 2.5, expected a whole number from 1 to 1,024; it stays 10"),
        ("optimizer", "rmsprob", "did you mean 'rmsprop'?; it stays sgd"),
        ("hidden", "8", "hidden is '8', expected a list of 0 to 6 values; it stays [4, 2]"),
        ("hidden", [8] * 7, "expected a list of 0 to 6 values; it stays [4, 2]"),
        ("hidden", [8, 0], "hidden has at place 2 what is 0, expected a whole number from 1 to 1,024; it stays [4, 2]"),
        ("hidden", [8, 64], "hidden has 64 neurons in a layer, 32 are the most here"),
        ("activations", ["glu"], "activations has at place 1 what is 'glu', expected one of"),
        ("features", ["x1", "x1"], "features is ['x1', 'x1'], where one value stands twice; it stays ['x1', 'x2']"),
        ("features", ["x" * 100], "expected text of at most 80 characters; it stays ['x1', 'x2']"),
        ("device", "tpu", "device is 'tpu', expected one of cpu"),
        ("data", "mnist", "data is 'mnist', which is not in the tab 'plane'; it is 'circle'"),
        ("wings", 2, "there is no setting 'wings'"),
        ("<script>" * 50, 2, "there is no setting '<script>"),
    ],
)
def test_what_may_not_be_stays_and_is_said(name, value, said):
    found, (note,) = Settings().changed({name: value})
    assert said in note
    assert len(note) < 700
    assert replace(found, hidden=(4, 2), activations=("tanh", "tanh")) == Settings()


def test_layers_have_as_many_activations_as_there_are():
    found, notes = Settings().changed({"hidden": [3, 3, 3], "activations": ["relu", "tanh"]})
    assert found.activations == ("relu", "tanh", "tanh")
    assert notes == ["activations has 2 names for 3 hidden layers; the last one goes on"]
    assert found.changed({"hidden": [3]})[0].activations == ("relu",)
    assert found.changed({"hidden": []})[0].activations == ()


def test_another_tab_has_its_own_usual_settings():
    digits, notes = Settings(seed=5).changed({"tab": DIGITS, "hidden": [500]})
    assert notes == []
    assert digits == replace(usual(DIGITS), hidden=(500,), seed=5)
    assert digits.changed({"tab": PLANE}) == (Settings(seed=5), [])


def test_the_data_say_what_the_problem_is():
    plane = Settings().changed({"data": "plane"})[0]
    assert plane.problem == "regression"
    assert plane.changed({"data": "xor"})[0].problem == "classification"
    assert plane.changed({"data": "drawn"})[0].problem == "regression"
    assert plane.changed({"data": "xor", "problem": "regression"})[0].problem == "classification"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.sampled_from(sorted(RULES)) | st.text(max_size=20), ANYTHING, max_size=8))
def test_nonsense_never_breaks_it_and_what_comes_out_can_be_put_in_again(wanted):
    found, _ = Settings().changed(wanted)
    again, notes = Settings().changed(json.loads(json.dumps(found.to_dict())))
    assert (again, notes) == (found, [])


def test_every_setting_of_a_page_survives_its_address():
    draw = random.Random(0)
    for _ in range(50):
        wanted = {
            "data": draw.choice(["circle", "xor", "gauss", "spiral", "moons", "plane", "multi-gauss", "drawn"]),
            "noise": draw.randrange(51),
            "hidden": [draw.randrange(1, 33) for _ in range(draw.randrange(7))],
            "rate": draw.choice([0.001, 0.3, 10]),
            "optimizer": draw.choice(["sgd", "adam", "muon"]),
            "stop": draw.choice(["never", "test loss"]),
        }
        found, notes = Settings().changed(wanted)
        assert notes == []
        assert Settings().changed(found.to_dict()) == (found, [])


def test_each_way_to_stop_has_a_goal_of_its_own():
    found, notes = Settings().changed({"stop": "accuracy"})
    assert (found.goal, notes) == (95, [])
    assert found.changed({"stop": "epoch"})[0].goal == 100
    assert found.changed({"stop": "epoch", "goal": 7})[0].goal == 7
    found, notes = found.changed({"goal": 150})
    assert (found.goal, notes) == (95, ["goal is 150, and accuracies are up to 100 %; it is 95"])
