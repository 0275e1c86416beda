"""The compiler of CUDA at run time, by its C interface: it needs neither CuPy nor a GPU."""

from __future__ import annotations

import ctypes
import os
import re
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_100", "sm_120")
REPORT = re.compile(r"entry function '(\w+)'.*?(\d+) bytes spill stores", re.DOTALL)


class Nvrtc:
    """The compiler; its errors are AssertionErrors with what it says."""

    def __init__(self, path: str) -> None:
        for builtins in Path(path).parent.glob("libnvrtc-builtins.so.*"):  # which some releases do not find themselves
            ctypes.CDLL(str(builtins))
        self._library = ctypes.CDLL(path)

    def architectures(self) -> set[str]:
        """Those that it compiles for."""
        count = ctypes.c_int()
        self._call("nvrtcGetNumSupportedArchs", ctypes.byref(count))
        found = (ctypes.c_int * count.value)()
        self._call("nvrtcGetSupportedArchs", found)
        return {f"sm_{number}" for number in found}

    def compiled(self, text: str, architecture: str, assembled: bool = True) -> list[str]:
        """Compile as the runtime does; gives the kernels whose registers are spilled. PTX alone, if not assembled."""
        program, kernels = ctypes.c_void_p(), text.count(" __global__ ")
        self._call("nvrtcCreateProgram", ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
        try:
            kind = architecture if assembled else architecture.replace("sm", "compute")
            options = [f"--gpu-architecture={kind}", "--std=c++17", *(["--ptxas-options=-v"] if assembled else [])]
            given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
            status = self._library.nvrtcCompileProgram(program, len(options), given)
            log = self._read(program, "ProgramLog").decode().rstrip("\0")
            if status:
                raise AssertionError(f"the kernels do not compile for {architecture}:\n{log[:3000]}")
            assert self._read(program, "PTX").count(b".visible .entry ") == kernels
            if not assembled:
                return []
            assert self._read(program, "CUBIN").startswith(b"\x7fELF")
            found = REPORT.findall(log)
            assert len(found) == kernels, log[:3000]
            return [f"{name} spills {nbytes} bytes for {architecture}" for name, nbytes in found if int(nbytes)]
        finally:
            self._call("nvrtcDestroyProgram", ctypes.byref(program))

    def _read(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        found = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, found)
        return found.raw

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self._library, name)(*arguments)
        assert status == 0, f"{name} has the status {status}"


@cache
def nvrtc() -> Nvrtc | str:
    """The newest one of this environment, or that of the system; or why there is none."""
    package = find_spec("nvidia")
    folders = (package and package.submodule_search_locations) or []
    paths = [str(path) for folder in folders for path in Path(folder).rglob("libnvrtc.so.*")]
    paths.sort(key=lambda path: int(path.rpartition(".so.")[2].split(".")[0]))
    path = paths[-1] if paths else find_library("nvrtc")
    if path is None:
        return "NVRTC is not installed"
    found = Nvrtc(path)
    missing = set(ARCHITECTURES) - found.architectures()
    return f"the NVRTC of {path} does not know {', '.join(sorted(missing))}" if missing else found


def required() -> Nvrtc:
    """The compiler; where it is missing a test skips, or fails if NNKIT_REQUIRE_NVRTC=1."""
    found = nvrtc()
    if isinstance(found, Nvrtc):
        return found
    if os.environ.get("NNKIT_REQUIRE_NVRTC") == "1":
        pytest.fail(f"a compiler of CUDA is needed, since NNKIT_REQUIRE_NVRTC=1: {found}")
    pytest.skip(found)
