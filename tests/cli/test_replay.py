"""``nnkit replay``: the step that failed, shown again."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from nnkit.cli import main
from nnkit.diagnosis import Failure


def test_the_command_that_a_failed_training_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train", "--learning-rate", "1e20", "--optimizer", "sgd", "--epochs", "3"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    found = re.search(r"nnkit replay (\S+\.npz)", said)
    assert found
    path = Path(found[1])
    assert path.parent.parent == Path(tempfile.gettempdir())
    assert main(["replay", str(path)]) == 0
    shown = capsys.readouterr().out
    first, *lines = shown.splitlines()
    failure = Failure.read(path)
    assert first.startswith("epoch 1, step 2: 32 rows, ")
    assert str(failure) in " ".join(shown.split())
    table = lines[lines.index("") + 1 :]
    assert table[0].split() == ["layer", "phase", "values", "largest"]
    assert len(table) - 1 == len(failure.lines)
    assert any(line.endswith("and NaN or infinity") for line in table)
    assert not table[1].endswith("infinity")  # the first layer was still in its range


def test_what_is_no_such_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "other.npz").write_text("text")
    assert main(["replay", str(tmp_path / "other.npz")]) == 1
    assert "is not a step that nnkit kept" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "missing.npz")]) == 1
    assert "missing.npz" in capsys.readouterr().err
