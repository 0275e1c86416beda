"""``nnkit inspect``: what a file holds and whether it is intact, as text and as JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

import nnkit
from nnkit.cli import output
from nnkit.data import Preprocessing, Scaling
from nnkit.errors import ArgumentError
from nnkit.measure.units import bytes_text
from nnkit.names import listed
from tests.checkpoint.files import WEIGHT, described, edited, replace, small
from tests.checkpoint.test_into import Mixed
from tests.cli.conftest import Cli

HERE = ("inspect", "net.h5", "--trusted")


@pytest.fixture(autouse=True)
def _saved() -> None:
    small().save("net.h5")


def test_a_whole_file(cli: Cli) -> None:
    status, out, err = cli(*HERE)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"file        net.h5: {bytes_text(Path('net.h5').stat().st_size)}, format 2"
    assert lines[1] == "intact      yes: every name, shape and checksum is right, and every value is finite"
    assert lines[2] == "network     3 inputs, 38 trained values, float32, seed 1"
    assert "\n" + small().summary() + "\n" in out
    assert "/parameters/layers/0/weight            float32  3×4       48\n" in out
    assert "/training                              text " in out
    assert {"loss        that of the output activation", "optimizer   none yet"} <= set(lines)


@pytest.mark.skipif(os.name != "posix", reason="limits are as POSIX has them")
def test_a_process_of_its_own_says_the_same(cli: Cli) -> None:
    assert cli("inspect", "net.h5") == cli(*HERE)
    Path("net.h5").write_bytes(_changed())
    assert cli("inspect", "net.h5") == cli(*HERE)


def _changed() -> bytes:
    data = bytearray(Path("net.h5").read_bytes())
    with h5py.File("net.h5") as file:
        for place in (WEIGHT, "training", "state/layers/1/mean"):
            data[file[place].id.get_offset() + 2] ^= 1
    return bytes(data)


def test_a_damaged_file_shows_what_can_be_seen(cli: Cli) -> None:
    Path("net.h5").write_bytes(_changed())
    status, out, err = cli(*HERE)
    assert (status, err) == (1, "")
    found = json.loads(cli(*HERE, "--json").out)
    reason = (
        "does not have the checksum that was saved with it, so some of it has changed; use another copy, or save the"
    )
    assert [problem.split()[1] for problem in found["problems"]] == [
        "/training", f"/{WEIGHT}", "/state/layers/1/mean"
    ]  # fmt: skip
    assert all(reason in problem for problem in found["problems"])
    assert "intact      yes" not in out
    assert out.count("not intact  net.h5: /") == 3
    assert "network     3 inputs, 38 trained values, float32, seed 1\n" in out
    assert small().summary() in out


def test_json(cli: Cli) -> None:
    status, out, err = cli(*HERE, "--json")
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert (found["file"], found["format"], found["intact"], found["problems"]) == ("net.h5", 2, True, [])
    assert (found["read"], found["custom"], found["trained_values"]) == ("in this process", False, 38)
    assert found["layers"][0] == {
        "path": "layers.0", "layer": "Dense(4, activation=PReLU(initial=0.25))", "parameters": "weight 3×4, bias 4",
        "values": 16,
    }  # fmt: skip
    assert found["texts"].keys() == {"architecture", "training", "record", "epochs", "written_by"}
    assert found["texts"]["architecture"]["seed"] == 1
    assert found["sizes"]["parameters"] == 38 * 4
    weight = {"place": WEIGHT, "kind": "array", "shape": [3, 4], "dtype": "float32", "stored_bytes": 48}
    assert weight in found["entries"]


def test_training_classes_and_columns(cli: Cli) -> None:
    net = nnkit.FeedForward(inputs=2, hidden=[4], outputs=2, output_activation="softmax", seed=0)
    x = np.random.default_rng(0).normal(size=(40, 2))
    net.fit(x, (x[:, 0] > 0).astype(int), epochs=1, loss="cross_entropy", optimizer="sgd", progress=False)
    net.classes = ("red\x1b[2J", "\u202eeulb")
    net.preprocessing = Preprocessing(Scaling(np.zeros(2), np.ones(2)), ("a", "b"), "colour", True)
    net.save("net.h5")
    out = cli(*HERE).out
    assert "\nclasses     red\\x1b[2J, \\u202eeulb\n" in out
    assert "\nrows        columns a, b, target colour, standardised, in the order of time\n" in out
    assert "\nloss        cross_entropy(" in out
    assert "\noptimizer   sgd(learning_rate=" in out
    net.preprocessing = Preprocessing()
    net.save("net.h5")
    assert "\nrows        taken as they are\n" in cli(*HERE).out


def test_a_loss_and_layers_of_ones_own(cli: Cli) -> None:
    nnkit.Network(Mixed(), input_shape=(3,), seed=2).save("net.h5")
    described(Path("net.h5"), lambda found: found.update(loss={"name": "mine", "custom": True}), "training")
    status, out, err = cli(*HERE)
    assert (status, err) == (0, "")
    assert "layers of your own, which a file cannot hold: nnkit.load(path, into=module)" in " ".join(out.split())
    assert "\nloss        mine (your own, which the file does not hold)\n" in out
    edited(Path("net.h5"), lambda file: file["parameters/weight"].write_direct(np.full((3, 4), np.nan, "f4")))
    status, out, err = cli(*HERE)
    assert status == 1
    assert "/parameters/weight holds 12 NaN and 0 infinite of 12 values" in " ".join(out.split())


def test_what_a_later_version_may_hold_is_shown(cli: Cli) -> None:
    def edit(file: h5py.File) -> None:
        file["about/history/loss"] = np.array([0.5, 0.25])
        file["about/history/nan"] = np.array([np.nan])
        replace(file, "training", b"[1, 2]")
        replace(file, "about/written_by", b'{"nnkit": "9.0"}')

    edited(Path("net.h5"), edit)
    status, out, _ = cli(*HERE)
    assert status == 1
    assert "\nwritten by  nnkit 9.0\n" in out
    assert "\nhistory     last values: loss 0.2500, nan nan\n" in out
    found = json.loads(cli(*HERE, "--json").out)
    assert found["history"] == {"loss": 0.25, "nan": None}
    assert found["texts"]["written_by"] == {"nnkit": "9.0"}


def test_odd_names_are_harmless_on_a_terminal(cli: Cli) -> None:
    edited(Path("net.h5"), lambda file: [file.create_group(f"\x1b[2J{number}\n") for number in range(3)])
    edited(Path("net.h5"), lambda file: file.update({"link": h5py.ExternalLink("/etc/passwd", "/x")}))
    edited(Path("net.h5"), lambda file: [file.update({f"x{number}": 1.0}) for number in range(60)])
    status, out, err = cli(*HERE)
    assert (status, err) == (1, "")
    assert "\x1b" not in out
    assert "\n/link " in out
    assert "\nand " in out
    assert "more, which --json lists\n" in out


def test_files_that_are_none(cli: Cli) -> None:
    Path("net.h5").write_bytes(b"x")
    assert cli(*HERE)[0] == 1
    assert "net.h5 is not an HDF5 file" in cli(*HERE).err
    assert "absent.h5 does not exist" in cli("inspect", "absent.h5").err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits are as POSIX has them")
def test_hostile_files_are_looked_at_as_well(cli: Cli, tmp_path: Path) -> None:
    from tests.checkpoint.hostile.table import CASES
    from tests.checkpoint.hostile.test_cases import placed

    good = Path("net.h5").read_bytes()
    for number, case in enumerate(CASES):
        path = placed(tmp_path / str(number), good, case.make)
        status, out, err = cli("inspect", path, "--trusted")
        assert status == 1, case.name
        assert "internal error" not in err
        assert (out + err).replace("\n", "").isprintable(), case.name


def test_where_processes_cannot_be_limited(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: object, trusted: bool) -> None:
        raise ArgumentError("needs Linux")

    monkeypatch.setattr("nnkit.checkpoint.inspection.inspect", refused)
    assert cli("inspect", "net.h5") == (2, "", "error: needs Linux\n")


def test_long_texts_are_cut() -> None:
    assert output.safe("a\nb" * 2000) == ("a\\nb" * 2000)[:1997] + "..."
    assert listed(list(map(str, range(12))), most=10) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


def test_an_onnx_network_is_for_explain(cli: Cli) -> None:
    assert cli("inspect", "net.onnx") == (
        2,
        "",
        "error: net.onnx is an ONNX network; inspect looks into what net.save wrote, so use 'nnkit explain'\n",
    )
