"""All threads of a block on this processor, as fibers: between two meetings they run in any order, one after the other.

So whole kernels run as they do on a GPU, with warps that exchange values, memory that a block shares, and copies to it
that come as late as they may. What waits too little gives other numbers in another order; a meeting that not all come
to is an error. Memory that is shared holds NaN when a block begins.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from nnkit_cupy.source.prelude import COPIES, PRELUDE

SHIM = r"""
#include <algorithm>
#include <cmath>
#include <math.h>
#include <cstring>
#include <deque>
#include <random>
#include <vector>
#include <ucontext.h>
using namespace std;
#define __global__
#define __device__
#define __shared__ static __attribute__((section("shared_by_a_block")))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __syncthreads() rest(BLOCK)
#define __syncwarp() rest(WARP_)
struct float2 { float x, y; };
struct float4 { float x, y, z, w; };
struct Place { int x, y, z; };
static Place threadIdx, blockDim = {1, 1, 1}, blockIdx, gridDim = {1, 1, 1};

enum Waits { NOTHING, BLOCK, WARP_, DONE };
struct Copy { float* to; const float* from; int count; bool wanted; };
struct Fiber {
    ucontext_t context;
    vector<char> stack = vector<char>(1 << 16);
    Waits waits;
    vector<Copy> asked;
    deque<vector<Copy>> sets;
};
static vector<Fiber> fibers;
static ucontext_t home;
static int current;
static bool late;
static long long boxes[32][32];

static void rest(Waits waits) {
    fibers[current].waits = waits;
    swapcontext(&fibers[current].context, &home);
}
template <class T> static T exchanged(T x, int lane) {
    memcpy(&boxes[current / 32][current % 32], &x, sizeof x);
    rest(WARP_);
    T y;
    memcpy(&y, &boxes[current / 32][lane], sizeof y);
    rest(WARP_);
    return y;
}
template <class T> T __shfl_xor_sync(unsigned, T x, int apart) { return exchanged(x, current % 32 ^ apart); }
template <class T> T __shfl_down_sync(unsigned, T x, int apart) {
    return exchanged(x, current % 32 + apart < 32 ? current % 32 + apart : current % 32);
}
static void copied(const Copy& c) { for (int i = 0; i < c.count; i++) c.to[i] = c.wanted ? c.from[i] : 0; }
template <int N> void nn_copy(float* to, const float* from, bool wanted) {
    if (late) fibers[current].asked.push_back({to, from, N, wanted}); else copied({to, from, N, wanted});
}
static void nn_commit() {
    fibers[current].sets.push_back(fibers[current].asked);
    fibers[current].asked.clear();
}
template <int LATEST> void nn_wait() {
    auto& sets = fibers[current].sets;
    for (; sets.size() > LATEST; sets.pop_front()) for (auto& each : sets.front()) copied(each);
}

typedef long long Word;
#define EIGHT(at) Word, Word, Word, Word, Word, Word, Word, Word
#define SIXTY_FOUR(at) EIGHT(at), EIGHT(at + 8), EIGHT(at + 16), EIGHT(at + 24), \
    EIGHT(at + 32), EIGHT(at + 40), EIGHT(at + 48), EIGHT(at + 56)
typedef void (*Kernel)(SIXTY_FOUR(0), SIXTY_FOUR(64));
#undef EIGHT
#define EIGHT(at) w[at], w[at + 1], w[at + 2], w[at + 3], w[at + 4], w[at + 5], w[at + 6], w[at + 7]
static Kernel kernel;
static const Word* w;
static void fiber() {
    kernel(SIXTY_FOUR(0), SIXTY_FOUR(64));
    fibers[current].waits = DONE;
}
static char before_all __attribute__((used, section("shared_by_a_block")));
extern char __start_shared_by_a_block[], __stop_shared_by_a_block[];

// Whether these fibers may go on: all who are not done wait for the same.
static bool met(int first, int last, Waits waits) {
    bool any = false;
    for (int i = first; i < last; i++) {
        if (fibers[i].waits != waits && fibers[i].waits != DONE) return false;
        any |= fibers[i].waits == waits;
    }
    if (any) for (int i = first; i < last; i++) if (fibers[i].waits == waits) fibers[i].waits = NOTHING;
    return any;
}
// One block; false where its threads wait for each other in vain.
extern "C" int block(Kernel given, const Word* words, int number, int blocks, int threads, unsigned seed) {
    mt19937 draw(seed);
    kernel = given, w = words, blockIdx.x = number, gridDim.x = blocks, blockDim.x = threads, late = seed % 2;
    memset(__start_shared_by_a_block, 255, __stop_shared_by_a_block - __start_shared_by_a_block);
    if ((int)fibers.size() < threads) fibers.resize(threads);
    vector<int> order;
    for (int i = 0; i < threads; i++) {
        Fiber& f = fibers[i];
        f.waits = NOTHING, f.asked.clear(), f.sets.clear();
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = f.stack.data(), f.context.uc_stack.ss_size = f.stack.size();
        f.context.uc_link = &home;
        makecontext(&f.context, fiber, 0);
        order.push_back(i);
    }
    for (;;) {
        shuffle(order.begin(), order.end(), draw);
        bool ran = false;
        for (int i : order) {
            if (fibers[i].waits != NOTHING) continue;
            current = threadIdx.x = i;
            swapcontext(&home, &fibers[i].context);
            ran = true;
        }
        bool go = met(0, threads, BLOCK);
        for (int i = 0; i < threads; i += 32) go |= met(i, min(i + 32, threads), WARP_);
        if (!go && !ran) break;
    }
    for (int i = 0; i < threads; i++) if (fibers[i].waits != DONE) return 0;
    return 1;
}
"""


ARGUMENTS = 128
"""Of a kernel at most."""


def source(text: str) -> str:
    """What is compiled for the kernels of a module."""
    return SHIM + text.replace(PRELUDE, PRELUDE.replace(COPIES, ""))


def run(library: ctypes.CDLL, name: str, arguments: Sequence[int], blocks: int, threads: int, seed: int) -> None:
    """So many blocks of a kernel one after the other; copies to shared memory come late where the seed is odd."""
    words = (ctypes.c_longlong * ARGUMENTS)(*arguments)
    for number in range(blocks):
        drawn = ctypes.c_uint(seed + 2 * number)
        if not library.block(getattr(library, name), words, number, blocks, threads, drawn):
            raise AssertionError(f"threads of {name} wait for each other in vain")
