import base64
import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest

import nnkit
from nnkit.playground.frames import ACTIVATIONS, CONFUSION, FIGURES, GRADIENTS, LARGE, MAPS, PARAMETERS, Frame
from nnkit.playground.settings import Settings, usual
from tests.playground.talk import Talk, talk


def test_hello_is_answered_before_anything_is_told():
    made = Talk()
    try:
        answer = made.ask("hello", lane=0, settings={"noise": 99, "data": "spiral"}, device="cpu")
        assert answer["ok"]
        assert answer["settings"] == Settings(data="spiral").to_dict()
        assert answer["notes"] == ["noise is 99, expected a number from 0 to 50; it stays 0"]
        assert answer["choices"]["defaults"]["plane"] == Settings().to_dict()
        plan = made.event("plan")
        assert plan["total"]["kernels"] <= plan["naive"]["kernels"]
        assert [message.get("event") for message in made.messages[:3]] == [None, "state", "data"]
        first = made.frames[0]
        assert (first.lane, first.number, first.step) == (0, 1, 0)
    finally:
        assert made.end() == 0


def test_it_plays_until_it_is_paused_and_counts_its_steps(worker):
    assert worker.ask("play")["ok"]
    assert worker.event("running")["running"]
    worker.until(lambda: worker.frames[-1].step >= 100)
    assert worker.ask("pause")["ok"]
    last = worker.still()
    assert last.step % 25 == 0
    assert last.epoch == last.step / 25
    assert last.steps_per_s == 0
    steps = [frame.step for frame in worker.frames[-5:]]
    assert steps == sorted(steps)


def test_it_is_the_engine_that_trains(worker):
    """The weights after so many steps are those that fit makes."""
    for _ in range(3):
        worker.ask("step")
    last = worker.still()
    assert last.step == 75
    from nnkit.playground.given import Given, subject_for

    settings = Settings(data="xor", hidden=(4,), activations=("tanh",), seed=1)
    subject = subject_for(settings, Given())
    net = nnkit.FeedForward(2, 1, hidden=[4], activation="tanh", output_activation="sigmoid", seed=1)
    sgd = nnkit.optimizers.SGD(0.03)
    for _ in range(3):
        net.fit(subject.x_train, subject.y_train, epochs=1, batch_size=10, optimizer=sgd, progress=False)
    expected = np.concatenate([value.reshape(-1) for value in net.parameters().values()])
    assert np.allclose(np.frombuffer(last.sections[PARAMETERS], "<f4"), expected, rtol=1e-4, atol=1e-6)
    x, y, _ = list(subject.scored_rows(True))[1]
    assert last.figures[1] == pytest.approx(net.test(x, y).loss, rel=1e-4)


def test_one_step_is_one_update_where_the_speed_says_so(worker):
    worker.set(speed="step")
    worker.ask("step")
    assert worker.still().step == 1


def test_frames_wait_for_a_page_that_lags(worker):
    worker.seeing = False
    before = worker.frames[-1].number
    worker.ask("play")
    time.sleep(0.5)
    assert [frame.number - before for frame in worker.frames if frame.number > before] == [1, 2]
    worker.seeing = True
    worker.say(do="seen", frame=before + 2)
    worker.until(lambda: worker.frames[-1].number > before + 4)
    assert worker.frames[-1].step > worker.frames[-6].step
    worker.ask("pause")


def test_settings_change_while_it_plays(worker):
    worker.ask("play")
    worker.until(lambda: worker.frames[-1].step >= 50)
    at = worker.frames[-1].step
    assert worker.set(rate=0.1)["settings"]["rate"] == 0.1
    worker.until(lambda: worker.frames[-1].step > at + 50)
    told = len(worker.messages)
    assert worker.set(hidden=[6, 3])["settings"]["activations"] == ["tanh", "tanh"]
    state = worker.event("state", told)
    assert [layer["size"] for layer in state["layers"]] == [2, 6, 3, 1]
    assert state["running"]
    worker.until(lambda: len(worker.frames[-1].sections[MAPS]) == 10 * 32 * 32)
    worker.until(lambda: any(message.get("event") == "plan" for message in worker.messages[told:]))
    worker.ask("pause")


def test_a_layer_that_can_learn_nothing_is_told_once(worker):
    told = len(worker.messages)
    worker.set(data="circle", hidden=[4, 2], activations=["relu", "relu"], seed=0, speed="10 epochs")
    worker.ask("play")
    message = worker.event("note", told)["message"]
    assert message.startswith(
        "no slope comes through hidden layer 2, whatever the training row (dead or saturated neurons): "
    )
    frames = len(worker.frames)
    worker.until(lambda: len(worker.frames) > frames + 5)
    gradients = np.frombuffer(worker.still().sections[GRADIENTS], "<f4")
    assert not gradients[: 2 * 4 + 4 + 4 * 2 + 2].any()
    assert gradients[-1]
    assert len([each for each in worker.messages[told:] if each.get("event") == "note"]) == 1


def test_a_neuron_under_the_pointer_may_be_taken_away(worker):
    assert worker.ask("hover", neuron=[1, 3])["ok"]
    worker.until(lambda: LARGE in worker.frames[-1].sections)
    assert worker.set(hidden=[3])["settings"]["hidden"] == [3]
    worker.until(lambda: len(worker.frames[-1].sections[MAPS]) == 4 * 32 * 32)
    assert LARGE not in worker.frames[-1].sections
    worker.set(hidden=[])
    worker.until(lambda: len(worker.frames[-1].sections[MAPS]) == 32 * 32)
    worker.set(hidden=[4])
    worker.until(lambda: LARGE in worker.frames[-1].sections)
    worker.ask("hover", neuron=None)


def test_the_plan_comes_where_the_network_is_reset_before_it_is_made(worker):
    told = len(worker.messages)
    worker.say(do="set", settings={"hidden": [5]})
    worker.ask("reset")

    def of_five_neurons(message):
        return message.get("event") == "plan" and any("5" in step["shape"].split("×") for step in message["steps"])

    worker.until(lambda: any(map(of_five_neurons, worker.messages[told:])))


def test_a_fault_outside_of_what_was_asked_is_said_in_the_last_line():
    code = "from nnkit.playground import desk, worker; desk.Desk.serve = lambda self: 1 / 0; worker.main()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.wait(30) == 1  # while its input is open
        assert process.stderr.read().splitlines()[-1] == "ZeroDivisionError: division by zero"
    finally:
        process.kill()
        process.communicate()


def test_a_change_that_cannot_be_is_left_out_and_the_others_are_made(worker):
    answer = worker.set(output="softmax", loss="hinge", noise=10)
    assert answer["settings"]["output"] == "softmax"
    assert any("hinge" in note for note in answer["notes"])
    assert (answer["settings"]["noise"], answer["settings"]["loss"]) == (10, "auto")
    assert len(answer["notes"]) == 1
    assert worker.ask("step")["ok"]


def test_a_weight_is_edited_and_a_neuron_enlarged(worker):
    assert worker.ask("edit", path="layers.0.weight", index=[1, 2], value=2.5)["ok"]
    assert np.frombuffer(worker.still().sections[PARAMETERS], "<f4")[1 * 4 + 2] == 2.5
    assert worker.ask("hover", neuron=[1, 3])["ok"]
    assert LARGE in worker.still().sections
    assert worker.ask("hover", neuron=None)["ok"]
    assert LARGE not in worker.still().sections


@pytest.mark.parametrize(
    ("do", "more", "said"),
    [
        ("edit", {"path": "a", "index": [0], "value": 1}, "there is no parameter 'a'"),
        ("edit", {"path": "layers.0.weight", "index": "no", "value": 1}, "index is 'no', expected a list of whole"),
        ("edit", {"path": "layers.0.weight", "index": [0, 0], "value": "1"}, "value is '1', expected a finite number"),
        ("edit", {}, "index is None"),
        ("hover", {"neuron": [9, 9]}, "there is no neuron [9, 9]"),
        ("set", {"settings": [1]}, "settings is [1], expected an object"),
        ("points", {"points": "x"}, "points"),
        ("export", {"format": "exe"}, "format is 'exe', expected one of python, h5, onnx, json"),
        ("draw", {"pixels": ""}, "that is for the tab of digits"),
        ("mistakes", {}, "that is for the tab of digits"),
        ("mistakes", {"from": -1}, "from is -1"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_work_goes_on(worker, do, more, said):
    answer = worker.ask(do, **more)
    assert said in answer["error"]
    assert worker.ask("pause")["ok"]


def test_it_ends_at_its_goal(worker):
    worker.set(stop="epoch", goal=3)
    told = len(worker.messages)
    worker.ask("play")
    worker.until(lambda: any(m.get("why") for m in worker.messages[told:]))
    ended = worker.event("running", told)
    assert (ended["running"], ended["why"], ended["reason"]) == (False, "goal", "3 epochs are done")
    assert worker.still().epoch == 3


def test_numbers_that_leave_their_range_end_it_with_a_reason(worker):
    worker.set(data="plane", hidden=[], features=["x1^2", "x2^2"], rate=100)
    told = len(worker.messages)
    worker.ask("play")
    worker.until(lambda: any(m.get("why") for m in worker.messages[told:]))
    ended = worker.event("running", told)
    assert (ended["running"], ended["why"]) == (False, "nan")
    assert "learning rate" in ended["reason"]
    assert worker.ask("reset")["ok"]


def test_digits(worker):
    answer = worker.set(tab="digits")
    assert answer["settings"] == usual("digits").to_dict() | {"seed": 1}
    worker.ask("play")
    worker.until(lambda: worker.frames[-1].figures[3] > 0.9 and worker.frames[-1].step > 100)
    worker.ask("pause")
    found = worker.ask("mistakes", count=5)
    wrong = found["total"]
    confusion = np.frombuffer(worker.still().sections[CONFUSION], "<u4").reshape(10, 10)
    assert confusion.sum() - np.trace(confusion) == wrong
    assert 0 < len(found["items"]) == min(5, wrong)
    assert all(item["label"] != item["predicted"] for item in found["items"])
    pixels = base64.b64decode(found["pixels"])
    assert len(pixels) == len(found["items"]) * found["size"] ** 2
    drawing = base64.b64encode(pixels[: found["size"] ** 2]).decode()
    assert worker.ask("draw", pixels=drawing)["ok"]
    activations = np.frombuffer(worker.still().sections[ACTIVATIONS], "<f4")
    assert len(activations) == 64 + 10
    assert int(activations[-10:].argmax()) == int(found["items"][0]["predicted"])
    assert "pixels, one byte each; got 3 bytes" in worker.ask("draw", pixels="AAAA")["error"]
    assert "error" in worker.ask("draw", pixels="%%%")
    assert "error" in worker.ask("draw", pixels=7)
    assert worker.ask("draw", pixels=None)["ok"]
    assert ACTIVATIONS not in worker.still().sections
    assert worker.ask("mistakes", **{"from": 10_000})["items"] == []
    assert worker.set(tab="plane")["settings"]["hidden"] == [4, 2]


def test_regression_has_its_own_figures(worker):
    worker.set(data="plane")
    worker.ask("step")
    last = worker.still()
    assert CONFUSION not in last.sections
    assert set(json.loads(last.sections[FIGURES])) == {"mae", "rmse"}


def test_a_page_that_comes_back_gets_everything_again(worker):
    worker.ask("step")
    worker.still()
    worker.say(do="away")
    worker.seeing = False
    told, frames = len(worker.messages), len(worker.frames)
    answer = worker.ask("hello", resumed=True)
    assert answer["choices"]
    worker.until(lambda: len(worker.frames) > frames)
    assert worker.frames[-1].step == 25
    state = worker.event("state", told)
    assert (state["step"], state["curve"][-1][0]) == (25, 1.0)
    worker.seeing = True
    worker.say(do="seen", frame=worker.frames[-1].number)


def test_it_ends_with_its_pipe_even_in_the_middle_of_a_training():
    with talk(speed="max") as made:
        made.ask("play")
        began = time.monotonic()
        assert made.end() == 0
        assert time.monotonic() - began < 2


def test_frames_are_read_as_they_were_written():
    frame = Frame(1, 7, 2**40, 3.5, (0.1, float("inf"), -1.0, 0.5), 1e6, {1: b"abc", 9: b"", 3: bytes(8)})
    assert Frame.read(frame.written()) == frame
    assert len(frame.written()) == 64 + 3 * 8 + 4 + 0 + 8
    assert io.BytesIO(frame.written()).read(1) == b"\x01"


def test_looking_at_a_network_does_not_end_its_training(worker):
    worker.set(speed="max")
    worker.ask("play")
    for form in ("h5", "json", "python"):
        assert len(worker.export(form)[1]) > 100
    assert worker.ask("hover", neuron=[1, 0])["ok"]
    worker.until(lambda: LARGE in worker.frames[-1].sections and worker.frames[-1].step > 100)
    assert not any(message.get("why") for message in worker.messages[-20:])
    assert worker.ask("hover", neuron=None)["ok"]
