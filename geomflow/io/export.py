"""Taking things elsewhere: exact objects as LaTeX, Mathematica or Sage, runs as xarray, netCDF, zarr or VTK.

Exact are metrics and charts, curvature tensors, functionals, flows and their equations, varieties, every sympy
expression, matrix or array, and lists of them, such as systems of equations.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sympy

from geomflow.core.errors import InputError
from geomflow.core.files import replacing
from geomflow.io.datasets import to_xarray
from geomflow.io.vtk import vtk as vtk
from geomflow.symbolic.printers import MATHEMATICA_WORDS, SAGE_WORDS, Mathematica, Sage, atoms, domain, names_in


def exact(thing: Any) -> Any:
    """The sympy object, or the list of them, that an exact thing is.

    A metric or a form is its matrix, a flow or a functional the equation of the (gradient) flow, a variety Q = 0.

    Raises `InputError` for what is not exact.

    Parameters
    ----------
    thing : exact object, sympy object, or list of them
        What is to be taken elsewhere.
    """
    if hasattr(thing, "__exact__"):
        return thing.__exact__()
    if isinstance(thing, sympy.Basic | sympy.MatrixBase | sympy.NDimArray):
        return thing
    if isinstance(thing, Sequence) and not isinstance(thing, str):
        return [exact(part) for part in thing]
    raise InputError(f"{thing!r} is no exact object: give a metric, a tensor, an equation, a functional, a flow, a "
                     "sympy expression, or a list of them")


def latex(thing: Any) -> str:
    """An exact object in LaTeX, without dollars; a list of equations line by line.

    Parameters
    ----------
    thing : exact object, sympy object, or list of them
        What is to be written.

    Examples
    --------
    >>> import geomflow as gf
    >>> print(gf.export.latex(gf.Metric("x y", [["1", "0"], ["0", "x^2"]])))
    \\mathrm{d}s^2 = \\mathrm{d}x^2 + x^{2}\\,\\mathrm{d}y^2
    """
    if hasattr(thing, "latex"):
        return str(thing.latex())
    found = exact(thing)
    if isinstance(found, list) and found and all(isinstance(part, sympy.Eq) for part in found):
        lines = [f"{sympy.latex(part.lhs)} &= {sympy.latex(part.rhs)}" for part in found]
        return "\\begin{aligned}" + "\\\\ ".join(lines) + "\\end{aligned}"
    return str(sympy.latex(found))


def mathematica(thing: Any) -> str:
    """An exact object in the language of Mathematica: matrices and arrays as lists, equations with ==.

    Names lose their underscores, which are patterns there, and those that Mathematica has (C, D, E, I, N, ...) are
    doubled.

    Parameters
    ----------
    thing : exact object, sympy object, or list of them
        What is to be written.

    Examples
    --------
    >>> import geomflow as gf
    >>> sphere = gf.Metric("theta phi", [["1", "0"], ["0", "sin(theta)^2"]])
    >>> gf.export.mathematica(sphere.ricci)
    '{{1, 0}, {0, Sin[theta]^2}}'
    """
    found = exact(thing)
    return str(Mathematica(names_in(found, MATHEMATICA_WORDS, "")).doprint(found))


def sage(thing: Any, name: str = "result") -> str:
    """An exact object as a script for Sage: its variables and functions are declared, then it is given a name.

    Parameters
    ----------
    thing : exact object, sympy object, or list of them
        What is to be written.
    name : str
        What the script calls it.

    Examples
    --------
    >>> import geomflow as gf
    >>> print(gf.export.sage(gf.Metric("theta phi", [["1", "0"], ["0", "sin(theta)^2"]]).ricci, "ric"))
    theta = var('theta', domain='real')
    ric = matrix(SR, [[1, 0], [0, sin(theta)^2]])
    """
    found = exact(thing)
    names = names_in(found, SAGE_WORDS | {name}, "_")
    symbols, functions = atoms(found)
    lines = [f"{names[s]} = var('{names[s]}'{domain(s)})" for s in symbols]
    lines += [f"{names[f]} = function('{names[f]}')" for f in functions]
    return "\n".join([*lines, f"{name} = {Sage(names).doprint(found)}"])


def netcdf(run: Any, path: str | os.PathLike[str]) -> Path:
    """Write a run to a netCDF file, which appears whole or not at all, and return its path.

    Raises `MissingExtraError` without xarray.

    Parameters
    ----------
    run : Solution, str or path
        A run, or where one is stored.
    path : str or path
        A file, which is replaced.
    """
    target = Path(path)
    data = to_xarray(run)
    with replacing(target) as partial:
        data.to_netcdf(partial)
    return target


def zarr(run: Any, path: str | os.PathLike[str]) -> Path:
    """Write a run to a zarr store as xarray lays it out, one array a component, and return its path.

    Raises `MissingExtraError` without xarray, and `FileExistsError` where something is at the path.

    Parameters
    ----------
    run : Solution, str or path
        A run, or where one is stored.
    path : str or path
        A directory that does not exist yet.
    """
    to_xarray(run).to_zarr(Path(path), mode="w-", consolidated=False)
    return Path(path)
