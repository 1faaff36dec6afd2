"""Ansätze: left-invariant metrics, round products, warped spheres and joins, each with its unknowns and its domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.numbers import whole
from geomflow.symbolic.ansatz import Ansatz, Circle, Interval
from geomflow.symbolic.ansatz.domain import End
from geomflow.symbolic.catalogue import frames
from geomflow.symbolic.catalogue.frames import left_invariant, sphere_factors
from geomflow.symbolic.catalogue.momentum import momentum, momentum_ball
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.given import given_freely
from geomflow.symbolic.metric import Metric

X = "x"
AROUND = 2 * sympy.pi
ANGLES = ("theta", "phi", "omega", "eta", "xi")
"""What the angles of spheres are called, sphere by sphere."""
NUMBERS = "ABCDEFGH"
TYPES = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")


def su2() -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on SU(2) = S³, dσ¹ = 2σ²∧σ³ and cyclic; the unit sphere is A = B = C = 1.

    Unknowns A, B, C. J. Milnor, Adv. Math. 21 (1976); J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992).
    """
    return _invariant(*frames.su2())


def nil() -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on Heisenberg's group, dσ¹ = 2σ²∧σ³, dσ² = dσ³ = 0.

    Unknowns A, B, C. J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992).
    """
    return _invariant(*frames.nil())


def sol() -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on Sol, dσ¹ = 2σ²∧σ³, dσ² = 0, dσ³ = −2σ¹∧σ².

    Unknowns A, B, C. J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992).
    """
    return _invariant(*frames.sol())


def sl2r() -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on SL(2, R), dσ¹ = 2σ²∧σ³, dσ² = 2σ³∧σ¹, dσ³ = −2σ¹∧σ².

    Unknowns A, B, C. J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992).
    """
    return _invariant(*frames.sl2r())


def e2() -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on the motions of the plane, dσ¹ = 2σ²∧σ³, dσ² = 2σ³∧σ¹, dσ³ = 0; flat where A = B.

    Unknowns A, B, C. J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992).
    """
    return _invariant(*frames.e2())


def bianchi(type: str, h: Any = 0) -> Ansatz:
    """A σ₁² + B σ₂² + C σ₃² on the group of a Bianchi type, "I" to "IX".

    Class A is as `nil` (II), `sol` (VI, h = 0), `e2` (VII, h = 0), `sl2r` (VIII) and `su2` (IX), I is R³. Class B is
    σ¹ = dx and (σ², σ³) = exp(x M)(dy, dz) with M = 1 (V), diag(a+1, a−1) (VI, h = −a² < 0; III is h = −1), and, which
    Ricci flow leaves, [[1, 0], [1, 1]] (IV) and [[a, −1], [1, a]] (VII, h = a² > 0).

    Unknowns A, B, C. M. MacCallum, in General Relativity: an Einstein centenary survey (1979).
    """
    name = str(type).strip().upper()
    if name not in TYPES:
        raise UnknownNameError.among("Bianchi type", str(type), TYPES)
    number = given_freely(h)
    sign = {"VI": number.is_nonpositive, "VII": number.is_nonnegative}.get(name, number.is_zero)
    if not sign:
        raise InputError(f"h = {h} does not belong to the Bianchi type {name}: VI takes h <= 0, VII takes h >= 0, "
                         "other types none.")
    return _invariant(*_group(name, sympy.sqrt(abs(number))))


def _group(name: str, growth: sympy.Expr) -> tuple[Chart, sympy.Matrix]:
    unimodular = {"I": frames.flat, "II": frames.nil, "VI": frames.sol, "VII": frames.e2, "VIII": frames.sl2r,
                  "IX": frames.su2}
    kinds = {"III": "boost", "IV": "shear", "V": "scaling", "VI": "boost", "VII": "rotation"}
    if name in unimodular and growth == 0:
        return unimodular[name]()
    return frames.semidirect(growth or sympy.Integer(1), kinds[name])


def berger(n: int = 1) -> Ansatz:
    """A η² + B g_{CP^n} on S^{2n+1}, the circles of Hopf's fibration over CP^n scaled; the unit sphere is A = B = 1.

    On S³ = SU(2) it is A σ₁² + B (σ₂² + σ₃²). In the angles ψ_0, …, ψ_n, r_1, …, r_n: η_0 = dψ_0,
    η_k = dψ_k + sin²r_k η_{k−1} and g_{CP^k} = dr_k² + sin²r_k cos²r_k η_{k−1}² + sin²r_k g_{CP^{k−1}}.

    Unknowns A, B. M. Berger, Ann. Scuola Norm. Sup. Pisa 15 (1961).
    """
    n = whole(n, "the complex dimension n of the base of Hopf's fibration", 1)
    circles, radii = [f"psi{k}" for k in range(n + 1)], [f"r{k}" for k in range(1, n + 1)]
    chart = Chart([*circles, *radii], ranges=dict.fromkeys(radii, (0, sympy.pi / 2)),
                  periods=dict.fromkeys(circles, AROUND))
    fibre, base = frames.hopf(chart)
    a, b = _numbers(2)
    return Ansatz(Metric(chart, a * fibre.T * fibre + b * base), unknowns="A B")


def product(spheres: Sequence[int] = (2, 2), flat: int = 0) -> Ansatz:
    """A g_{S^p} + B g_{S^q} + …, a product of unit spheres each with its factor, and then of flat circles of length 1.

    Unknowns A, B, …, one for each factor in order.
    """
    if not isinstance(spheres, Sequence):
        raise InputError(f"spheres are told by their dimensions, such as (2, 2), and {spheres!r} was given.")
    dims = [whole(n, "the dimension of a sphere", 1) for n in spheres]
    count = len(dims) + whole(flat, "the number of flat factors", 0)
    if not 1 <= count <= len(NUMBERS) or len(dims) > len(ANGLES):
        raise InputError(f"a product has 1 to {len(NUMBERS)} factors, up to {len(ANGLES)} of them spheres, and "
                         f"spheres={spheres!r}, flat={flat} was given.")
    own = _numbers(count)
    circles = zip(_called(X, flat), own[len(dims):], strict=True)
    metric = _blocks({name: (Circle(1), u) for name, u in circles}, list(zip(dims, own, strict=False)))
    return Ansatz(metric, list(NUMBERS[:count]))


def sphere(n: int = 2, ends: Any = "pole:psi") -> Ansatz:
    """χ² dx² + ψ² g_{S^n} on 0 < x < π with poles at both ends: S^{n+1} with rotational symmetry.

    n is the dimension of the sphere that x carries along: 1 for a surface of revolution. The unit sphere is χ = 1,
    ψ = sin x. With other ends it is a ball, ("pole", "given"), or R^{n+1}, ("pole", "infinity: chi=-1") for the cigar
    χ = 1/√(1 + x²), ψ = x/√(1 + x²).

    Unknowns chi, psi. S. Angenent, D. Knopf, Math. Res. Lett. 11 (2004).
    """
    return _warped(["psi"], [whole(n, "the dimension n of the fibre sphere", 1)], _half_turn(ends))


def sphere_circle(n: int = 2) -> Ansatz:
    """χ² dx² + ψ² g_{S^n} on a circle 0 ≤ x < 2π: S^n × S¹ with rotational symmetry.

    Unknowns chi, psi. S. Angenent, D. Knopf, Math. Res. Lett. 11 (2004).
    """
    return _warped(["psi"], [whole(n, "the dimension n of the fibre sphere", 1)], Circle(AROUND))


def join(p: int = 1, q: int = 1) -> Ansatz:
    """χ² dx² + ψ₁² g_{S^p} + ψ₂² g_{S^q} on 0 < x < π/2: S^{p+q+1} as the join of two spheres.

    ψ₁ vanishes at 0 and ψ₂ at π/2. The unit sphere is χ = 1, ψ₁ = sin x, ψ₂ = cos x.

    Unknowns chi, psi1, psi2. P. Petersen, Riemannian Geometry (2016), §1.4.5.
    """
    dims = [whole(p, "the dimension p of the first sphere", 1), whole(q, "the dimension q of the second sphere", 1)]
    return _warped(["psi1", "psi2"], dims, Interval(0, sympy.pi / 2, ("pole:psi1", "pole:psi2")))


def taub(ends: Any = ("nut", "bolt"), k: int = 1) -> Ansatz:
    """χ² dx² + a² (σ₁² + σ₂²) + b² σ₃² on SU(2)/Z_k along 0 < x < π, or to infinity, with U(2)-symmetry in dimension 4.

    dσ¹ = 2σ²∧σ³ and cyclic.
    At a "nut" a and b vanish and an S³ closes to a point, so k = 1; at a "bolt" b vanishes and an S² of radius a/2
    stays, about which the circles of length 2π/k go round k times. Nut and bolt make CP² (χ = 1/2, a = sin x/2,
    b = sin x/2 cos x/2: the metric of Fubini and Study with Ric = 6g), two nuts S⁴ (χ = 1, a = b = sin x), two bolts
    the S²-bundles over S², one for each k ≥ 1.

    From a nut or a bolt to infinity there are complete metrics with Ric = 0. With the end "infinity: chi=1, a=2" these
    are Taub–NUT, χ = √(x² + 2m), a = xχ, b = 2mx/χ, and Taub–bolt, with r = 2m + x²: χ = 2√((r² − m²)/(r − m/2)),
    a = 2√(r² − m²), b = 8mx/χ. With k = 2, a bolt and "infinity: a=1, b=1" it is Eguchi's and Hanson's, with
    r² = m² + x²: χ = r/√(r² + m²), a = r, b = x/χ.

    Unknowns chi, a, b. G. Gibbons, C. Pope, Comm. Math. Phys. 66 (1979); T. Eguchi, P. Gilkey, A. Hanson, Phys. Rep. 66
    (1980).
    """
    k = whole(k, "the number k by which the circles of Hopf are divided", 1)
    inner, forms = frames.su2()
    interval = _half_turn(ends)
    chart = Chart([X, *inner.symbols], ranges={**inner.ranges, X: (interval.a, interval.b)},
                  periods={**inner.periods, "psi": 4 * sympy.pi / k})
    chi, a, b = _functions("chi", "a", "b")
    orbits = left_invariant(forms, [a**2, a**2, b**2]).applyfunc(sympy.simplify)
    return Ansatz(Metric(chart, sympy.diag(chi**2, orbits)), "chi a b", interval)


def torus_sphere(k: int = 1, n: int = 2) -> Ansatz:
    """χ² dx² + φ² (dy_1² + … + dy_k²) + ψ² g_{S^n} on a circle 0 ≤ x < 2π: T^{k+1} × S^n, y_j of period 1.

    Unknowns chi, phi, psi.
    """
    whole(k, "the dimension k of the torus that x carries along", 1)
    whole(n, "the dimension n of the sphere", 1)
    chi, phi, psi = _functions("chi", "phi", "psi")
    torus = {X: (Circle(AROUND), chi**2), **{name: (Circle(1), phi**2) for name in _called("y", k)}}
    return Ansatz(_blocks(torus, [(n, psi**2)]), "chi phi psi")


ANSAETZE: Mapping[str, Callable[..., Ansatz]] = {maker.__name__.replace("_", "-"): maker for maker in (
    su2, nil, sol, sl2r, e2, bianchi, berger, product, sphere, sphere_circle, join, taub, torus_sphere, momentum,
    momentum_ball,
)}


def _half_turn(ends: Any) -> Interval:
    """0 < x < π, or 0 < x < ∞ where the last end is infinity."""
    last = End.read(ends if isinstance(ends, str | End) else ends[-1])
    return Interval(0, sympy.oo if last.kind == "infinity" else sympy.pi, ends)


def _invariant(chart: Chart, forms: sympy.Matrix) -> Ansatz:
    return Ansatz(Metric(chart, left_invariant(forms, _numbers(3))), "A B C")


def _warped(names: Sequence[str], dims: Sequence[int], domain: Circle | Interval) -> Ansatz:
    """χ² dx² and spheres, each with the square of its function of x."""
    chi, *others = _functions("chi", *names)
    metric = _blocks({X: (domain, chi**2)}, [(n, psi**2) for n, psi in zip(dims, others, strict=True)])
    return Ansatz(metric, ["chi", *names], domain)


def _blocks(lines: Mapping[str, tuple[Circle | Interval, sympy.Expr]],
            spheres: Sequence[tuple[int, sympy.Expr]]) -> Metric:
    """Σ u dx² over lines by name, each (domain, u), and Σ u g_{S^n} over spheres, each (n, u)."""
    angles = [[f"{letter}{j + 1}" for j in range(n)] for letter, (n, _) in zip(ANGLES, spheres, strict=False)]
    ranges = {name: (domain.a, domain.b) for name, (domain, _) in lines.items() if isinstance(domain, Interval)}
    periods = {name: domain.period for name, (domain, _) in lines.items() if isinstance(domain, Circle)}
    ranges |= dict.fromkeys((name for part in angles for name in part[:-1]), frames.ANGLE)
    periods |= {part[-1]: AROUND for part in angles}
    chart = Chart([*lines, *(name for part in angles for name in part)], ranges=ranges, periods=periods)
    own = dict(zip(chart.coordinates, chart.symbols, strict=True))
    squares = [u for _, u in lines.values()]
    for part, (_, u) in zip(angles, spheres, strict=True):
        squares += [u * factor for factor in sphere_factors([own[name] for name in part])]
    return Metric(chart, sympy.diag(*squares))


def _called(letter: str, count: int) -> list[str]:
    """x, or x1, x2, …."""
    return [letter] if count == 1 else [f"{letter}{k + 1}" for k in range(count)]


def _numbers(count: int) -> list[sympy.Symbol]:
    return [sympy.Symbol(name, positive=True) for name in NUMBERS[:count]]


def _functions(*names: str) -> list[sympy.Expr]:
    x = sympy.Symbol(X, real=True)
    return [sympy.Function(name, positive=True)(x) for name in names]
