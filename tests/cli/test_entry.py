"""Which command runs, what help says, and how everything that goes wrong becomes one message and a status."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

import nnkit
from nnkit.cli import entry
from nnkit.cli.entry import COMMANDS, main
from nnkit.cli.failures import guarded
from nnkit.errors import ArgumentError, DataError, NnkitWarning
from tests.cli.conftest import Cli

FULL = "error: standard output could not be written: No space left on device; free some space, or send it elsewhere\n"
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")


def test_version(cli: Cli) -> None:
    assert cli("--version") == (0, f"nnkit {nnkit.__version__}\n", "")


def test_python_m_nnkit_is_the_same(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "nnkit", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == f"nnkit {nnkit.__version__}\n"


def test_help_lists_the_commands(cli: Cli) -> None:
    status, out, err = cli("--help")
    assert (status, err) == (0, "")
    for command in COMMANDS.values():
        assert f"\n  {command.name} " in out


def test_no_command_shows_the_help_as_an_error(cli: Cli) -> None:
    status, out, err = cli()
    assert (status, out) == (2, "")
    assert "commands:" in err


def test_an_unknown_command_names_the_nearest_and_all(cli: Cli) -> None:
    status, out, err = cli("trian", "--epochs", 3)
    assert (status, out) == (2, "")
    known = "bench, compare, devices, explain, export, inspect, play, predict, replay, resume, test, train"
    assert err == f"error: unknown command 'trian'. Did you mean 'train'? Known: {known}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_ends_with_examples_of_it(cli: Cli, name: str) -> None:
    status, out, err = cli(name, "--help")
    assert (status, err) == (0, "")
    examples = out.partition("examples:\n")[2].splitlines()
    assert examples == [f"  {example}" for example in COMMANDS[name].examples]
    assert all(example.startswith(f"  nnkit {name}") for example in examples)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_narrow_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli(*name.split(), "--help").out.partition("examples:")[0].splitlines()
    assert max(map(len, lines)) <= 60


def test_a_wrong_flag_is_one_line(cli: Cli) -> None:
    assert cli("train", "--epoch", 3) == (
        2,
        "",
        "error: unrecognized arguments: --epoch 3 (did you mean '--epochs'?); 'nnkit train --help' shows the flags\n",
    )
    assert cli("--colour").err == "error: unrecognized arguments: --colour; 'nnkit --help' shows the flags\n"


def test_a_command_starts_without_what_only_others_need(environment: dict[str, str]) -> None:
    code = "import sys, nnkit.cli; nnkit.cli.main(['--version']); print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["h5py", "psutil", "pynvml", "sklearn", "scipy", "pandas", "llvmlite", "matplotlib", "IPython", "onnx"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.splitlines()[1] == "[]"


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ArgumentError("no such thing"), 2, "error: no such thing\n"),
        (DataError("row 3 is bad"), 1, "error: row 3 is bad\n"),
        (FileNotFoundError(2, "No such file", "x"), 1, "error: [Errno 2] No such file: 'x'\n"),
        (
            MemoryError(),
            1,
            "error: there is not enough memory; use a smaller --batch-size, fewer neurons or less data\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_expected_errors_are_one_message(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: _raise(error)) == status
    assert capsys.readouterr() == ("", message)


def test_messages_do_not_act_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(DataError("it has the class '\x1b[31mred\u202e'"))) == 1
    assert capsys.readouterr() == ("", "error: it has the class '\\x1b[31mred\\u202e'\n")


def test_an_unexpected_error_asks_for_a_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guarded(lambda: _raise(ZeroDivisionError("by zero"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("internal error: ZeroDivisionError: by zero; please report it")
    assert "NNKIT_TRACEBACK=1" in err
    assert err.count("\n") == 1
    monkeypatch.setenv("NNKIT_TRACEBACK", "1")
    assert guarded(lambda: _raise(ZeroDivisionError("by zero"))) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_left_in_peace(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "nnkit", "explain", "--inputs", "2", "--outputs", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1
    process.stderr.close()


@full
def test_an_output_that_is_full_is_said_once(environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "nnkit", "devices"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, FULL)


@full
def test_a_full_output_costs_no_files(environment: dict[str, str]) -> None:
    words = ["train", "--data", "moons", "--epochs", "1", "--save", "net.h5", "--record", "run.json"]
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "nnkit", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(FULL)
    assert done.stderr.count("No space left") == 1
    assert set(os.listdir()) == {"net.h5", "run.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no shell that closes a stream")
def test_closed_streams_are_as_those_that_lead_nowhere(environment: dict[str, str]) -> None:
    nnkit.FeedForward(inputs=2, outputs=1).save("net.h5")
    for closed in ("<&- >&-", ">&-"):
        command = f"{sys.executable} -m nnkit inspect net.h5 {closed}"
        done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_warnings_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    def warn() -> int:
        warnings.warn("the inputs\nlook unscaled", NnkitWarning, stacklevel=1)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        return 0

    assert guarded(warn) == 0
    assert capsys.readouterr().err == "warning: the inputs look unscaled\nwarning: RuntimeWarning: overflow\n"


def test_a_terminal_without_unicode_gets_question_marks(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "nnkit", "train", "--data", "moons", "--epochs", "1"]
    ascii_only = environment | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=ascii_only, check=True)
    assert b"2 inputs ? 64 relu" in done.stdout


def test_main_reads_the_command_line_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry.sys, "argv", ["nnkit", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"nnkit {nnkit.__version__}\n"


def _raise(error: BaseException) -> int:
    raise error
