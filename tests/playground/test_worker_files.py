"""Files, tables and points that a worker takes and gives."""

import numpy as np
import pytest

import nnkit
from nnkit.playground.frames import PARAMETERS


def test_a_script_says_what_it_does_not_repeat(worker):
    def remarks():
        lines = worker.export("python")[1].decode().splitlines()
        return [line.removeprefix("# On the page, ") for line in lines if line.startswith("# On the page, ")]

    assert remarks() == []
    worker.ask("step")
    worker.set(rate=0.1)
    worker.ask("edit", path="layers.0.bias", index=[0], value=0.5)
    assert remarks() == ["settings were changed while it trained.", "weights were edited."]
    worker.ask("reset")
    assert remarks() == []
    worker.upload("net.json", worker.export("json")[1])
    assert remarks() == ["weights were read from a file."]


def test_points_that_a_person_draws(worker):
    assert worker.set(data="drawn")["settings"]["data"] == "drawn"
    assert "draw" in worker.ask("play")["error"]
    points = [[x, y, int(x * y > 0)] for x in range(-5, 6) for y in range(-5, 6) if x * y]
    told = len(worker.messages)
    assert worker.ask("points", points=points)["settings"]["data"] == "drawn"
    data = worker.event("data", told)
    assert len(data["points"]["x"]) == 100
    assert sum(data["rows"]) == 100
    assert worker.ask("step")["ok"]
    assert worker.still().step == 5


def test_a_table_becomes_the_data(worker):
    rows = "\n".join(f"{i % 7},{i % 5},{i * 0.37:.3f},{'ab'[i % 2]}" for i in range(60))
    told = len(worker.messages)
    answer = worker.upload("things.csv", f"one,two,three,kind\n{rows}\n".encode())
    assert answer["settings"]["data"] == "table"
    assert answer["settings"]["features"] == ["one", "two", "three"]
    data = worker.event("data", told)
    assert (data["classes"], data["columns"]) == (["a", "b"], ["one", "two", "three"])
    assert answer["settings"]["axes"] == ["one", "two"]
    assert worker.set(axes=["three", "one"])["settings"]["axes"] == ["three", "one"]
    assert worker.ask("step")["ok"]
    bad = b"a,b,c\n" + b"1,2,x\n" * 20 + b"1,oh,y\n" * 2
    assert "line 22: column 'b' holds text ('oh')" in worker.upload("bad.csv", bad)["error"]
    assert worker.set(features=["one"])["settings"]["features"] == ["one"]
    assert worker.set(data="xor")["settings"]["features"] == ["x1", "x2"]
    assert "ends neither in" in worker.upload("virus.exe", b"MZ")["error"]


def test_another_column_is_learned(worker):
    rows = "\n".join(f"p{i},{i % 7},{i % 5},{i * 0.37:.3f},{'ab'[i % 2]}" for i in range(60))
    told = len(worker.messages)
    found = worker.upload("things.csv", f"name,one,two,three,kind\n{rows}\n".encode())["settings"]
    assert worker.event("data", told)["target"] == "kind"
    assert (found["target"], found["features"]) == ("kind", ["one", "two", "three"])
    told = len(worker.messages)
    worker.set(features=["one"])
    worker.ask("step")
    answer = worker.set(target="name")  # which cannot be: all stays
    assert (answer["settings"]["target"], answer["settings"]["features"]) == ("kind", ["one"])
    assert worker.still().step == 3
    told = len(worker.messages)
    found = worker.set(target="three")["settings"]
    assert (found["target"], found["features"], found["problem"]) == ("three", ["x1", "x2"], "regression")
    data = worker.event("data", told)
    assert (data["targets"], data["target"]) == (["name", "one", "two", "three", "kind"], "three")
    answer = worker.set(target="name")
    assert answer["settings"]["target"] == "three"
    assert "'name' has 60 different texts" in answer["notes"][0]
    answer = worker.set(target="four")
    assert answer["settings"]["target"] == "three"
    assert answer["notes"] == ["things.csv has no column 'four'. It has 'name', 'one', 'two', 'three', 'kind'"]
    _, page = worker.export("json")
    assert b"target='three'" in worker.export("python")[1].replace(b'"', b"'")
    worker.upload("others.csv", b"u,v,w\n" + b"1,2,0\n2,1,1\n" * 10)
    assert worker.upload("page.json", page)["settings"]["target"] == "three"
    assert worker.set(data="circle")["settings"]["target"] == ""
    assert worker.set(data="table")["settings"]["target"] == "three"  # as it was left
    assert worker.set(target="kind")["settings"]["features"] == ["one", "two", "three"]


def test_a_file_that_cannot_predict_from_the_table_is_told(worker):
    rows = "\n".join(f"{i % 7},{i % 5},{i * 0.37:.3f}" for i in range(60))
    worker.upload("things.csv", f"one,two,price\n{rows}\n".encode())
    told = len(worker.messages)
    worker.export("h5")
    worker.set(features=["x2", "x1x2", "x1^2"])
    worker.export("json")
    assert not [message for message in worker.messages[told:] if message.get("event") == "note"]
    worker.export("onnx")
    assert worker.event("note", told)["message"].startswith(
        "the file takes x1x2, x1^2, which the table does not have: "
    )


def without_metadata(file: bytes) -> bytes:
    """An ONNX file as other tools write it."""
    model = pytest.importorskip("onnx").load_model_from_string(file)
    del model.metadata_props[:]
    return model.SerializeToString()


def test_a_network_goes_out_and_comes_back(worker, tmp_path):
    worker.set(hidden=[5, 3], activations=["relu", "tanh"], features=["x1", "x2", "x1x2"])
    worker.ask("step")
    step = worker.still()
    head, content = worker.export("h5")
    assert head["name"].endswith(".h5")
    path = tmp_path / "net.h5"
    path.write_bytes(content)
    net = nnkit.load(path)
    flat = np.concatenate([value.reshape(-1) for value in net.parameters().values()])
    assert np.array_equal(np.frombuffer(step.sections[PARAMETERS], "<f4"), flat)
    assert net.preprocessing.features == ("x1", "x2", "x1x2")
    json_head, saved = worker.export("json")
    assert json_head["type"] == "application/json"
    worker.set(hidden=[2], features=["x1", "x2"])
    onnx = worker.upload("a.h5", content) and worker.export("onnx")[1]
    for name, file in (("a.h5", content), ("a.json", saved), ("a.onnx", onnx), ("b.onnx", without_metadata(onnx))):
        worker.set(hidden=[2], features=["x1", "x2"])
        if name == "b.onnx":  # which says nothing of features
            assert "takes 3 features, and 2 are chosen" in worker.upload(name, file)["error"]
            worker.set(features=["x1", "x2", "x1x2"])
        settings = worker.upload(name, file)["settings"]
        assert (settings["hidden"], settings["activations"]) == ([5, 3], ["relu", "tanh"])
        assert settings["features"] == ["x1", "x2", "x1x2"]
        assert np.array_equal(np.frombuffer(worker.still().sections[PARAMETERS], "<f4"), flat)


def test_the_onnx_file_predicts_the_same(worker):
    onnxruntime = pytest.importorskip("onnxruntime")
    worker.ask("step")
    step = worker.still()
    _, content = worker.export("onnx")
    session = onnxruntime.InferenceSession(content)
    (out,) = session.run(None, {session.get_inputs()[0].name: np.array([[1.0, 2.0]], np.float32)})
    flat = np.frombuffer(step.sections[PARAMETERS], "<f4")
    first, bias, last = flat[:8].reshape(2, 4), flat[8:12], flat[12:16].reshape(4, 1)
    hidden = np.tanh(np.array([[1.0, 2.0]]) @ first + bias)
    assert out == pytest.approx(1 / (1 + np.exp(-(hidden @ last + flat[16]))), rel=1e-5)


def test_a_hostile_network_is_refused_and_nothing_changes(worker):
    before = worker.set()["settings"]
    for name, content, said in (
        ("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(1000), "a.h5"),
        ("a.h5", b"", "a.h5"),
        ("a.onnx", b"", "a.onnx"),
        ("a.onnx", b"\x08\x07" + bytes(1000), "a.onnx"),
        ("a.json", b"[" * 100_000, ""),
        ("a.json", b"{}", ""),
    ):
        answer = worker.upload(name, content)
        assert said in answer["error"]
        assert "inside" not in answer["error"]
    assert worker.set()["settings"] == before


def test_a_network_with_other_layers_is_refused_by_name(worker, tmp_path):
    for net, said in (
        (nnkit.Sequential([nnkit.nn.Dense(3), nnkit.nn.BatchNorm(), nnkit.nn.Dense(1)], (2,)), "dense layers"),
        (nnkit.FeedForward(5, 1), "takes 5 features, and 2 are chosen"),
        (nnkit.FeedForward(2, 4), "has 4 outputs, and these data ask for 1"),
        (nnkit.Sequential([nnkit.nn.Dense(1, bias=False)], (2,)), "with a bias"),
        (
            nnkit.FeedForward(2, 1, [33]),
            "up to 6 hidden layers of up to 32 neurons here; this network has 1 of up to 33",
        ),
        (nnkit.FeedForward(2, 1, [2] * 7), "this network has 7 of up to 2"),
        (
            nnkit.FeedForward(2, 1, [2], activation="softmax"),
            "has no Activation('softmax') in hidden layers; there are",
        ),
        (
            nnkit.Sequential(
                [nnkit.nn.Dense(2, nnkit.nn.Activation("leaky_relu", slope=0.3)), nnkit.nn.Dense(1)], (2,)
            ),
            "has no Activation('leaky_relu', slope=0.3) in hidden layers",
        ),
        (
            nnkit.FeedForward(2, 1, [2], output_activation="mish"),
            "has no Activation('mish') of outputs; there are auto",
        ),
    ):
        net.save(tmp_path / "net.h5")
        assert said in worker.upload("net.h5", (tmp_path / "net.h5").read_bytes())["error"]
