"""Files and stores of every kind that the package keeps: what makes each, and everything that reading it tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import geomflow as gf
import geomflow.variety as gv
from geomflow import fits, kernels
from geomflow.core.content import content
from geomflow.flow import Store
from geomflow.study.study import KeptRows
from geomflow.variety.points import ARRAYS


@dataclass(frozen=True)
class Kept:
    """One kind of thing on disk. `save` writes it to a path, `told` reads it there and tells all that it says.

    `folder` is whether it is a folder of files. What has one `reader` with others may take their place: each says
    itself what it is.
    """

    name: str
    save: Callable[[Path], Any]
    told: Callable[[Path], str]
    folder: bool = False
    reader: str = ""


@cache
def cubic() -> Any:
    """The curve that everything lives on."""
    return gf.Fermat(3)


@cache
def points(seed: int = 1) -> Any:
    """Some points of it."""
    return cubic().sample(120, seed=seed)


@cache
def patch() -> Any:
    """Some points of one chart."""
    return gv.sample_patch(cubic(), 120, seed=1, patch=0, elim=1)


def said(found: Any) -> str:
    """All that an object is."""
    return json.dumps(content(found), sort_keys=True)


def metric(name: str, make: Callable[[], Any], save: Callable[[Any, Path], Any] | None = None) -> Kept:
    """A metric: what it is, and its numbers at points of one chart."""
    made = cache(make)

    def told(path: Path) -> str:
        found = gf.load_metric(path)
        return said(found) + found.at(patch()).tobytes().hex()

    return Kept(name, lambda path: save(made(), path) if save else made().save(path), told, reader="load_metric")


def _frozen() -> Any:
    kernel = fits.learned_kernel(points(), width=4, steps=2, tries=1, progress=False)
    return fits.frozen_fit(kernel, points(), progress=False)


def _tuning(path: Path) -> None:
    fits.tune(lambda s, seed: -s["a"] ** 2, fits.Space({"a": fits.LinearRange(0.0, 1.0)}), 4, 1, path=path,
               progress=False)


def _row(path: Path) -> KeptRows:
    return KeptRows(path)


def _write_row(path: Path) -> None:
    for cell in (1, 2):
        _row(path).note("study", {"cell": cell}, {"error": 0.5 / cell, "curve": np.arange(9.0) * cell})


def _told_rows(path: Path) -> str:
    return said([_row(path).known("study", {"cell": cell}) or f"cell {cell} is to be measured" for cell in (1, 2)])


def _cymetric(path: Path) -> str:
    found = gv.import_cymetric(cubic(), path)
    return said([[p.coordinates, p.weights, p.omega2, p.patch, p.elim] for p in found])


def heat() -> tuple[Any, Any]:
    """A flow and its state."""
    grid = gf.Torus(1).grid(16)
    return gf.Flow.from_expression("laplacian(u)/10 + sin(u)"), grid.scalar("sin(2*pi*x) + cos(4*pi*x)/3")


def calabi() -> tuple[Any, Any]:
    """A flow of potentials with a reference form of its own."""
    grid = gf.ComplexTorus(1).grid(8)
    return gf.KahlerRicciFlow(), grid.potential("cos(2*pi*x)/100", reference=[["1 + cos(2*pi*x)/4"]])


def told_run(path: Path) -> str:
    """Everything that a store tells."""
    sol = gf.load(path)
    numbers = [sol.times, sol.monitor_times, *(sol.states.packed(i) for i in range(len(sol.states)))]
    numbers += [sol.monitors[name] for name in sorted(sol.monitors)]
    words = [sol.description, sol.recipe, str(sol.outcome), sol.steps, sol.rejected, sol.rate_evaluations]
    return "".join(np.asarray(a).tobytes().hex() for a in numbers) + repr(words) + repr(sorted(sol.monitors))


def trainings() -> dict[str, fits.Fit]:
    """Fits, which are runs."""
    return {"network training": fits.PhiTraining(cubic(), points(), hidden=(4,), seed=3, steps=(3, 0)),
            "component training": fits.ComponentTraining(patch(), hidden=(4,), batch=20, seed=2, epochs=1),
            "kernel flow": fits.ComponentFlow(patch(), kernels.FubiniStudyGaussian(0.4), steps=6)}


def store(name: str, make: Callable[[], tuple[Any, Any]], t1: float = 2e-3, **options: Any) -> Kept:
    """A run that was cut off after some of its states."""

    def save(path: Path) -> None:
        flow, state = make()
        given = {"stepper": "rk4", "save_at": 5, "max_steps": 12, **options}
        gf.solve(flow, state, t1, store=Store(path, every=0, seed=3), **given)

    return Kept(name, save, told_run, folder=True)


def everything() -> list[Kept]:
    """All kinds."""
    return [
        Kept("points", lambda path: points().save(path), lambda path: said(vars_of(gv.load_points(path)))),
        metric("algebraic metric", lambda: gf.algebraic_metric(cubic(), 2, points())),
        metric("Fubini–Study", lambda: gv.FubiniStudy(cubic(), (2,))),
        metric("network metric",
               lambda: fits.phi_metric(cubic(), points(), hidden=(4,), steps=(3, 1), progress=False)),
        metric("component network", lambda: fits.component_network(patch(), hidden=(4,), epochs=1, progress=False)),
        metric("component metric", lambda: fits.ComponentFlow(patch(), kernels.FubiniStudyGaussian(0.4), steps=3).run(
            progress=False)),
        metric("kernel metric", lambda: fits.kernel_metric(points(), fits.OverlapKernel(fits.Exponential(1.0)))),
        metric("frozen features", _frozen),
        store("run store", heat),
        *(store(name, lambda name=name: (trainings()[name], trainings()[name].start()), t1=3, stepper=None,
                save_at=None, max_steps=2) for name in ("network training", "component training", "kernel flow")),
        store("run store with a reference", calabi),
        Kept("trials", _tuning, lambda path: said(fits.Tuning.load(path))),
        Kept("rows of a study", _write_row, _told_rows, folder=True),
        Kept("cymetric's points", lambda path: gv.export_cymetric(points(), path), _cymetric, folder=True),
    ]


def vars_of(found: Any) -> Any:
    """The arrays of points with their variety's name."""
    return [str(found.variety.polynomial), *(getattr(found, name) for name in ARRAYS)]
