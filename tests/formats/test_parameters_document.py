"""docs/PARAMETERS.md says what the code does."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from nnkit import nn
from nnkit.formats.torch_activations import PLAIN, WITH_PARAMETERS, WITHOUT, code_of
from nnkit.formats.torch_names import equivalent
from nnkit.nn.serial import LAYERS
from tests.formats.models import agree, network
from tests.nn.table import ROWS
from tests.peers import peer

TEXT = (Path(__file__).parents[2] / "docs" / "PARAMETERS.md").read_text()


def table(head: str) -> dict[str, str]:
    """First and second column."""
    lines = TEXT.split(f"| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [line.strip("| ").split("|") for line in lines]
    return {row[0].strip(): row[1].strip() for row in cells}


def test_the_activations() -> None:
    found = table("activation")
    assert found.pop(", ".join(f"`{name}`" for name in WITHOUT)) == "none"
    assert found.keys() == {f"`{name}`" for name in (*PLAIN, *WITH_PARAMETERS)}
    for name, module in found.items():
        assert f"nn.{module.strip('`')}" == code_of(nn.Activation(name.strip("`")))


@pytest.mark.parametrize("name", [name for name in ROWS if not name.endswith("more axes")])
def test_the_layers(name: str) -> None:
    found, layer = table("layer"), ROWS[name].make()
    assert found.keys() == {f"`{kind.__name__}`" for kind in LAYERS.values()}
    if not isinstance(layer, nn.Sequential | nn.Activation | nn.Rescaling):
        module = re.match(r"`([\w.]+)`", found[f"`{type(layer).__name__}`"])
        assert module is not None
        assert f"    nn.{module[1]}(" in equivalent(network([layer], ROWS[name].shape[1:]))


def test_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer("torch")
    peer("safetensors.torch")
    monkeypatch.chdir(tmp_path)
    code, shown = (re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) for kind in ("python", "text"))
    scope: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code[0], scope)
    assert printed.getvalue() == shown[0]
    assert shown[0].rstrip() in code[1]
    exec(code[1], scope)
    agree(scope["net"], scope["model"])
