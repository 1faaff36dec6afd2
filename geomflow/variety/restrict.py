"""Samples inside one coordinate patch, by rejection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.variety.points import Points, concatenate

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface

_ROUNDS = 200


def sample_patch(variety: Hypersurface, n: int, seed: int, patch: int | tuple[int, ...], elim: int) -> Points:
    """`n` points whose largest coordinate is `patch` (one for each factor) and whose eliminated one is `elim`.

    Samples are drawn and all other points rejected, as in section 3 of the paper; the weights remain those of the whole
    variety, so sums over the patch are integrals over it. Raises `InputError` where the patch is empty.
    """
    wanted = np.atleast_1d(patch)
    kept: list[Points] = []
    found, drawn = 0, 0
    for round_ in range(_ROUNDS):
        draw = 4096 if drawn == 0 or found == 0 else int(1.1 * (n - found) * drawn / found) + 256
        points = variety.sample(draw, np.random.SeedSequence((seed, round_)).generate_state(1)[0])
        mask = np.all(points.patch == wanted, axis=1) & (points.elim == elim)
        kept.append(points[mask])
        found, drawn = found + int(mask.sum()), drawn + draw
        if found >= n:
            return concatenate(*kept)[:n]
        if round_ > 10 and found == 0:
            break
    raise InputError(
        f"{found} of {drawn} points are in patch {wanted.tolist()} with coordinate {elim} eliminated: no sample of {n}"
    )
