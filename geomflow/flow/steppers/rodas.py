"""The Rosenbrock method with exact Jacobians, for stiff problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.threads import one_thread_products
from geomflow.flow.cursor import Cursor
from geomflow.flow.steppers.rosenbrock import LinearlyImplicit, TransformedTableau

_LAST = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946)

RODAS5P = TransformedTableau(
    gamma=0.21193756319429014,
    c=(0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0),
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _LAST,
        (*_LAST, 1.0),
        (*_LAST, 1.0, 1.0),
    ),
    couplings=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
         -28.087943162872662),
        (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
         -54.66780262877968, -9.48861652309627),
    ),
    b=(*_LAST, 1.0, 1.0, 1.0),
    error=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    d=(0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069,
       0.0, 0.0, 0.0),
)
"""Rodas5P: Steinebach, BIT 63 (2023) 27. L-stable and stiffly accurate; on the problem of Prothero and Robinson, with a
stiff eigenvalue −λ, it errs by dt⁴/(λ dt). The embedded method, of order 4, leaves out the last stage; L-stable too."""


@dataclass(frozen=True)
class Rosenbrock(LinearlyImplicit):
    """Adaptive fifth-order Rosenbrock method with the problem's Jacobian, for stiff problems of up to 2000 unknowns.

    A step costs one Jacobian, one factorisation of the dense matrix 1 − γ dt J, eight rates and eight solves, and four
    rates more where the rate may depend on t. L-stable: the stiffest modes are gone after a step. Rodas5P of
    Steinebach, BIT 63 (2023) 27; Hairer and Wanner II, section IV.7.
    """

    name: ClassVar[str] = "rosenbrock"
    order: ClassVar[int] = 5
    estimate_order: ClassVar[int | None] = 4
    method: ClassVar[TransformedTableau] = RODAS5P

    def check(self, cursor: Cursor) -> None:
        """The problem must bring its Jacobian, of the right shape, and the matrices must fit in memory."""
        size = cursor.y.size
        if cursor.problem.jacobian is None:
            raise InputError("this flow has no Jacobian for the stepper 'rosenbrock': use 'rkc', 'scipy' or 'rk45'.")
        require(24.0 * size**2, f"dense Jacobians of {size:,} unknowns", "use the stepper 'rkc'")
        with one_thread_products():
            shape = np.shape(cursor.jacobian())
        if shape != (size, size):
            raise InputError(f"the Jacobian of {size} unknowns must have the shape ({size}, {size}), and the problem's "
                             f"has {shape}: differentiate the flattened rate by the flattened y.")

    def attempt(self, cursor: Cursor, t_new: float) -> None:
        """One step, whose bits do not depend on the number of threads."""
        with one_thread_products():
            super().attempt(cursor, t_new)

    def solver(self, cursor: Cursor, dt: float) -> Callable[[np.ndarray], None]:
        """By LU of the transposed matrix, which lies in memory as LAPACK has it; NaN where it is singular."""
        from scipy.linalg.lapack import dgetrf, dgetrs

        matrix = -self.method.gamma * dt * cursor.jacobian()
        matrix.flat[:: len(matrix) + 1] += 1
        factors, pivots, _ = dgetrf(matrix.T, overwrite_a=True)

        def solve(b: np.ndarray) -> None:
            b[...] = dgetrs(factors, pivots, b.reshape(-1), trans=1)[0].reshape(b.shape)

        return solve
