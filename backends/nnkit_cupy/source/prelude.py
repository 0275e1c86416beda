"""What every module begins with: functions that CUDA lacks, and sums and extrema over the threads of a block.

The code runs with any number of threads in a block, one included, so that it can be compiled for a processor and tested
there (where ``HELD`` says so, with at least as many as its piece asks for). A block has at most 1024 threads, in whole
warps if it has more than one.
"""

COPIES = r"""
// Copies to shared memory that go on while the block computes, where the GPU can; what is not wanted becomes zeros.
// Those before a commit are one set; a wait is until all of this thread's but the latest sets are there.
template <int N> __device__ inline void nn_copy(float* to, const float* from, bool wanted) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const unsigned at = (unsigned)__cvta_generic_to_shared(to);
    const int n = wanted ? 4 * N : 0;
    if (N == 4) asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from), "r"(n) : "memory");
    else asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(at), "l"(from), "r"(n) : "memory");
#else
    for (int i = 0; i < N; i++) to[i] = wanted ? from[i] : 0;
#endif
}
__device__ inline void nn_commit() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
template <int LATEST> __device__ inline void nn_wait() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(LATEST) : "memory");
#endif
}
"""

PRELUDE = (
    COPIES
    + r"""
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#endif
#define TID ((int)threadIdx.x)
#define THREADS ((int)blockDim.x)
#define BID ((int)blockIdx.x)
#define BLOCKS ((int)gridDim.x)
#define WARP (THREADS < 32 ? THREADS : 32)
#define TEAMS (THREADS < 32 ? 1 : THREADS / 32)
// The number of a thread, where that one is the first, and the one before it the last.
#define FROM(first) (THREADS < 32 ? TID : TID < first ? TID + THREADS - first : TID - first)
#ifndef EACH
#define EACH(items) (((items) + 31) / 32)  // how many of so many items a lane of a warp has at most
#endif
#ifndef HELD
#define HELD(items) 1  // so many items a thread stands for, where a block has fewer threads than its code asks for
#endif
typedef signed char int8; typedef unsigned char uint8; typedef unsigned int uint32; typedef long long int64;

// Halves are kept and moved; arithmetic is in float. Rounding is to the nearest, ties to even; NaN stays.
struct nn_bfloat16 {
    unsigned short bits;
    nn_bfloat16() = default;
    __device__ explicit nn_bfloat16(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
        uint32 b;
        memcpy(&b, &x, 4);
        bits = x != x ? 0x7fff : (unsigned short)((b + 0x7fff + ((b >> 16) & 1)) >> 16);
#endif
    }
    __device__ operator float() const {
        uint32 b = (uint32)bits << 16;
        float x;
        memcpy(&x, &b, 4);
        return x;
    }
};
struct nn_float16 {
    unsigned short bits;
    nn_float16() = default;
#ifdef __CUDA_ARCH__
    __device__ explicit nn_float16(float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x)); }
    __device__ operator float() const { float x; asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits)); return x; }
#else
    explicit nn_float16(float x) {
        const float a = fabsf(x);
        int e;
        frexpf(a, &e);
        // The distance of neighbours is 2^(e - 11), and 2^-24 below the smallest normal number; the larger of the two.
        const float apart = ldexpf(1, (e < -13 ? -13 : e) - 11), whole = rintf(a / apart);
        const float y = whole * apart;
        if (x != x) bits = 0x7fff;
        else if (y >= 65520) bits = 0x7c00;
        else if (y < 6.103515625e-05f) bits = (unsigned short)(y * 16777216);
        else { frexpf(y, &e); bits = (unsigned short)(((e + 14) << 10) + (int)(ldexpf(y, 11 - e)) - 1024); }
        bits |= signbit(x) ? 0x8000 : 0;
    }
    operator float() const {
        const int e = bits >> 10 & 31, m = bits & 1023;
        const float y = e == 31 ? (m ? NAN : INFINITY) : e ? ldexpf(1024 + m, e - 25) : ldexpf(m, -24);
        return bits & 0x8000 ? -y : y;
    }
#endif
};

// Some elements at once, by way of a vector of as many bytes.
template <class V, class T> __device__ inline void nn_read(T* to, const T* from) {
    const V v = *(const V*)from;
    memcpy(to, &v, sizeof v);
}
template <class V, class T> __device__ inline void nn_write(T* to, const T* from) {
    V v;
    memcpy(&v, from, sizeof v);
    *(V*)to = v;
}

// A row by its number; those below zero count from the end.
__device__ inline int64 nn_row(int64 i, int64 rows) { return i < 0 ? i + rows : i; }

template <class T> __device__ inline T nn_sign(T x) { return x != x ? x : (T)((x > 0) - (x < 0)); }
template <class T> __device__ inline T nn_abs(T x) { return x < 0 ? (T)-x : x; }
template <class T> __device__ inline T nn_pow(T x, T y) {
    T result = 1;
    for (; y > 0; y >>= 1) { if (y & 1) result *= x; x *= x; }
    return result;
}
// Of whole numbers: dividing by zero gives zero.
template <class T> __device__ inline T nn_remainder(T x, T y) {
    if (y == 0 || ((T)-1 < 0 && y == (T)-1)) return 0;
    T rest = x % y;
    return rest != 0 && ((rest < 0) != (y < 0)) ? (T)(rest + y) : rest;
}
template <class T> __device__ inline T nn_floor_divide(T x, T y) {
    if (y == 0) return 0;
    if ((T)-1 < 0 && y == (T)-1) return (T)(0 - x);
    T rest = x % y;
    return (T)(x / y - (rest != 0 && ((rest < 0) != (y < 0))));
}
template <class T> __device__ inline T nn_fraction_remainder(T x, T y) {
    T rest = fmod(x, y);
    if (rest == 0) return copysign((T)0, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
}
template <class T> __device__ inline T nn_fraction_floor_divide(T x, T y) {
    if (y == 0) return x / y;
    T rest = fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0 && (rest < 0) != (y < 0)) quotient -= 1;
    if (quotient == 0) return copysign((T)0, x / y);
    T whole = floor(quotient);
    return quotient - whole > (T)0.5 ? whole + 1 : whole;
}
template <> __device__ inline float nn_remainder(float x, float y) { return nn_fraction_remainder(x, y); }
template <> __device__ inline double nn_remainder(double x, double y) { return nn_fraction_remainder(x, y); }
template <> __device__ inline float nn_floor_divide(float x, float y) { return nn_fraction_floor_divide(x, y); }
template <> __device__ inline double nn_floor_divide(double x, double y) { return nn_fraction_floor_divide(x, y); }
template <class T> __device__ inline T nn_logaddexp(T x, T y) {
    if (x == y) return x + (T)0.6931471805599453;
    T between = x - y;
    return between > 0 ? x + log1p(exp(-between)) : y + log1p(exp(between));
}

// What is folded: the identity has no effect, and NaN stays.
template <class T> struct Sum { static __device__ inline T of(T a, T b) { return a + b; } };
template <class T> struct Product { static __device__ inline T of(T a, T b) { return a * b; } };
template <class T> struct Max { static __device__ inline T of(T a, T b) { return a > b || a != a ? a : b; } };
template <class T> struct Min { static __device__ inline T of(T a, T b) { return a < b || a != a ? a : b; } };
template <class T> struct All { static __device__ inline T of(T a, T b) { return a && b; } };
template <class T> struct Any { static __device__ inline T of(T a, T b) { return a || b; } };

// All threads of the warp call it; all get the result.
template <class T, template <class> class F> __device__ inline T nn_fold_warp(T x) {
    if (THREADS == 1) return x;
    for (int apart = 16; apart; apart /= 2) x = F<T>::of(x, __shfl_xor_sync(0xffffffffu, x, apart));
    return x;
}

// All threads of the block call it; all get the result. Its order depends on the number of threads alone.
template <class T, template <class> class F> __device__ inline T nn_fold(T x) {
    if (THREADS == 1) return x;
    __shared__ T parts[32];
    __shared__ T whole;
    int count = THREADS / 32;
    x = nn_fold_warp<T, F>(x);
    if (count == 1) return x;
    if (TID % 32 == 0) parts[TID / 32] = x;
    __syncthreads();
    if (TID < 32) {
        T y = parts[TID < count ? TID : 0];
        for (int apart = 16; apart; apart /= 2) {
            T other = __shfl_down_sync(0xffffffffu, y, apart);
            if (TID + apart < count) y = F<T>::of(y, other);
        }
        if (TID == 0) whole = y;
    }
    __syncthreads();
    T result = whole;
    __syncthreads();
    return result;
}
"""
)
