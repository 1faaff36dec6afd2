"""Ladders of degrees: metrics of rising degree on the same points, each fit started from the last, kept as they end."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from time import monotonic
from typing import Any, final

from geomflow.core.content import content
from geomflow.core.errors import InputError, StoreError, require_known
from geomflow.core.report import degree_text
from geomflow.fits.algebraic import WORK, algebraic_metric
from geomflow.fits.balanced import balanced_metric
from geomflow.fits.fit import OPERATIONS
from geomflow.fits.folder import MetricFolder
from geomflow.variety import Estimate, HermitianForm, Hypersurface, Symmetry, sigma, trivial_symmetry
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.orbits import invariant_forms, roughly_forms
from geomflow.variety.points import ARRAYS, Points
from geomflow.variety.sections import Sections, halved, line_bundle

KINDS = ("algebraic", "balanced")
Degrees = tuple[int, ...]
#: Operations for a pair of sections at a point with all derivatives, and for a parameter in a row of the Jacobian.
_PAIR, _ROW = 1200, 10_000


@final
@dataclass(frozen=True)
class DegreeFit:
    """One fit of a ladder.

    Parameters
    ----------
    degree : tuple of int
        One for each factor.
    parameters : int
        Coefficients.
    points : int
        Those fitted on.
    seconds : float
        What the fit took.
    sigma, error : float
        σ on unseen points and its standard error.
    history : tuple of float
        What the report's curve shows: σ, or the change of log P, after every step.
    """

    degree: Degrees
    parameters: int
    points: int
    seconds: float
    sigma: float
    error: float
    history: tuple[float, ...]

    @classmethod
    def of(cls, metric: HermitianForm, seconds: float, sigma: Estimate) -> DegreeFit:
        """From a fitted metric.

        Parameters
        ----------
        metric : HermitianForm
            With its report.
        seconds : float
            What the fit took.
        sigma : Estimate
            On unseen points.
        """
        report = metric.report
        assert report is not None
        history = tuple(map(float, report.curve[1]))
        return cls(report.degree, report.parameters, report.points, seconds, float(sigma), sigma.error, history)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> DegreeFit:
        """From what `asdict` made, through JSON. Raises `StoreError`.

        Parameters
        ----------
        data : mapping
            Fields by name.
        """
        try:
            given: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in data.items()}
            found = cls(**given)
            str(found)
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise StoreError(f"the numbers of a fit are damaged ({error}); choose another --out") from error
        return found

    @property
    def curve(self) -> tuple[Sequence[float], Sequence[float]]:
        """The steps and what the history holds."""
        return range(len(self.history)), self.history

    def __str__(self) -> str:
        plural = "" if self.parameters == 1 else "s"
        return (
            f"degree {degree_text(self.degree)}: {self.parameters} parameter{plural}, "
            f"{max(len(self.history) - 1, 0)} steps, {self.seconds:.1f} s, σ = {self.sigma:.3g} on unseen points"
        )


def degrees_to(
    variety: Hypersurface,
    degree: int | Sequence[int],
    lower: Sequence[int] | None = None,
    kahler_class: Sequence[float] | None = None,
) -> list[Degrees]:
    """The degrees of a ladder to O(k t), rising on one ray, the last among them.

    Raises `InputError` for degrees that do not rise to k.

    >>> from geomflow.variety import Bicubic
    >>> degrees_to(Bicubic(), 4), degrees_to(Bicubic(), 3, [1]), degrees_to(Bicubic(), (3, 6))
    ([(1, 1), (2, 2), (4, 4)], [(1, 1), (3, 3)], [(1, 2), (2, 4), (3, 6)])

    Parameters
    ----------
    variety : Hypersurface
        Where the metrics live.
    degree : int or sequence of int
        The last, as for `algebraic_metric`.
    lower : sequence of int, optional
        Values of k on the way; the half of k, the half of that and so on unless given.
    kahler_class : sequence of float, optional
        As for `algebraic_metric`.
    """
    last, k = line_bundle(variety, degree, kahler_class)
    if lower is None:
        return [*(below for below in _halves(last) if sum(below) * k % sum(last) == 0), last]
    rungs = [each for each in lower if each != k]
    if rungs != sorted(rungs) or any(each >= k for each in rungs):
        raise InputError(f"the ladder is {list(lower)}; give degrees that rise to {k}")
    t = [d / k for d in last]
    return [*(line_bundle(variety, each, t)[0] for each in rungs), last]


@final
@dataclass(frozen=True, eq=False)
class DegreeLadder:
    """What `climb` fits: metrics of one kind of these degrees, as `degrees_to` lists them, on these points.

    Raises `UnknownNameError` for another kind, `InputError` for no degrees.

    Parameters
    ----------
    points : Points
        Those to fit on, on their variety.
    degrees : sequence of tuple of int
        From `degrees_to`.
    kind : str
        "algebraic" (`algebraic_metric`, the least E_F) or "balanced" (`balanced_metric`).
    functional : str
        The F(v) of algebraic metrics.
    symmetric : bool
        Whether the metrics have the symmetries of the polynomial.
    kahler_class : sequence of float, optional
        The class t of a metric on O(k t), as for `algebraic_metric`.
    work : float
        Core-seconds for the fits, of 2·10¹⁰ counted operations each: no degree is begun that is not expected to end
        within it, on whatever machine.
    """

    points: Points
    degrees: Sequence[Degrees]
    kind: str = "algebraic"
    functional: str = "(v - 1)^2"
    symmetric: bool = True
    kahler_class: Sequence[float] | None = None
    work: float = math.inf

    def __post_init__(self) -> None:
        require_known("kind of metric", self.kind, KINDS)
        if not self.degrees:
            raise InputError("a ladder needs a degree at least; degrees_to(variety, degree) lists those on the way")

    @property
    def symmetry(self) -> Symmetry:
        """The symmetry of the polynomial, or none at all."""
        variety = self.points.variety
        return variety.symmetry if self.symmetric else trivial_symmetry(variety.ambient.size)

    def settings(self) -> dict[str, Any]:
        """What must be the same for a kept metric to be gone on from."""
        variety = self.points.variety
        return {
            "variety.polynomial": str(variety.polynomial),
            "variety.ambient": list(variety.ambient.dims),
            "metric.kind": self.kind,
            "metric.class": None if self.kahler_class is None else list(self.kahler_class),
            "metric.functional": self.functional,
            "metric.symmetry": self.symmetric,
            "points": digest(self.points),
        }

    def above(self, fits: Sequence[DegreeFit], where: object) -> list[Degrees]:
        """The degrees above those that are done in a folder. Raises `InputError` where more is done than asked for.

        Parameters
        ----------
        fits : sequence of DegreeFit
            What is done.
        where : object
            The folder that holds them.
        """
        if not fits:
            return list(self.degrees)
        last, top = fits[-1].degree, self.degrees[-1]
        if max(last) > max(top):
            raise InputError(f"'{where}' holds a metric of degree {degree_text(last)}, and degree {degree_text(top)} "
                             "is asked for; choose another --out")
        return [degrees for degrees in self.degrees if max(degrees) > max(last)]

    def determined(self, degrees: Sequence[Degrees]) -> list[Degrees]:
        """Of some degrees those that the points determine: all, with a limit on work those below the first that is not.

        Raises `UnderdeterminedError`, before anything is fitted, where the last or the only one left is not determined.

        Parameters
        ----------
        degrees : sequence of tuple of int
            Rising.
        """
        count = len(self.points)
        if self.work < math.inf:
            degrees = list(takewhile(lambda each: self._least_points(each) <= count, degrees)) or degrees[:1]
        least = self._least_points(degrees[-1]) if degrees else 0
        if least > count:
            raise UnderdeterminedError(
                f"degree {max(degrees[-1])} needs {least:,} points at the very least, and there are {count:,} to "
                f"fit on: the fit is under-determined; take at least {20 * least:,} points or a lower degree"
            )
        return list(degrees)

    def forecast(self, degrees: Degrees, steps: int) -> float:
        """The work of a fit of so many steps in core-seconds.

        The pairs of sections at every point with their derivatives, once, and for each step a dense Jacobian of p
        parameters and its normal equations. Fits in all Hermitian forms end within any work by themselves: theirs is 0.

        Parameters
        ----------
        degrees : tuple of int
            Of the metric.
        steps : int
            Of the fit.
        """
        symmetry = self.symmetry
        count = roughly_forms(self.points.variety, degrees, symmetry)
        if self._takes_all_forms(count, degrees):
            return 0.0
        used = min(len(self.points), max(4000.0, 20 * count))
        pairs = count * len(symmetry.permutations) * (1 + symmetry.conjugation)
        return used * (_PAIR * pairs + steps * (2 * count**2 + _ROW * count)) / OPERATIONS

    def _takes_all_forms(self, count: float, degrees: Degrees) -> bool:
        """Whether invariant forms, of which there are about `count`, are most of all Hermitian forms."""
        return 4 * count >= Sections(self.points.variety, degrees).count ** 2

    def fit(self, degrees: Degrees, start: HermitianForm | None, work: float, workers: Any) -> HermitianForm:
        """The metric of one degree, from `start` where it is algebraic.

        Parameters
        ----------
        degrees : tuple of int
            Of the metric.
        start : HermitianForm or None
            The metric of the degree below.
        work : float
            Core-seconds that are left.
        workers : object
            Who fits balanced metrics.
        """
        variety, points = self.points.variety, self.points
        if self.kind == "balanced":
            return balanced_metric(variety, degrees, points, symmetric=self.symmetric, workers=workers,
                                   kahler_class=self.kahler_class)
        return algebraic_metric(variety, degrees, points, functional=self.functional, symmetry=self.symmetry,
                                start=start, kahler_class=self.kahler_class, work=WORK if math.isinf(work) else work)

    def _least_points(self, degrees: Degrees) -> int:
        """With how many points a fit is just determined; invariant forms are listed only where points may be few."""
        variety, points = self.points.variety, len(self.points)
        if self.kind == "balanced":
            return 2 * Sections(variety, degrees).count
        count = round(roughly_forms(variety, degrees, self.symmetry))
        few = count <= points < 4 * count
        return invariant_forms(variety, degrees, self.symmetry).count if few else count


@final
@dataclass(frozen=True, eq=False)
class Climbed:
    """What a ladder came to.

    Parameters
    ----------
    metric : HermitianForm
        The last of the ladder.
    fits : tuple of DegreeFit
        All of them.
    stopped : str
        Why it ended below the last degree; "" where it did not.
    """

    metric: HermitianForm
    fits: tuple[DegreeFit, ...]
    stopped: str = ""


def climb(
    ladder: DegreeLadder,
    unseen: Points,
    *,
    folder: MetricFolder | str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: Any = None,
    watch: Callable[[DegreeFit], object] | None = None,
) -> Climbed:
    """Fit the metrics of a ladder in turn, each started from the last, and measure σ of each on `unseen` points.

    The climb ends early where the next fit is not expected to end within `ladder.work`, or has more parameters than
    there are points. Raises `UnderdeterminedError` where not even the first degree is determined, `InputError` where
    the folder holds another metric or nothing to resume, `StoreError` where it cannot be used, and what
    `algebraic_metric` and `balanced_metric` do.

    Parameters
    ----------
    ladder : DegreeLadder
        What is fitted.
    unseen : Points
        Those to measure σ on.
    folder : MetricFolder or path, optional
        Where metric.npz (`geomflow.load_metric` reads it) and numbers.json are replaced after every fit.
    resume : bool
        Whether to go on from the metric in the folder: degrees that are done are not fitted again.
    workers : object
        Who fits balanced metrics, as for `balanced_metric`.
    watch : function, optional
        Called with each fit as it ends.
    """
    if folder is not None and not isinstance(folder, MetricFolder):
        folder = MetricFolder.claim(folder, ladder.settings(), resume)
    metric = None if folder is None else folder.metric()
    fits = [] if folder is None else kept_fits(folder)
    above = ladder.above(fits, None if folder is None else folder.path)
    left = ladder.determined(above)
    done = 0
    for metric, seconds in _in_turn(ladder, left, metric, workers):  # noqa: B020
        fits.append(DegreeFit.of(metric, seconds, sigma(metric, unseen)))
        done += 1
        if folder is not None:
            folder.save(metric, rungs=as_json(fits))
        if watch is not None:
            watch(fits[-1])
    assert metric is not None
    return Climbed(metric, tuple(fits), _stopped(above, left, done))


def kept_fits(folder: MetricFolder) -> list[DegreeFit]:
    """The fits that a folder held. Raises `StoreError`."""
    return [DegreeFit.read(data) for data in folder.before.get("rungs", [])]


def as_json(fits: Sequence[DegreeFit]) -> list[dict[str, Any]]:
    """Fits for JSON."""
    return [asdict(fit) for fit in fits]


def digest(points: Points) -> str:
    """What points are, as a digest of their numbers."""
    found = content({name: getattr(points, name) for name in ARRAYS})
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _in_turn(
    ladder: DegreeLadder, degrees: Sequence[Degrees], start: HermitianForm | None, workers: Any
) -> Iterator[tuple[HermitianForm, float]]:
    """The metric of each degree with the seconds it took, until the next is not expected to end within the work.

    Forecasts are for as many steps as the fit before took. A fit in all Hermitian forms takes what work is left.
    """
    left, steps = ladder.work, 0
    for number, each in enumerate(degrees):
        if number and left < math.inf and (left <= 0 or ladder.forecast(each, steps) > left):
            return
        begun = monotonic()
        start = ladder.fit(each, start, left, workers)
        steps = 0 if start.report is None else len(start.report.history) - 1
        left -= ladder.forecast(each, steps) or left
        yield start, monotonic() - begun


def _stopped(above: Sequence[Degrees], left: Sequence[Degrees], done: int) -> str:
    if done < len(left):
        return f"degree {degree_text(left[done])} is not expected to be done within the work that is left"
    if done < len(above):
        return f"degree {degree_text(above[done])} has more parameters than there are points"
    return ""


def _halves(degrees: Degrees) -> list[Degrees]:
    """The half of some degrees on their ray, the half of that and so on, rising, rounded up.

    >>> _halves((10,)), _halves((4, 4)), _halves((3, 6)), _halves((1,))
    ([(1,), (2,), (3,), (5,)], [(1, 1), (2, 2)], [(1, 2), (2, 4)], [])
    """
    half = halved(degrees)
    return [] if half == degrees else [*_halves(half), half]
