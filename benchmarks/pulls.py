"""Pulls of the error bars: (estimate − exact value) / error over many seeds, which has width one where errors are true.

    python -m benchmarks.pulls [--save pulls]         # 150 seeds, some four minutes on two cores

Exact are ∫|Ω|² and κ of Fermat hypersurfaces, the volume of any metric in its class, intersection and Euler numbers.
The column before the last is the width that errors of independent points would have: points of one line are
correlated. The last is the share of the samples whose estimate says that its tail is heavy (`Estimate.heavy`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from math import gamma, pi

import numpy as np

import geomflow.variety as gv
from benchmarks.keep import keep
from geomflow.variety.sections import multi_monomials

SEEDS, POINTS = 150, 3000

Measure = Callable[[gv.Points], gv.Estimate]


@dataclass(frozen=True)
class Pulls:
    """Mean and width of the pulls, its standard error, the width for independent points, and how many are heavy."""

    variety: str
    number: str
    exact: float
    mean: float
    width: float
    error: float
    independent: float
    heavy: float

    @property
    def row(self) -> str:
        """A row of the table."""
        width, single = f"{self.width:.3f} ± {self.error:.3f}", f"{self.independent:.2f}"
        start = f"| {self.variety} | {self.number} | {self.exact:.8g} | {self.mean:+.2f} |"
        return f"{start} {width} | {single} | {self.heavy:.0%} |"


#: The varieties of the table.
VARIETIES: dict[str, Callable[[], gv.Hypersurface]] = {
    "quintic": lambda: gv.Fermat(5),
    "sextic": lambda: gv.Fermat(6),
    "bicubic": gv.Bicubic,
    "tetraquadric": gv.Tetraquadric,
}


def fermat_volume(n: int) -> float:
    """∫|Ω|² d^{2n}x of Σ z_i^n = 0: (n/π²)(π/n)^n (Γ(1/n)/Γ(1 − 1/n))^n."""
    return n / pi**2 * (pi / n) ** n * (gamma(1 / n) / gamma(1 - 1 / n)) ** n


def uneven_form(variety: gv.Hypersurface) -> gv.HermitianForm:
    """K = log Σ_i (1 + i/2)|z^{m_i}|² over the monomials of degree one: a metric that is far from Fubini–Study."""
    exponents = multi_monomials(variety.ambient, (1,) * len(variety.ambient.dims))
    return gv.HermitianForm(variety, exponents, np.diag(1 + np.arange(len(exponents)) / 2), 1)


def measures(variety: gv.Hypersurface) -> Iterator[tuple[str, float, Measure]]:
    """Numbers of a variety that are known exactly: name, value, estimate."""
    form, study = uneven_form(variety), gv.FubiniStudy(variety)
    factors = len(variety.degree)
    if factors == 1:
        exact = fermat_volume(variety.ambient.size)
        yield "∫\\|Ω\\|²", exact, gv.Points.volume
        yield "κ of Fubini–Study", variety.fubini_study_volume / exact, lambda points: gv.kappa(study, points)
    yield "volume of a metric", gv.class_volume(form), lambda points: gv.volume(form, points)
    if factors > 1:
        other = gv.FubiniStudy(variety, range(1, factors + 1))
        yield "volume in another class", gv.class_volume(other), lambda points: gv.volume(other, points)
        classes = (0, 1, 1) if factors == 2 else (0, 1, 2)
        exact = variety.intersection(*classes)
        yield f"H_{'·H_'.join(map(str, classes))}", exact, lambda points: gv.intersection_number(points, *classes)
    if variety.dim == 3:
        yield "Euler number", variety.euler_number, lambda points: gv.euler_number(study, points[:1000])


def pulls(exact: float, measure: Measure, samples: list[gv.Points]) -> np.ndarray:
    """(estimate − exact)/error on each of the samples."""
    return ratios(exact, [measure(points) for points in samples])


def ratios(exact: float, found: list[gv.Estimate]) -> np.ndarray:
    """(estimate − exact)/error of each."""
    return np.array([(float(x) - exact) / x.error for x in found])


def width(ratio: np.ndarray) -> tuple[float, float]:
    """The standard deviation of pulls and its standard error, by their fourth moment."""
    size = ratio.std(ddof=1)
    fourth = np.mean((ratio - ratio.mean()) ** 4) / size**4
    return float(size), float(size * np.sqrt(max(fourth - 1, 0) / (4 * len(ratio))))


def main(arguments: list[str]) -> None:
    """Print the table, and keep it."""
    found = []
    for name, make in VARIETIES.items():
        variety = make()
        samples = [variety.sample(POINTS, seed=seed) for seed in range(SEEDS)]
        for number, exact, measure in measures(variety):
            estimates = [measure(points) for points in samples]
            ratio, heavy = ratios(exact, estimates), np.mean([x.heavy for x in estimates])
            alone = pulls(exact, measure, [replace(points, line=np.full(len(points), -1)) for points in samples])
            found.append(Pulls(name, number, float(exact), ratio.mean(), *width(ratio), width(alone)[0], heavy))
            print(found[-1].row, flush=True)
    head = (
        "| variety | number | exact | mean pull | width of the pulls | width for independent points | heavy tail |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    text = head + "\n".join(one.row for one in found) + "\n"
    name = arguments[arguments.index("--save") + 1] if "--save" in arguments else None
    keep(name, {"seeds": SEEDS, "points": POINTS, "pulls": [asdict(one) for one in found]}, text)


if __name__ == "__main__":
    main(sys.argv[1:])
