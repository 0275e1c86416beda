"""``python -m nnkit``: the command line."""

from nnkit.cli import main

raise SystemExit(main())
