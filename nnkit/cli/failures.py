"""What goes wrong, as one message on standard error and an exit status; never a traceback that nobody asked for."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from nnkit.cli.output import safe
from nnkit.errors import ArgumentError, FileError, NnkitError, NnkitWarning

FAILURE, USAGE, INTERRUPTED = 1, 2, 130  # 130 is 128 + SIGINT, as shells have it
TRACEBACK = "NNKIT_TRACEBACK"


def guarded(run: Callable[[], int]) -> int:
    """The exit status of ``run``. What it raises is said in one message; a reader that has gone is left in peace."""
    _fill_streams()
    _accept_any_text()
    status, ending = _attempt(run), _attempt(_flush)
    return status or ending


def _attempt(run: Callable[[], int]) -> int:
    try:
        with _plain_warnings():
            return run()
    except SystemExit as end:  # argparse, after --help and after a wrong command line
        return end.code if isinstance(end.code, int) else FAILURE
    except BrokenPipeError:  # `nnkit explain … | head`: not an error of anybody's
        return FAILURE
    except BaseException as error:
        status, message = explained(error)
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        say(message)
        return status


def _flush() -> int:
    """Write out what is left. What fails goes nowhere, so that Python's own flush at exit does not fail again."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _drop(sys.stdout)
        raise _lost(error) from error
    return 0


def shown(text: str) -> list[Exception]:
    """Print a text at once. What kept it from being printed is returned: it need not keep files from being written.

    A reader that has gone is no failure.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        _drop(sys.stdout)
        return [] if isinstance(error, BrokenPipeError) else [_lost(error)]
    return []


def _lost(error: OSError) -> OSError:
    if isinstance(error, BrokenPipeError):
        return error
    reason = error.strerror or error
    return FileError(f"standard output could not be written: {reason}; free some space, or send it elsewhere")


def say(message: str) -> None:
    """Write one message to standard error, if anybody is there."""
    with suppress(OSError, ValueError, AttributeError):  # broken, closed, absent
        sys.stderr.write(safe(f"{message}\n", keep="\n"))
        sys.stderr.flush()


def explained(error: BaseException) -> tuple[int, str]:
    """The exit status and the message of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, ArgumentError):
        return USAGE, f"error: {error}"
    if isinstance(error, (NnkitError, OSError)):
        return FAILURE, f"error: {error}"
    if isinstance(error, MemoryError):
        return FAILURE, "error: there is not enough memory; use a smaller --batch-size, fewer neurons or less data"
    return FAILURE, (
        f"internal error: {type(error).__name__}: {error}; please report it together with the traceback, "
        f"which {TRACEBACK}=1 in the environment shows"
    )


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Warnings as one line each, without the line of code that gave them; nnkit's own are always shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", NnkitWarning)
        warnings.showwarning = _show_warning
        yield


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    text = " ".join(str(message).split())
    say(f"warning: {text}" if issubclass(category, NnkitWarning) else f"warning: {category.__name__}: {text}")


def _fill_streams() -> None:
    """Let standard streams that are closed lead nowhere; else the next file that is opened is taken for one of them."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # until the process ends


def _accept_any_text() -> None:
    """Let a stream that cannot encode a character (an arrow in ASCII) show a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _drop(stream: TextIO) -> None:
    """Let everything that is still written to a stream vanish."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
