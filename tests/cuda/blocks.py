"""Blocks whose threads run side by side on this processor, for kernels that share memory: what waits too little, shows.

Copies to shared memory are made as they are asked for, or as late as they may be: both are allowed on a GPU.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnkit.plan.look import Look
from nnkit_cupy.source.pieces import Piece
from nnkit_cupy.source.prelude import COPIES, PRELUDE
from tests.cuda.stand_in import compiler

SHIM = r"""
#include <barrier>
#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <thread>
#include <vector>
using namespace std;
#define __device__
#define __shared__ static
#define __syncthreads() everyone->arrive_and_wait()
#define __syncwarp() warps[threadIdx.x / 32]->arrive_and_wait()
struct float2 { float x, y; };
struct float4 { float x, y, z, w; };
struct Place { int x, y, z; };
static thread_local Place threadIdx, blockIdx;
static Place blockDim, gridDim;
static unique_ptr<barrier<>> everyone;
static vector<unique_ptr<barrier<>>> warps;
template <class T> T __shfl_xor_sync(unsigned, T x, int) { return x; }
template <class T> T __shfl_down_sync(unsigned, T x, int) { return x; }

struct Copy { float* to; const float* from; int count; bool wanted; };
static bool late;
static thread_local vector<Copy> asked;
static thread_local deque<vector<Copy>> sets;
static void copied(const Copy& c) { for (int i = 0; i < c.count; i++) c.to[i] = c.wanted ? c.from[i] : 0; }
template <int N> void nn_copy(float* to, const float* from, bool wanted) {
    if (late) asked.push_back({to, from, N, wanted}); else copied({to, from, N, wanted});
}
static void nn_commit() { sets.push_back(asked); asked.clear(); }
template <int LATEST> void nn_wait() {
    for (; sets.size() > LATEST; sets.pop_front()) for (auto& each : sets.front()) copied(each);
}
"""
RUN = r"""
extern "C" void run(int number, int blocks, int threads, int wait_late, float* b0, float* b1, float* b2) {
    late = wait_late; blockDim.x = threads; gridDim.x = blocks;
    everyone = make_unique<barrier<>>(threads);
    warps.clear();
    for (int warp = 0; warp < threads / 32; warp++) warps.push_back(make_unique<barrier<>>(32));
    memset(shared, 255, sizeof(shared));
    vector<thread> all;
    for (int i = 0; i < threads; i++) all.emplace_back([=] {
        threadIdx.x = i;
        for (int block = 0; block < blocks; block++) {
            blockIdx.x = block;
            kernels[number](b0, b1, b2);
            __syncthreads();
        }
    });
    for (auto& each : all) each.join();
}
"""


def text(pieces: Sequence[Piece]) -> str:
    """The source of pieces that read b0 and b1, and write b2."""
    head = f"alignas(16) static char shared[{max(piece.shared for piece in pieces)}];\n#define OFFSET(n) n\n"
    bodies = ["\n".join(piece.lines) for piece in pieces]
    kernels = [
        f"static void kernel{i}(float* b0, float* b1, float* b2) {{\n{body}\n}}" for i, body in enumerate(bodies)
    ]
    names = ", ".join(f"kernel{i}" for i in range(len(pieces)))
    table = f"static void (*const kernels[])(float*, float*, float*) = {{{names}}};"
    return "\n".join([SHIM, PRELUDE.replace(COPIES, ""), head, *kernels, table, RUN])


class Blocks:
    """Does each of some pieces with the threads that it asks for."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        folder = Path(tempfile.mkdtemp(prefix="nnkit-blocks-"))
        (folder / "kernels.cpp").write_text(text(pieces))
        flags = ["-shared", "-fPIC", "-O1", "-std=c++20", "-fno-strict-aliasing", "-w", "-pthread"]
        command = [str(compiler()), *flags, str(folder / "kernels.cpp"), "-o", str(folder / "kernels.so")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"the kernels do not compile:\n{done.stderr[:3000]}")
        self._run = ctypes.CDLL(str(folder / "kernels.so")).run

    def run(self, number: int, a: np.ndarray, b: np.ndarray, out: np.ndarray, late: bool, blocks: int = 3) -> None:
        """One of them, with so many blocks one after the other."""
        piece = self._pieces[number]
        places = [ctypes.c_void_p(array.ctypes.data) for array in (a, b, out)]
        self._run(number, min(blocks, piece.blocks), piece.threads, int(late), *places)


def looks(m: int, n: int, k: int, flags: tuple[bool, bool], offset: int = 0) -> tuple[Look, Look, Look]:
    """Operands and result of a product; flags say which operand lies transposed."""
    a = Look("b0", offset, (m, k), (1, m) if flags[0] else (k, 1))
    b = Look("b1", offset, (k, n), (1, k) if flags[1] else (n, 1))
    return a, b, Look("b2", offset, (m, n), (n, 1))
