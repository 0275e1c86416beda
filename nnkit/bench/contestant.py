"""The process of one contestant: it prepares a block, warms up, and times the block whenever it is told to.

``python -m nnkit.bench.contestant MODULE FUNCTION ARGUMENTS``: the function gets the arguments, which are JSON, and
returns the block and how many steps (or calls) it holds. Each answer is a line of JSON on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from nnkit.bench.job import Job
from nnkit.errors import NnkitError

Block = Callable[[], object]
"""Does the work; everything is done when it returns."""
WARM_UP = 2


def main(module: str, function: str, arguments: str) -> None:
    """Answer with ``{"ready": true}``, then with the seconds of one step for each line of input; or with the error."""
    with _answers() as answers:
        try:
            block, steps = _prepared(module, function, json.loads(arguments))
        except Exception as error:  # whatever a framework raises, its rivals go on and the reason is told
            traceback.print_exc()
            _say(answers, error=str(error) if isinstance(error, NnkitError) else f"{type(error).__name__}: {error}")
            return
        _say(answers, ready=True)
        for _ in sys.stdin:
            began = time.perf_counter()
            block()
            _say(answers, seconds=(time.perf_counter() - began) / steps)


def _prepared(module: str, function: str, arguments: dict[str, Any]) -> tuple[Block, int]:
    if "job" in arguments:
        arguments["job"] = Job.from_dict(arguments["job"])
    block, steps = getattr(importlib.import_module(module), function)(**arguments)
    for _ in range(WARM_UP):
        block()
    return block, steps


def _answers() -> TextIO:
    """Standard output for the answers alone: what a framework prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, **answer: object) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
