"""Calabi–Yau hypersurfaces in products of projective spaces, and those with names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, NotFiniteError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import whole
from geomflow.symbolic.show import InLatex, latex, mathml
from geomflow.variety import ambient as integers
from geomflow.variety.ambient import Ambient
from geomflow.variety.errors import DegreeError, HomogeneityError
from geomflow.variety.polynomial import Polynomial, read
from geomflow.variety.sample import even_scales, given_points, sample
from geomflow.variety.smoothness import require_smooth
from geomflow.variety.symmetry import Symmetry, find_symmetry

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.points import Points


#: Decimal digits that coefficients may be large or small by, so that (1/|∂Q|²)² and its sums are doubles.
_LARGEST = 60


@final
class Hypersurface(InNotebook, InLatex):
    """The Calabi–Yau n-fold Q = 0 in P^{n_1} × … × P^{n_r}, with Q of degree n_i + 1 in each factor.

    Raises `HomogeneityError`, `DegreeError` (with the first Chern class), `SingularError` (with a singular point), and
    `InputError` for coefficients that are no doubles, or all beyond 10^±60.

    Parameters
    ----------
    polynomial : str, sympy.Expr or Polynomial
        Q.
    ambient : sequence of int, optional
        The dimensions n_i; one projective space unless given.
    coordinates : sequence of str, optional
        Their names in order; unless given those in Q, naturally sorted, factor after factor.
    symmetry : Symmetry, optional
        In the place of the one found from Q.

    Examples
    --------
    >>> X = Hypersurface("z0^3 + z1^3 + z2^3")
    >>> X
    Calabi–Yau 1-fold z0^3 + z1^3 + z2^3 = 0 in P^2
    >>> X.dim, X.degree, X.euler_number
    (1, (3,), 0)
    """

    def __init__(
        self,
        polynomial: str | sympy.Expr | Polynomial,
        *,
        ambient: Sequence[int] | None = None,
        coordinates: Sequence[str] | None = None,
        symmetry: Symmetry | None = None,
    ) -> None:
        self.polynomial = read(polynomial, coordinates)
        count = len(self.polynomial.names)
        self.ambient = Ambient((count - 1,) if ambient is None else ambient)
        if count != self.ambient.size:
            raise InputError(
                f"{self.ambient} has {self.ambient.size} homogeneous coordinates, but the polynomial has {count} "
                f"({', '.join(self.polynomial.names)}); name them all with coordinates=(...)"
            )
        self.degree = _checked_degree(self.polynomial, self.ambient)
        _require_size(self.polynomial)
        self._given_symmetry = symmetry
        require_smooth(self)

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return sum(self.ambient.dims) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """The homogeneous coordinates."""
        return self.polynomial.names

    @property
    def configuration(self) -> np.ndarray:
        """The configuration matrix, one row (n_i, d_i) a factor."""
        return np.array(list(zip(self.ambient.dims, self.degree)))

    @property
    def euler_number(self) -> int:
        """The exact Euler number, from the configuration matrix."""
        return integers.euler_number(self.ambient.dims, self.degree)

    def intersection(self, *classes: int) -> int:
        """The exact ∫ H_{c_1} ∧ … ∧ H_{c_n}; without arguments H_0^n.

        Parameters
        ----------
        *classes : int
            Numbers of factors, n of them.
        """
        return integers.intersection(self.ambient.dims, self.degree, classes or (0,) * self.dim)

    @property
    def fubini_study_volume(self) -> float:
        """∫ det(∂∂̄ Σ log|z_i|²) d^{2n}x, exactly."""
        return integers.fubini_study_volume(self.ambient.dims, self.degree)

    @cached_property
    def symmetry(self) -> Symmetry:
        """Permutations, phases and conjugation that keep Q: found, or as given."""
        return self._given_symmetry or find_symmetry(self.polynomial, self.ambient)

    @cached_property
    def bounds(self) -> np.ndarray:
        """Where each factor's coordinates start, and the end."""
        return np.array([0, *(b.stop for b in self.ambient.blocks)], dtype=np.int64)

    @cached_property
    def scales(self) -> np.ndarray:
        """The powers of two s_i, (N,), for which the coefficients of Q(s·y) are of one size."""
        return even_scales(self.polynomial, self.ambient)

    def sample(self, n: int, seed: int = 0, workers: Any = None) -> Points:
        """`n` random points with weights for Ω∧Ω̄; see `geomflow.variety.sample.sample`.

        Parameters
        ----------
        n : int
            How many points.
        seed : int
            Equal seeds give equal points.
        workers : int, str, client or Workers, optional
            Who draws them: see `geomflow.distribute.as_workers`.
        """
        return sample(self, n, seed, workers)

    def points(self, coordinates: np.ndarray, *, off_variety: bool = False) -> Points:
        """Given homogeneous coordinates (n, N) as `Points`; see `geomflow.variety.sample.given_points`.

        Parameters
        ----------
        coordinates : (n, N) complex array
            Homogeneous; they are polished onto Q = 0.
        off_variety : bool
            Leave them where they are instead.
        """
        return given_points(self, coordinates, off_variety=off_variety)

    def relative_residual(self, z: np.ndarray) -> np.ndarray:
        """|Q(z)| / (Π_i |z_i|^{d_i} Σ|coefficients|), which no scaling changes, (P,).

        Parameters
        ----------
        z : (P, N) complex array
            Homogeneous coordinates.
        """
        size = np.exp(np.log(self.ambient.norms(z)) @ np.array(self.degree) / 2)
        result: np.ndarray = np.abs(self.polynomial.value(z)) / (size * np.abs(self.polynomial.coefficients).sum())
        return result

    def same_as(self, other: Hypersurface) -> bool:
        """Whether it is given by the same polynomial.

        Parameters
        ----------
        other : Hypersurface
            Another one.
        """
        return other is self or str(other.polynomial) == str(self.polynomial)

    def to_json(self) -> str:
        """The variety as text, for files."""
        return json.dumps({"polynomial": str(self.polynomial.expression), "coordinates": self.names,
                           "ambient": self.ambient.dims})

    @classmethod
    def from_file(cls, file: Archive) -> Hypersurface:
        """The variety that a file holds as 'variety', the text of `to_json`. Raises `StoreError`.

        Parameters
        ----------
        file : Archive
            An opened file.
        """
        data = file.json("variety", dict)
        return cls(data["polynomial"], coordinates=data["coordinates"], ambient=data["ambient"])

    def __exact__(self) -> sympy.Eq:
        return sympy.Eq(self.polynomial.expression, 0, evaluate=False)

    def _latex(self, printer: Any = None) -> str:
        return f"{latex(self.polynomial.expression)} = 0"

    def __facts__(self) -> Facts:
        return [("equation", mathml(self.latex())), ("in", self.ambient), ("degree", self.degree),
                ("complex dimension", self.dim), ("Euler number", self.euler_number)]

    def __repr__(self) -> str:
        text = str(self.polynomial)
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        return f"Calabi–Yau {self.dim}-fold {shown} = 0 in {self.ambient}"


def _checked_degree(polynomial: Polynomial, ambient: Ambient) -> tuple[int, ...]:
    """The multi-degree, checked: homogeneous in every factor and with vanishing first Chern class."""
    degrees = np.stack([polynomial.exponents[:, block].sum(axis=1) for block in ambient.blocks], axis=1)
    for factor in range(degrees.shape[1]):
        odd = np.nonzero(degrees[:, factor] != degrees[0, factor])[0]
        if odd.size:
            where = f" in {', '.join(polynomial.names[ambient.blocks[factor]])}" if degrees.shape[1] > 1 else ""
            raise HomogeneityError(
                f"the polynomial is not homogeneous{where}: {_term(polynomial, 0)} has degree {degrees[0, factor]}, "
                f"{_term(polynomial, odd[0])} has degree {degrees[odd[0], factor]}; give every term the same degree"
                + _weights_message(polynomial)
            )
    degree = tuple(int(d) for d in degrees[0])
    chern = tuple(n + 1 - d for n, d in zip(ambient.dims, degree))
    if any(chern) or sum(ambient.dims) < 2:
        raise DegreeError(_degree_message(ambient, degree, chern))
    return degree


def _require_size(polynomial: Polynomial) -> None:
    """Raise `InputError` where |Ω|⁴, which errors are made of, is beyond doubles: Ω goes as 1/Q."""
    size = np.log10(np.abs(polynomial.coefficients).max())
    if abs(size) > _LARGEST:
        raise InputError(
            f"the largest coefficient is of size 10^{size:.0f}, beyond 10^±{_LARGEST}: the variety is that of any "
            "multiple of the polynomial, and ∫|Ω|² goes as one over its square; divide by that size"
        )


def _degree_message(ambient: Ambient, degree: tuple[int, ...], chern: tuple[int, ...]) -> str:
    if not any(chern):
        return f"a hypersurface of {ambient} is a set of points; take at least P^2"
    single = len(degree) == 1
    names = ["H"] if single else [f"H_{i}" for i in range(len(chern))]
    class_ = " + ".join(f"{c} {h}" for c, h in zip(chern, names) if c).replace("+ -", "- ")
    shown, wanted = (degree[0], ambient.dims[0] + 1) if single else (degree, tuple(n + 1 for n in ambient.dims))
    return (
        f"degree {shown} in {ambient} has first Chern class c_1 = {class_}, not 0, so there is no Ricci-flat metric; "
        f"the Calabi–Yau degree there is {wanted}"
    )


def _weights_message(polynomial: Polynomial) -> str:
    """What to say where all terms have one degree when the coordinates have weights."""
    kernel = sympy.Matrix((polynomial.exponents[1:] - polynomial.exponents[0]).tolist()).nullspace()
    if len(kernel) != 1 or {w * kernel[0][0] > 0 for w in kernel[0]} != {True}:
        return ""
    weights = kernel[0] / kernel[0][0]
    weights = weights * sympy.ilcm(*(w.q for w in weights))
    weights = tuple(int(w) for w in weights / sympy.igcd(*weights))
    return (
        f". (With weights {weights} each term has degree {polynomial.exponents[0] @ weights}; hypersurfaces of "
        "weighted projective spaces are not offered, only those of products of projective spaces)"
    )


def _term(polynomial: Polynomial, index: int) -> str:
    powers = [(n, e) for n, e in zip(polynomial.names, polynomial.exponents[index]) if e]
    return "·".join(n if e == 1 else f"{n}^{e}" for n, e in powers) or "the constant term"


HIGHEST_DEGREE = 64


def Fermat(degree: int) -> Hypersurface:
    """Σ_{i=1}^N z_i^N = 0 in P^{N−1}: cubic, quartic (K3), quintic, sextic for N = 3, 4, 5, 6.

    Parameters
    ----------
    degree : int
        N, at least 3.

    Examples
    --------
    >>> Fermat(4)
    Calabi–Yau 2-fold z0^4 + z1^4 + z2^4 + z3^4 = 0 in P^3
    """
    return Dwork(0, degree)


def Dwork(psi: complex | sympy.Expr | str = 0, degree: int = 5) -> Hypersurface:
    """Σ z_i^N − N ψ Π z_i = 0 in P^{N−1}; singular exactly where ψ^N = 1 (the conifold) and at ψ = ∞.

    Parameters
    ----------
    psi : complex, sympy.Expr or str
        ψ; texts and rationals are exact.
    degree : int
        N, at least 3.

    Examples
    --------
    >>> Dwork("1/2", degree=3)
    Calabi–Yau 1-fold z0^3 - 3/2*z0*z1*z2 + z1^3 + z2^3 = 0 in P^2
    """
    degree = whole(degree, "the degree", 3, ": 3 (curve), 4 (K3), 5 (threefold), ...")
    if degree > HIGHEST_DEGREE:
        raise InputError(f"the degree is {degree}, of a hypersurface in {degree:,} coordinates; the most is "
                         f"{HIGHEST_DEGREE}")
    z = sympy.symbols(f"z0:{degree}")
    parameter = _exact(psi)
    polynomial = sympy.Add(*(x**degree for x in z)) - degree * parameter * sympy.prod(z)
    return Hypersurface(polynomial, coordinates=[str(x) for x in z])


def _exact(number: complex | sympy.Expr | str) -> sympy.Expr:
    from geomflow.symbolic.given import given

    exact = given(number)
    if isinstance(number, str):
        return exact
    if not exact.is_finite:
        raise NotFiniteError(f"the parameter is {number}; give a finite number")
    return sympy.nsimplify(exact, rational=True)


def Bicubic(polynomial: str | sympy.Expr | None = None) -> Hypersurface:
    """A (3, 3) hypersurface in P² × P², Euler number −162; by default Σ A_ij x_i³ y_j³ with A = 4·1 − J.

    No minor of A vanishes, which makes it smooth.

    Parameters
    ----------
    polynomial : str or sympy.Expr, optional
        In x0, x1, x2 and y0, y1, y2.
    """
    if polynomial is None:
        x, y = sympy.symbols("x0:3"), sympy.symbols("y0:3")
        polynomial = sympy.Add(*(((3 if i == j else -1) * x[i] ** 3 * y[j] ** 3) for i in range(3) for j in range(3)))
    return Hypersurface(polynomial, ambient=(2, 2))


def Tetraquadric(polynomial: str | sympy.Expr | None = None) -> Hypersurface:
    """A (2, 2, 2, 2) hypersurface in P¹ × P¹ × P¹ × P¹, Euler number −128; by default a smooth one of squares.

    Parameters
    ----------
    polynomial : str or sympy.Expr, optional
        In a0, a1, …, d0, d1.
    """
    if polynomial is None:
        pairs = [sympy.symbols(f"{letter}0:2") for letter in "abcd"]
        weights = (5, 1, -2, -1, 3)  # by the number of second coordinates; smooth, and far from singular
        terms = []
        for bits in range(16):
            squares = [pair[bits >> i & 1] ** 2 for i, pair in enumerate(pairs)]
            terms.append(weights[bits.bit_count()] * sympy.prod(squares))
        polynomial = sympy.Add(*terms)
    return Hypersurface(polynomial, ambient=(1, 1, 1, 1))
