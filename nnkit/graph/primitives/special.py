"""The error function by arithmetic alone, so that it runs on every namespace and fuses with its neighbours."""

from __future__ import annotations

from typing import Any

Array = Any

# erf(x) = x P(x²) / Q(x²) on |x| ≤ 6, where erf(6) = 1 in float64. The coefficients are our own weighted least-squares
# fit in 60-digit arithmetic; relative error 4e-18 before rounding, 9e-16 in float64 and 5e-7 in float32.
P = (
    1.1283791670955126, 0.20711594624750923, 0.06382110785246213, 0.006171694515082002, 0.0007901690803539798,
    4.847604102851375e-05, 3.418363166988268e-06, 1.353937335932915e-07, 5.5323092044951505e-09, 1.21005787574967e-10,
    2.327005402787224e-12, -4.0554155843828835e-15, -2.336563891683354e-16, -2.0987504549799486e-19,
)  # fmt: skip
Q = (
    1.0, 0.5168850615885023, 0.12885500472057387, 0.020542207745819975, 0.0023393287755355866,
    0.00020108192106331037, 1.3415096690396598e-05, 7.011651283311196e-07, 2.845912615625156e-08, 8.653178632407013e-10,
    1.78310632693392e-11, 1.7223633367564425e-13, -2.3303284671295257e-15, -1.0972224917501596e-17,
)  # fmt: skip


def erf(xp: Any, x: Array) -> Array:
    """(2/√π) ∫₀ˣ exp(−t²) dt; odd, erf(±∞) = ±1, NaN stays NaN."""
    bounded = xp.clip(x, -6.0, 6.0)
    square = bounded * bounded
    return bounded * (_horner(P, square) / _horner(Q, square))


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * x + coefficient
    return total
