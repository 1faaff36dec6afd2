"""How many bits the vectors of generated loops have, and whether their registers are many, by the kind of processor.

LLVM prefers 256 bits on Intel's processors with 512: older ones lower their clock for wide vectors. On one of the newer
(Emerald Rapids) generated routines were measured to be as fast with them or faster, and the others are taken to be like
it. Values do not depend on the width: every point is computed by the same operations, and loops hold no sums.
"""

from __future__ import annotations

import os
from functools import lru_cache

from geomflow.core.errors import InputError

NARROW = ("skylake-avx512", "cascadelake", "cooperlake", "cannonlake", "knl", "knm")
"""Processors with vectors of 512 bits that run slower with them."""

WIDTHS = (128, 256, 512)


def vector_bits() -> int:
    """The width that generated loops ask for: $GEOMFLOW_VECTOR_BITS, else by the processor; 0 leaves it to LLVM.

    Raises InputError for a width that there is not.
    """
    forced = os.environ.get("GEOMFLOW_VECTOR_BITS", "")
    if not forced:
        return preferred(*_processor())
    if forced not in map(str, WIDTHS):
        raise InputError(f"GEOMFLOW_VECTOR_BITS is {forced!r}; vectors have 128, 256 or 512 bits")
    return int(forced)


def wide_registers() -> bool:
    """Whether the processor has 32 vector registers and converts integers to doubles in them, at any width."""
    return _WIDE <= set(_processor()[1].split(","))


def preferred(processor: str, features: str) -> int:
    """The width for a processor by LLVM's name and its features, "+avx2,-avx512f,…"."""
    return 512 if set(features.split(",")) >= _WIDE and processor not in NARROW else 0


_WIDE = {"+avx512f", "+avx512dq", "+avx512vl"}


@lru_cache(maxsize=1)
def _processor() -> tuple[str, str]:
    """The processor that code is made for, by LLVM's name, and its features."""
    from llvmlite import binding

    return (os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name(),
            os.environ.get("NUMBA_CPU_FEATURES") or binding.get_host_cpu_features().flatten())
