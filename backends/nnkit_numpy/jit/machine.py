"""From the text of functions to machine code, kept on disk for the next process."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from threading import Lock
from types import MappingProxyType
from typing import Any

import llvmlite
from llvmlite import binding

from nnkit._version import __version__
from nnkit_numpy.jit import cache
from nnkit_numpy.jit.expressions import Generator
from nnkit_numpy.jit.intrinsics import intrinsics
from nnkit_numpy.jit.language import module

_LOCK = Lock()
"""LLVM and its Python names work for one thread at a time."""


class Code:
    """Compiled functions, by name; the memory that holds them goes with this object."""

    def __init__(self, code: bytes, from_cache: bool) -> None:
        self.from_cache = from_cache
        self._code = code  # LLVM reads it where it is
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target())
        self._engine.add_object_file(binding.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Of a function that the text exports."""
        return int(self._engine.get_function_address(name))

    def function(self, name: str, count: int) -> Any:
        """The same as something to call: with ``count`` int64, giving an int64. Other threads run meanwhile."""
        called: Any = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(self.address(name))
        called.code = self  # which holds its memory
        return called


def compiled(text: str, more: Mapping[str, Generator] = MappingProxyType({})) -> Code:
    """The functions of a text that may call ``more``. A cache that cannot be used costs only time."""
    with _LOCK:
        key = f"{__version__} {llvmlite.__version__} {_processor()} {text}"
        code = cache.read(key)
        if code is not None:
            return Code(code, from_cache=True)
        code = _object(str(module(text, intrinsics() | dict(more))))
        cache.keep(key, code)
        return Code(code, from_cache=False)


@functools.cache
def _processor() -> tuple[str, str]:
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def target() -> Any:
    """A new one for each use: an engine frees its own."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    cpu, features = _processor()
    return binding.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def _object(text: str) -> bytes:
    """Machine code, as an object file."""
    machine = target()
    return bytes(machine.emit_object(optimised(text, machine)))


def optimised(text: str, machine: Any) -> Any:
    """The module after LLVM's passes for this processor."""
    parsed = binding.parse_assembly(text)
    parsed.triple, parsed.data_layout = machine.triple, str(machine.target_data)
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(parsed, passes)
    return parsed
