"""The process of one network: ``python -m nnkit.playground.worker``, spoken to over its standard streams."""

from __future__ import annotations

import os
import sys
import traceback

import nnkit.plan.explain  # noqa: F401  # before there are threads: two that import at once may see halves
from nnkit.playground import wire
from nnkit.playground.choices import choices
from nnkit.playground.desk import Desk
from nnkit.playground.inbox import Inbox


def main() -> None:
    """Answer until the pipe ends. Whatever else is printed goes to the error stream."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    choices()  # takes a while the first time, which the first person need not wait for
    inbox = Inbox(sys.stdin.buffer)
    desk = Desk(inbox, lambda kind, content: wire.write(out, kind, content))
    inbox.start()
    try:
        desk.serve()
    except BrokenPipeError:
        os._exit(0)
    except BaseException:  # without the end of the interpreter, which waits for what the thread reads and says less
        traceback.print_exc(file=sys.stderr)
        os._exit(1)


if __name__ == "__main__":
    main()
