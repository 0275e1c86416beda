"""``nnkit bench``: figures as text and JSON, peers beside them, and what cannot be measured."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import nnkit
from nnkit.bench import ContestantError, Rates
from nnkit.cli.bench import _require_own
from tests.cli.conftest import Cli
from tests.peers import peer

SMALL = ("--inputs", 3, "--outputs", 2, "--hidden", 5, "--repeats", 2)
PLAIN = (*SMALL, "--compile", "off")


@pytest.fixture(autouse=True)
def _known_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rates, "measured", classmethod(lambda cls, dtype="float32": cls(1e11, 1e10)))


@pytest.mark.slow
def test_text(cli: Cli) -> None:
    status, out, err = cli("bench", *PLAIN)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("network     3 inputs → 5 relu → 2 identity, 32 parameters, float32")
    assert "100 GFLOP/s" in out
    titles = ["training step, 3-5-2 b32", "prediction of 1 row", "prediction of 10,000 rows"]
    assert [line for line in lines if line in titles] == titles
    assert sum(" ± " in line for line in lines) >= 3
    assert any(line.startswith("  limit of the machine") for line in lines)
    assert max(map(len, lines)) <= 100


@pytest.mark.slow
def test_json_and_the_record_are_the_same_result(cli: Cli) -> None:
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2)
    network.save("net.h5")
    words = ("--repeats", 2, "--compile", "off", "--batch-size", 8, "--optimizer", "sgd")
    status, out, err = cli("bench", "net.h5", *words, "--format", "json", "--record", "bench.json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert result == json.loads(Path("bench.json").read_text(encoding="utf-8"))
    assert {"machine", "versions", "date", "rows", "parity"} <= result.keys()
    assert result["architecture"]["optimizer"] == "sgd"
    first = result["rows"][0]
    assert (first["workload"], first["framework"]) == ("training step, 3-5-2 b8", "nnkit, not compiled")
    assert first["runs"] == 2
    assert first["step_median_s"] > 0


@pytest.mark.slow
def test_both_forms_of_the_step(cli: Cli) -> None:
    pytest.importorskip("llvmlite")
    out = cli("bench", *SMALL, "--format", "json").out
    rows = json.loads(out)["rows"]
    assert [row["framework"] for row in rows[:2]] == ["nnkit", "nnkit, not compiled"]
    assert all(row["predicted_step_s"] > 0 for row in rows[:2])


@pytest.mark.slow
def test_a_peer_beside_it_and_one_that_does_not_know_the_network(cli: Cli) -> None:
    peer("sklearn")
    rows = json.loads(cli("bench", *PLAIN, "--peers", "scikit-learn", "--format", "json").out)["rows"]
    assert sum(row["framework"] == "scikit-learn" and row["step_median_s"] > 0 for row in rows) == 3
    out = cli("bench", *PLAIN, "--optimizer", "rmsprop", "--peers", "scikit-learn").out
    assert "scikit-learn         unknown optimizer 'rmsprop'. Known: adam, sgd" in " ".join(out.split("\n"))


@pytest.mark.slow
def test_without_a_name_every_installed_peer_runs(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit.cli.bench.installed", lambda name: False)
    status, out, err = cli("bench", *PLAIN, "--peers")
    assert (status, out) == (2, "")
    names = "PyTorch eager; PyTorch, fused Adam; torch.compile; JAX jit; Keras on JAX; scikit-learn"
    assert err == f"error: --peers: not installed: {names}. 'pip install \"nnkit[bench]\"' brings all of them\n"
    status, _, err = cli("bench", *PLAIN, "--peers", "jax")
    assert (status, "not installed: JAX jit." in err) == (2, True)
    peer("sklearn")
    monkeypatch.setattr("nnkit.cli.bench.installed", lambda name: name == "scikit-learn")
    assert "scikit-learn" in cli("bench", *PLAIN, "--peers").out


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("--peers theano", 2, "argument --peers: invalid choice: 'theano'"),
        ("--repeats 1", 2, "argument --repeats: expected a whole number from 2, got '1'"),
        ("--dropout 0.5 --peers scikit-learn", 2, "peers train plain Dense layers, and this network has Dropout"),
        ("--inputs 3", 2, "give --inputs together with --outputs, or --data instead of both"),
        ("--record absent/bench.json", 1, "--record absent/bench.json: the folder "),
        ("--device tpu", 1, "there is no backend for device 'tpu' here"),
        ("absent.h5", 1, ""),
    ],
)
def test_what_is_refused_is_one_line(cli: Cli, words: str, status: int, message: str) -> None:
    got, out, err = cli("bench", *words.split())
    assert (got, out) == (status, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_without_the_extra_the_plain_step_is_measured_and_the_reason_told(cli: Cli) -> None:
    missing = {"workload": "training step", "framework": "nnkit", "reason": "native programs need llvmlite"}
    plain = {"workload": "training step", "framework": "nnkit, not compiled", "step_median_s": 1.0}
    _require_own([missing, plain], "auto")
    with pytest.raises(ContestantError, match="nnkit cannot run the training step: native programs need llvmlite"):
        _require_own([missing], "first")
    with pytest.raises(ContestantError, match="nnkit, not compiled cannot run the training step: its process ended"):
        _require_own([missing, {**plain, "reason": "its process ended"}], "auto")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process there")
def test_ctrl_c(environment: dict[str, str]) -> None:
    words = ("--inputs", "3", "--outputs", "2", "--compile", "off", "--repeats", "1000")
    process = subprocess.Popen(
        [sys.executable, "-m", "nnkit", "bench", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert any(line.startswith("measured") for line in process.stdout), "it ended before it began"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")
