"""Randomness arrives as a seed or as a Generator, never from a global state."""

from __future__ import annotations

import numpy as np

from geomflow.core.errors import InputError


def generator(seed: int | np.random.Generator | np.random.SeedSequence) -> np.random.Generator:
    """The random generator of a seed, or the given generator itself.

    The same seed gives the same numbers, whatever the number of threads or workers: work that is divided
    takes one child of `numpy.random.SeedSequence(seed).spawn(blocks)` for each block, not for each worker.

    Raises `InputError` where `seed` is None (numbers that nobody could reproduce), negative, or no whole number.

    >>> generator(7).integers(10, size=3).tolist() == generator(7).integers(10, size=3).tolist()
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None or (isinstance(seed, (int, np.integer)) and seed < 0):
        raise InputError(_ADVICE.format(seed))
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InputError(_ADVICE.format(repr(seed))) from None


_ADVICE = "the seed is {}; give a whole number >= 0 or a numpy.random.Generator"
