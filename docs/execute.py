"""Runs the cells of the tutorial in order and keeps what they show: python docs/execute.py [TO]

They run against the sources of this checkout, in a folder of their own that is cleared away, and as on a machine on
which nnkit has kept nothing. MNIST is looked for in NNKIT_DATA_DIR; ``--without mnist`` leaves out the cells of that
tag.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"


def environment(folder: Path) -> dict[str, str]:
    """What the kernel finds: this checkout, and nothing of the user's own settings and caches."""
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "backends")]),
        "NNKIT_CACHE_DIR": str(folder / "native"),
        "TMPDIR": str(folder),
        "IPYTHONDIR": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def executed(notebook: nbformat.NotebookNode, folder: Path) -> str:
    """The notebook with fresh outputs, as the text of its file, in which the folder's name does not appear."""
    os.environ.update(environment(folder))
    os.environ.pop("COLUMNS", None)
    where = {"metadata": {"path": str(folder)}}
    options = {"timeout": 600, "record_timing": False, "coalesce_streams": True}
    NotebookClient(notebook, kernel_name="python3", resources=where, **options).execute()
    return re.sub(rf"{re.escape(str(folder))}/(ipykernel_\d+/)?", "", nbformat.writes(notebook)) + "\n"


def main() -> None:
    """Execute the notebook and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("to", nargs="?", type=Path, default=TUTORIAL, help="the file to write, the tutorial itself")
    parser.add_argument("--without", metavar="TAG", help="leave out the cells with this tag")
    chosen = parser.parse_args()
    notebook = nbformat.read(TUTORIAL, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if chosen.without not in cell.metadata.get("tags", [])]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        text = executed(notebook, Path(folder).resolve())
    chosen.to.write_text(text)


if __name__ == "__main__":
    main()
