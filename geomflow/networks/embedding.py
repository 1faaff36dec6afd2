"""Periodic inputs: the lattice phases of a torus through cosines and sines."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.networks.series import Series
from geomflow.networks.waves import wave_series

if TYPE_CHECKING:
    from geomflow.field.lattice import FlatTorus


@final
class FourierEmbedding:
    """x ↦ (cos 2π m t_a, sin 2π m t_a) for every lattice direction a and m = 1..harmonics, x = Σ_a t_a v_a.

    The v_a are the lattice vectors of the torus (rectangular or not): a function of these features is periodic, and on
    the torus the map is injective. `features` = 2 × harmonics × dimension: all cosines, then all sines.
    Raises `InputError` for a number of harmonics below one, and for what is no torus.

    >>> from geomflow.field import Torus
    >>> FourierEmbedding(Torus(dim=2), harmonics=2)
    8 cosines and sines on the torus R^2/Λ with coordinates x, y and periods 1, 1
    """

    def __init__(self, torus: FlatTorus, harmonics: int = 1) -> None:
        if not hasattr(torus, "lattice"):
            raise InputError(f"an embedding belongs to a torus, such as Torus(dim=2), and {torus!r} was given.")
        if isinstance(harmonics, bool) or not isinstance(harmonics, int | np.integer) or harmonics < 1:
            raise InputError(f"harmonics is a whole number >= 1, and it is {harmonics!r}.")
        self.torus, self.harmonics = torus, int(harmonics)
        basis = 2 * np.pi * np.linalg.inv(np.array(torus.lattice))
        self.waves = np.concatenate([m * basis for m in range(1, self.harmonics + 1)], axis=1)

    @property
    def inputs(self) -> int:
        """The number of torus coordinates."""
        return self.torus.real_dim

    @property
    def features(self) -> int:
        """The number of cosines and sines."""
        return 2 * self.waves.shape[1]

    def values(self, x: np.ndarray) -> np.ndarray:
        """The features (p, features) at points (p, inputs)."""
        return self.series(x, Series(self.inputs, 0))[0]

    def series(self, x: np.ndarray, series: Series) -> np.ndarray:
        """Taylor coefficients of the features by the coordinates, (C, p, features)."""
        return np.concatenate(wave_series(x @ self.waves, self.waves, series), axis=-1)

    def __repr__(self) -> str:
        return f"{self.features} cosines and sines on {self.torus!r}"
