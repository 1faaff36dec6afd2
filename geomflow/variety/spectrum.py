"""Eigenvalues of the Laplacian of a Kähler metric, with their multiplicities, errors and eigenfunctions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, final, overload

import numpy as np

from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import finite_number, whole
from geomflow.core.report import degree_text
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.estimate import Estimate
from geomflow.variety.function_space import FunctionSpace, function_space
from geomflow.variety.invariance import require_invariant
from geomflow.variety.lifts import Lifts
from geomflow.variety.measures import class_volume, sigma
from geomflow.variety.metric import PolarisedMetric
from geomflow.variety.orbits import invariant_forms, roughly_forms
from geomflow.variety.quadrature import Quadrature, with_controls
from geomflow.variety.ritz import RitzValue, images, partners, quotients, ritz_values
from geomflow.variety.sections import whole_degrees
from geomflow.variety.symmetry import Symmetry

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_DEGREES = 5
_PER_CONTROL = 20
_PER_FUNCTION = 4
_ROUNDING = 1e-12


@final
@dataclass(frozen=True, eq=False)
class Multiplet:
    """An eigenvalue of −Δ with its irreducible multiplet; a function of points.

    Parameters
    ----------
    bound : float
        min ∫|∇f|²/∫|f|² in the functions of the highest degree: an upper bound, up to the error of the points.
    strong : float
        −∫f̄Δf/∫|f|² of the same function, which differs by the error of the quadrature only.
    by_degree : tuple of float
        The bounds of rising degrees; infinite where there was none.
    points_error : float
        The standard error of the bound over points.
    multiplicity : int
        The number of eigenfunctions.
    space : FunctionSpace
        Of which they are.
    found : RitzValue
        One of them.
    partners : (K, m) array
        All of one character, orthonormal.
    """

    bound: float
    strong: float
    by_degree: tuple[float, ...]
    points_error: float
    multiplicity: int
    space: FunctionSpace
    found: RitzValue
    partners: np.ndarray

    @property
    def eigenvalue(self) -> Estimate:
        """The limit in the degree, with both errors."""
        return Estimate(self.bound - tail(self.by_degree), math.hypot(self.degree_error, self.points_error))

    @property
    def degree_error(self) -> float:
        """By how much the bound is extrapolated in the degree, at least the last step; infinite where there is none."""
        finite = [value for value in self.by_degree if math.isfinite(value)]
        return max(tail(finite), abs(finite[-2] - finite[-1])) if len(finite) > 1 else math.inf

    @property
    def charge(self) -> tuple[int, ...]:
        """The character of the phases by which one of them changes, as exponents."""
        return tuple(self.found.sector.charge.tolist())

    def __call__(self, points: Points) -> np.ndarray:
        """All eigenfunctions at points, complex, of square one in the mean and orthogonal; (P, multiplicity).

        Parameters
        ----------
        points : Points
            P of them.
        """
        lifts, space, character = Lifts.coordinate(self.space.checked(points)), self.space, self.found.sector.character
        jets = Lifts(lifts.ambient, lifts.z, lifts.frame[:, :0]).sections(space.sections.exponents)
        parts = [self.partners.T @ character.functions(moved)[0] for moved in images(space, character, jets)]
        if character.copies > len(parts):
            parts += [part.conj() for part in parts]
        return np.concatenate(parts).T

    def __repr__(self) -> str:
        return f"{self.eigenvalue} ({self.multiplicity})"


@final
@dataclass(frozen=True, eq=False)
class Spectrum(InNotebook):
    """The lowest eigenvalues of −Δ of a metric, rising. Made by `spectrum`; printing it makes a table.

    Parameters
    ----------
    metric : PolarisedMetric
        The metric.
    quadrature : Quadrature
        By which it was integrated.
    degrees : tuple of int
        The degree of the functions in each factor.
    multiplets : tuple of Multiplet
        The eigenvalues, the constant's 0 first.
    sigma : Estimate
        σ of the metric: eigenvalues of the Ricci-flat metric differ by up to a fraction of that size.
    volume : float
        The Riemannian volume to which lengths are scaled.
    """

    metric: PolarisedMetric
    quadrature: Quadrature
    degrees: tuple[int, ...]
    multiplets: tuple[Multiplet, ...]
    sigma: Estimate
    volume: float

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Every eigenvalue as often as it is one."""
        return np.repeat([float(m.eigenvalue) for m in self.multiplets], self.multiplicities)

    @property
    def multiplicities(self) -> np.ndarray:
        """Those of the multiplets."""
        return np.array([m.multiplicity for m in self.multiplets])

    @overload
    def __getitem__(self, number: int) -> Multiplet: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[Multiplet, ...]: ...

    def __getitem__(self, number: int | slice) -> Multiplet | tuple[Multiplet, ...]:
        """A multiplet, 0 that of the constants, or some."""
        return self.multiplets[number]

    def __iter__(self) -> Iterator[Multiplet]:
        return iter(self.multiplets)

    def __len__(self) -> int:
        return len(self.multiplets)

    def __str__(self) -> str:
        head = (f"{'eigenvalue':<26}{'multiplicity':>12}{'upper bound':>16}{'strong - weak':>15}"
                f"{'degree':>10}{'points':>10}")
        rows = [f"{self._told(m)!s:<26}{m.multiplicity:>12}{m.bound:>16.8g}{m.strong - m.bound:>15.1e}"
                f"{m.degree_error:>10.1e}{m.points_error:>10.1e}" for m in self.multiplets]
        tail = (f"functions of degree {degree_text(self.degrees)}, {self.quadrature}; volume {self.volume:.6g}.\n"
                f"The metric has σ = {self.sigma}: eigenvalues of the Ricci-flat one differ by up to such a fraction.")
        return "\n".join([head, *rows, tail])

    def _told(self, multiplet: Multiplet) -> Estimate | int:
        """The eigenvalue, 0 where it is no more than rounding."""
        return multiplet.eigenvalue if multiplet.bound > _ROUNDING * self.multiplets[-1].bound else 0

    def __facts__(self) -> Facts:
        return [("metric", repr(self.metric)), ("degree", degree_text(self.degrees)), ("volume", self.volume),
                ("σ", self.sigma), ("eigenvalues", ", ".join(map(repr, self.multiplets)))]

    def __repr__(self) -> str:
        return f"{len(self.multiplets)} eigenvalues of {self.multiplicities.sum()} functions, of the {self.metric!r}"


def spectrum(
    metric: PolarisedMetric,
    points: Points,
    degree: int | Sequence[int],
    *,
    count: int = 30,
    volume: float | None = 1.0,
    symmetry: Symmetry | None = None,
) -> Spectrum:
    """The `count` lowest eigenvalues of −Δ (the Riemannian Laplacian, Δ = 2g^{ab̄}∂_a∂_b̄), whole multiplets of them.

    Rayleigh–Ritz: λ is stationary for ∫|∇f|²/∫|f|², |∇f|² = g^{ab̄}(∂_a f conj(∂_b f) + conj(∂_ā f) ∂_b̄ f), in the
    functions s_α s̄_β/Π|z_i|^{2k_i} (`function_space`), one symmetry sector after another, so that multiplets are
    exactly degenerate. Integrals are those of `quadrature`, with controls of as high a degree as the points can bear;
    from twice the degree on weak and strong values, −∫f̄Δf/∫|f|², agree to rounding.

    The last bounds of the ray of degrees are continued as a geometric series, two degrees a step; the error is what
    that adds, at least the last step. It is no bound: a sector may stand still for some degrees.

    Eigenvalues are those of the given metric; those of the Ricci-flat one differ by up to a fraction of σ, which is
    told. λ·(volume)^{1/n} with n = dim_ℂ does not depend on the scale, and lengths are such that the Riemannian volume
    is one.

    Raises `UnderdeterminedError` (too few points for the functions), `MemoryLimitError` (with the bytes),
    `SymmetryError` where the metric does not have the symmetry, `KahlerConeError`.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric.
    points : Points
        With the weights of dμ_Ω; a few thousand do.
    degree : int or sequence of int
        k of the functions, or one k_i for each factor.
    count : int
        How many eigenvalues, multiplicities and the constant's 0 counted.
    volume : float or None
        The Riemannian volume; None for that of the metric.
    symmetry : Symmetry, optional
        By which sectors are told; the variety's, as far as it keeps the class, unless given.
    """
    variety = metric.variety
    metric.check(points)
    number = whole(count, "the number of eigenvalues", 1)
    degrees = whole_degrees(variety, degree)
    symmetry = (symmetry or variety.symmetry).keeping(variety.ambient, metric.kahler_class)
    require_invariant(metric, points, symmetry)
    own = 2.0**variety.dim * class_volume(metric)
    wanted = own if volume is None else finite_number(volume, "the volume")
    lifts = Lifts.orthonormal(points, metric)
    used = _controlled(metric, points, degrees, symmetry, lifts)
    spaces = [function_space(variety, d, symmetry=symmetry) for d in _ray(degrees)]
    _require_points(spaces[-1], points)
    *before, last = [sorted(ritz_values(space, lifts, used.weights), key=lambda r: r.value) for space in spaces]
    lower = [{r.key: r.value for r in values} for values in before]
    scale = (own / wanted) ** (1 / variety.dim)
    multiplets = _multiplets(spaces[-1], _lowest(last, number), lower, used, lifts, scale)
    return Spectrum(metric, used, degrees, multiplets, sigma(metric, points), wanted)


def _ray(degrees: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The last few degrees on the ray of the given ones, up to these."""
    top = math.gcd(*degrees)
    return [tuple(d // top * k for d in degrees) for k in range(max(top - _DEGREES + 1, 1), top + 1)]


def _controlled(
    metric: PolarisedMetric, points: Points, degrees: tuple[int, ...], symmetry: Symmetry, lifts: Lifts
) -> Quadrature:
    """The quadrature of the highest degree on the ray, up to four times the given one, that the points can bear."""
    top = math.gcd(*degrees)
    lowest, *rising = (tuple(d // top * k for d in degrees) for k in range(1, 4 * top + 1))
    bearable = takewhile(lambda d: _PER_CONTROL * roughly_forms(metric.variety, d, symmetry) <= len(points), rising)
    for tried in reversed([*bearable]):
        with suppress(UnderdeterminedError):  # there may be more forms than were thought
            return with_controls(metric, points, invariant_forms(metric.variety, tried, symmetry), lifts)
    return with_controls(metric, points, invariant_forms(metric.variety, lowest, symmetry), lifts)


def _require_points(space: FunctionSpace, points: Points) -> None:
    """Raise `UnderdeterminedError` where the images of the points are too few for the functions of a sector."""
    for sector in space.sectors:
        needed = -(-_PER_FUNCTION * sector.size // sector.multiplicity)
        if len(points) < needed:
            raise UnderdeterminedError(
                f"{sector.size} functions of a sector and {len(points)} points with {sector.multiplicity} images each: "
                f"take at least {needed} points, better {10 * needed}, or a lower degree"
            )


def _lowest(values: list[RitzValue], count: int) -> list[list[RitzValue]]:
    """The lowest values, those of a sector that agree to rounding together, as many as make up `count`."""
    found: dict[tuple[object, ...], list[RitzValue]] = {}
    total = 0
    for value in values:
        near = [group for group in found.values() if group[0].sector is value.sector and value.same(group[0])]
        if near:
            near[0].append(value)
        elif total >= count:
            break
        else:
            found[value.key] = [value]
        total += value.sector.multiplicity
    return list(found.values())


def _multiplets(
    space: FunctionSpace, found: list[list[RitzValue]], lower: list[dict[tuple[object, ...], float]], used: Quadrature,
    lifts: Lifts, scale: float,
) -> tuple[Multiplet, ...]:
    """The multiplets of Ritz values, with the errors of degree and points."""
    together = [(group[0], partners(space, group[0])) for group in found]
    result: dict[int, Multiplet] = {}
    for character in space.characters:
        own = [number for number, (value, _) in enumerate(together) if value.sector.character is character]
        if not own:
            continue
        square, energy, strong = quotients(space, character, [together[i][1] for i in own], lifts)
        for i, f, weak, full in zip(own, square, energy, strong):
            value, basis = together[i]
            mass = used.weights @ f
            bound = float(used.weights @ weak / mass)
            degrees = (*(values.get(value.key, np.inf) * scale for values in lower), bound * scale)
            result[i] = Multiplet(
                bound * scale, float(used.weights @ full / mass) * scale, degrees,
                used.mean(weak - bound * f).error / mass * scale,
                sum(v.sector.multiplicity for v in found[i]), space, value, basis)
    return tuple(result[i] for i in range(len(found)))


def tail(bounds: Sequence[float]) -> float:
    """What a geometric series through the last bounds has left, two degrees a step where there are five.

    Bounds of a sector may fall at every other degree only. Zero where there are fewer than three.

    Parameters
    ----------
    bounds : sequence of float
        Of rising degrees, infinite ones left out.

    Examples
    --------
    >>> tail([8, 4, 2]), round(tail([3 + 0.1**k for k in range(5)]), 12)
    (2.0, 0.0001)
    """
    finite = [bound for bound in bounds if math.isfinite(bound)]
    stride = 2 if len(finite) > 4 else 1
    used = finite[::-stride][:3]
    if len(used) < 3 or used[1] <= used[0]:
        return 0.0
    last, before = used[1] - used[0], used[2] - used[1]
    ratio = min(last / max(before, last), 0.9)
    return last * ratio / (1 - ratio)
