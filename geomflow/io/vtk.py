"""Fields as files for ParaView and other programs of VTK."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import InputError, MissingExtraError


def vtk(thing: Any, path: str | os.PathLike[str]) -> Path:
    """Write a field to PATH.vts, or a run to PATH.pvd and a .vts for each saved time; return what to open.

    The grid is the fundamental cell, closed up at its far edges, where the torus has it in Cartesian coordinates. Each
    component has its name; metrics and potentials have their scalar curvature too, where they have one.

    Axes of one point are left out. Raises `InputError` above three axes of more and for what is no field or run of
    fields, and `MissingExtraError` without pyevtk.

    Parameters
    ----------
    thing : Field or Solution
        What to write.
    path : str or path
        With or without the ending, in a folder that exists; files of these names are replaced.
    """
    try:
        from pyevtk.vtk import VtkGroup
    except ImportError as error:
        raise MissingExtraError.of("pyevtk", "vtk") from error
    target = Path(path).with_suffix("")
    if not hasattr(thing, "states"):
        return _write(thing, target)
    width = len(str(len(thing.times) - 1))
    files = [_write(state, target.with_name(f"{target.name}_{i:0{width}}")) for i, state in enumerate(thing.states)]
    group = VtkGroup(str(target))
    for t, file in zip(thing.times, files, strict=True):
        group.addFile(filepath=str(file), sim_time=float(t))
    group.save()
    return target.with_suffix(".pvd")


def _write(state: Any, target: Path) -> Path:
    """One field to one .vts."""
    from pyevtk.hl import gridToVTK

    field = state if hasattr(state, "component_names") else getattr(state, "field", lambda: None)()
    if field is None or not hasattr(getattr(field, "grid", None), "torus"):
        raise InputError(f"VTK files are written of fields on tori and runs of them, and {state!r} is neither")
    grid = field.grid
    kept = grid.resolved
    dim, shape = len(kept), tuple(grid.shape[axis] for axis in kept)
    if dim > 3:
        raise InputError(f"VTK knows three dimensions, and this torus has {dim}; take a plane of the values first")
    points = np.meshgrid(*(np.arange(grid.shape[axis] + 1) * grid.spacing[axis] for axis in kept), indexing="ij")
    places = np.tensordot(np.stack(points, axis=-1), np.asarray(grid.torus.directions)[np.ix_(kept, kept)], axes=1)
    flat = (1,) * (3 - dim)
    axes = [places[..., i].reshape(*places.shape[:dim], *flat) if i < dim else np.zeros((*places.shape[:dim], *flat))
            for i in range(3)]
    data = {name: _closed(values.reshape(shape)).reshape(axes[0].shape) for name, values in _columns(field).items()}
    return Path(gridToVTK(str(target), *(np.ascontiguousarray(axis) for axis in axes), pointData=data))


def _columns(field: Any) -> dict[str, np.ndarray]:
    """The components by name, and the scalar curvature."""
    found = dict(zip(field.component_names, field.pack(), strict=True))
    try:
        return found | {"scalar curvature": field.scalar().values}
    except (AttributeError, ValueError, ArithmeticError):  # scalar fields, and what is no metric
        return found


def _closed(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.pad(values, [(0, 1)] * values.ndim, mode="wrap"))
