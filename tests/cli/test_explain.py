"""``nnkit explain``: the plan of a saved network or of flags, as text, HTML or JSON."""

from __future__ import annotations

import json

import pytest

import nnkit
from tests.cli.conftest import Cli

SMALL = ("--inputs", 3, "--outputs", 2, "--hidden", 5)


def test_text_is_what_the_network_explains_of_itself(cli: Cli) -> None:
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2)
    network.save("net.h5")
    assert cli("explain", *SMALL) == (0, network.explain() + "\n", "")
    assert cli("explain", "net.h5").out == network.explain() + "\n"


def test_the_batch_size_and_the_optimizer_change_the_plan(cli: Cli) -> None:
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2)
    network.save("net.h5")
    words = ("--batch-size", 8, "--optimizer", "sgd", "--loss", "huber")
    expected = network.explain(batch_size=8, optimizer="sgd", loss="huber") + "\n"
    assert cli("explain", "net.h5", *words).out == cli("explain", *SMALL, *words).out == expected


def test_json(cli: Cli) -> None:
    plan = json.loads(cli("explain", *SMALL, "--format", "json").out)
    assert plan["device"] == "cpu"


def test_measured_times_stand_beside_the_predicted_ones(cli: Cli) -> None:
    plan = json.loads(cli("explain", *SMALL, "--format", "json", "--measure").out)
    assert 0 < plan["measured_s"] < 1
    assert all(0 < step["measured_s"] < 1 for step in plan["steps"])
    assert sum(step["measured_s"] for step in plan["steps"]) > plan["measured_s"] / 3
    text = cli("explain", *SMALL, "--measure", "--memory-limit", "1MB").out
    assert " µs measured." in text
    rows = [line for line in text.split("DECISIONS")[0].splitlines() if line[:4].strip().isdigit()]
    assert len(rows) == len(plan["steps"])
    assert all(len(line.split()[-1].partition(".")[2]) == 1 for line in rows)
    assert "<th>µs (measured)" in cli("explain", *SMALL, "--format", "html", "--measure").out


def test_the_compiled_form(cli: Cli) -> None:
    pytest.importorskip("llvmlite")
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2)
    text = cli("explain", *SMALL, "--compile", "first").out
    assert text == network.explain(compile="first") + "\n"
    assert text.startswith("One step on 'cpu native'")
    plan = json.loads(cli("explain", *SMALL, "--compile", "first", "--format", "json", "--measure").out)
    assert 0 < plan["measured_s"] < 1e-3
    taken = [step["measured_s"] for step in plan["steps"]]
    assert all(0 <= seconds < 1e-3 for seconds in taken)
    assert plan["measured_s"] / 3 < sum(taken) < plan["measured_s"] * 30  # it also counts


def test_a_form_that_is_not_there(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnkit_numpy.native.program.find_spec", lambda name: None)
    words = ("--inputs", 3, "--outputs", 2, "--hidden", 11)  # which nothing has compiled yet
    result = cli("explain", *words, "--compile", "first")
    assert result.status == 1
    assert "native programs need llvmlite, from the extra 'fast': pip install 'nnkit[fast]'" in result.err
    with pytest.raises(nnkit.errors.ArgumentError, match=r"unknown compile 'fist'. Did you mean 'first'\?"):
        nnkit.FeedForward(inputs=3, outputs=2).explain(compile="fist")


def test_html(cli: Cli) -> None:
    out = cli("explain", *SMALL, "--format", "html").out
    assert out.startswith("<!doctype html>")
    assert "</html>" in out


def test_a_data_set_gives_inputs_and_outputs(cli: Cli) -> None:
    words = ("--hidden", 5, "--format", "json")
    from_data = cli("explain", "--data", "moons", *words)
    from_numbers = cli("explain", "--inputs", 2, "--outputs", 2, "--output-activation", "softmax", *words)
    assert from_data.out == from_numbers.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--inputs 3", "give --inputs together with --outputs, or --data instead of both"),
        ("--inputs 3 --outputs 2 --data moons", "give --inputs together with --outputs, or --data instead of both"),
        ("net.h5 --dropout 0.5 --inputs 3", "net.h5 has its own architecture; leave out --dropout, --inputs, or leave"),
        ("--inputs 0", "argument --inputs: expected a whole number from 1, got '0'"),
        ("--format pdf", "argument --format: invalid choice: 'pdf'"),
    ],
)
def test_flags_that_do_not_go_together(cli: Cli, words: str, message: str) -> None:
    status, out, err = cli("explain", *words.split())
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_a_memory_limit_shows_what_is_computed_again(cli: Cli) -> None:
    words = ("--inputs", 64, "--outputs", 4, "--hidden", 32, 32, 32, 32, "--batch-size", 512)
    free = json.loads(cli("explain", *words, "--format", "json").out)
    limited = json.loads(cli("explain", *words, "--format", "json", "--memory-limit", "450kB").out)
    assert limited["total"]["arena_bytes"] < 450_000 < free["total"]["arena_bytes"]
    assert "recompute" in {row["phase"] for row in limited["steps"]}
    status, out, err = cli("explain", *words, "--memory-limit", "10 kB")
    assert (status, out) == (2, "")
    assert "error: memory_limit: a training in batches of 512 needs at least" in err


@pytest.mark.parametrize("compiled", ["off", "first"])
def test_a_precision(cli: Cli, compiled: str) -> None:
    """On the CPU products stay in float32; with float16 the step has its loss scale, measured too."""
    if compiled == "first":
        pytest.importorskip("llvmlite")
    network = nnkit.FeedForward(inputs=3, hidden=[5], outputs=2)
    plain, narrow = (
        cli("explain", *SMALL, "--precision", name, "--compile", compiled).out for name in ("float32", "tf32")
    )
    assert plain == narrow == network.explain(compile=compiled) + "\n"
    words = ("--precision", "mixed_float16", "--compile", compiled)
    scaled = cli("explain", *SMALL, *words).out
    assert scaled == network.explain(compile=compiled, precision="mixed_float16") + "\n" != plain
    taken = json.loads(cli("explain", *SMALL, *words, "--format", "json", "--measure").out)
    assert 0 < taken["measured_s"] < 1
