"""Machine code on disk: found again by the next process, and never trusted blindly."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

from nnkit_numpy.jit import cache, machine
from nnkit_numpy.jit.machine import compiled

TEXT = "@export\ndef run(x) -> int64:\n    return x + 1\n"
ONE = "import sys; from nnkit_numpy.jit.machine import compiled; print(compiled(sys.stdin.read()).from_cache)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.DIRECTORY, str(tmp_path))
    return tmp_path / "native"


def in_another_process(text):
    done = subprocess.run([sys.executable, "-c", ONE], input=text, text=True, check=True, capture_output=True)
    return done.stdout.strip() == "True"


def test_the_code_is_kept_for_the_next_process(folder):
    assert not in_another_process(TEXT)
    found = compiled(TEXT)
    assert found.from_cache
    assert found.function("run", 1)(4) == 5
    assert in_another_process(TEXT)
    (file,) = folder.iterdir()
    assert file.suffix == ".o"


KERNELS = """
@apart
def kernel(x) -> int64:
    return x + {0}


@export
def run(x) -> int64:
    return kernel(x)
"""


@pytest.mark.slow
def test_programs_from_different_processes_do_not_call_each_others_kernels(folder):
    texts = [KERNELS.format(number) for number in (1, 2, 3)]
    assert not any(in_another_process(text) for text in texts)
    made = [compiled(text) for text in texts]
    assert all(code.from_cache for code in made)
    assert [code.function("run", 1)(10) for code in made] == [11, 12, 13]


def test_code_stays_while_its_function_does_and_goes_with_it(folder):
    functions = [compiled(KERNELS.format(number)).function("run", 1) for number in range(20)]
    del functions[::2]
    assert [function(0) for function in functions] == list(range(1, 20, 2))


@pytest.mark.parametrize("damage", [b"", b"short", b"\x7fELF" + os.urandom(500), None])
def test_a_damaged_file_is_written_anew(folder, damage):
    compiled(TEXT)
    (file,) = folder.iterdir()
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]) if damage is None else damage)
    found = compiled(TEXT)
    assert not found.from_cache
    assert found.function("run", 1)(4) == 5
    assert file.read_bytes() == kept


def test_code_of_another_processor_is_not_found(folder, monkeypatch):
    compiled(TEXT)
    assert compiled(TEXT).from_cache
    name, _ = machine._processor()
    monkeypatch.setattr(machine, "_processor", lambda: (name, "+sse2"))
    assert not compiled(TEXT).from_cache
    assert len(list(folder.iterdir())) == 2


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.DIRECTORY, str(tmp_path / "file"))
    assert compiled(TEXT).function("run", 1)(4) == 5
    assert not compiled(TEXT).from_cache


def test_a_folder_that_may_only_be_read(folder, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("read-only file system")

    monkeypatch.setattr(cache.Path, "write_bytes", refuse)
    assert compiled(TEXT).function("run", 1)(4) == 5
    assert not list(folder.iterdir())


def test_a_disk_that_is_full(folder, monkeypatch):
    def half(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(cache.Path, "write_bytes", half)
    assert compiled(TEXT).function("run", 1)(4) == 5
    assert not list(folder.iterdir())
