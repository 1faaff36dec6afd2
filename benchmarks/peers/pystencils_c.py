"""pystencils: one assignment a stencil point, generated C++ with OpenMP and its own AVX-512 back end.

Explicit vectors where the kernel has no logarithm (its vector logarithm needs Intel's SVML, which gcc does not have);
otherwise the loop is left to gcc. Halos are refilled by slice copies. B takes two kernels, as a flow would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.cases import Case, pairs
from benchmarks.peers.array_code import FIRST, SECOND
from benchmarks.peers.halo import interior, refiller
from benchmarks.peers.ricci_formula import ricci

NAME = "pystencils"
IMPORTS = ("pystencils",)
KINDS = ("krf", "calabi", "ricci")
TOLERANCE = 1e-9


def prepare(case: Case, fields: np.ndarray) -> tuple[Callable[[], object], Callable[[], np.ndarray]]:
    """A call without arguments that computes the right-hand side, and one that returns what it computed."""
    build = {"krf": _krf, "calabi": _calabi, "ricci": _ricci}[case.kind]
    names, stages = build(case)
    width = case.order // 2
    padded = tuple(n + 2 * width for n in case.shape)
    arrays = {name: np.ones(padded) for stage in stages for name in stage.names}
    for name, values in zip(names, fields):
        interior(arrays[name], width, case.dim)[...] = values
    steps = [stage.compiled(arrays, width, case.dim) for stage in stages]
    outputs = stages[-1].outputs

    def call() -> None:
        for step in steps:
            step()

    return call, lambda: np.stack([interior(arrays[name], width, case.dim) for name in outputs])


class Stage:
    """One kernel: `differentiated` names need their halos refilled before it runs."""

    def __init__(self, assignments: list[Any], differentiated: Iterable[str], outputs: list[str], vectors: bool):
        self.assignments, self.outputs = assignments, outputs
        self.differentiated, self.vectors = list(differentiated), vectors
        used = {f.name for a in assignments for f in _fields_of(a)}
        self.names = sorted(used)

    def compiled(self, arrays: dict[str, np.ndarray], width: int, dim: int) -> Callable[[], None]:
        """A call that refills halos and runs the kernel on these arrays."""
        import pystencils

        config = pystencils.CreateKernelConfig(target=pystencils.Target.CurrentCPU, ghost_layers=width)
        config.cpu.openmp.enable = True
        config.cpu.vectorize.enable = self.vectors
        config.cpu.vectorize.assume_inner_stride_one = True
        kernel = pystencils.create_kernel(self.assignments, config).compile()
        refills = [refiller(arrays[name], width, width, dim) for name in self.differentiated]
        given = {name: arrays[name] for name in self.names}

        def step() -> None:
            for refill in refills:
                refill()
            kernel(**given)

        return step


def _fields_of(assignment: Any) -> set[Any]:
    import pystencils

    atoms = assignment.lhs.atoms(pystencils.Field.Access) | assignment.rhs.atoms(pystencils.Field.Access)
    return {access.field for access in atoms}


class _Stencils:
    """Derivatives of a field access at the centre, as sums of shifted accesses."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def fields(self, *names: str) -> list[Any]:
        import pystencils

        return [pystencils.fields(f"{name}: double[{self.case.dim}D]") for name in names]

    def at(self, field: Any, *steps: tuple[int, int]) -> Any:
        offset = [0] * self.case.dim
        for axis, k in steps:
            offset[axis] += k
        return field[tuple(offset)]

    def first(self, field: Any, axis: int, *fixed: tuple[int, int]) -> Any:
        weights, h = enumerate(FIRST[self.case.order], start=1), self.case.spacing[axis]
        return sum(w / h * (self.at(field, (axis, k), *fixed) - self.at(field, (axis, -k), *fixed))
                   for k, w in weights)

    def second(self, field: Any, i: int, j: int) -> Any:
        order, h = self.case.order, self.case.spacing
        if i == j:
            centre, *steps = SECOND[order]
            around = sum(w * (self.at(field, (i, k)) + self.at(field, (i, -k))) for k, w in enumerate(steps, 1))
            return (centre * self.at(field) + around) / h[i] ** 2
        return sum(w / h[j] * (self.first(field, i, (j, k)) - self.first(field, i, (j, -k)))
                   for k, w in enumerate(FIRST[order], start=1))

    def laplacian(self, field: Any) -> Any:
        return sum(self.second(field, axis, axis) for axis in range(self.case.dim))


def _krf(case: Case) -> tuple[list[str], list[Stage]]:
    import pystencils
    import sympy

    s = _Stencils(case)
    phi, out = s.fields("phi", "out")
    log_v = pystencils.Assignment(s.at(out), sympy.log(1 + s.laplacian(phi) / 2))
    return ["phi"], [Stage([log_v], ["phi"], ["out"], vectors=False)]


def _calabi(case: Case) -> tuple[list[str], list[Stage]]:
    import pystencils
    import sympy

    s = _Stencils(case)
    phi, v, logv, out = s.fields("phi", "v", "logv", "out")
    first = [pystencils.Assignment(s.at(v), 1 + s.laplacian(phi) / 2),
             pystencils.Assignment(s.at(logv), sympy.log(1 + s.laplacian(phi) / 2))]
    second = [pystencils.Assignment(s.at(out), -s.laplacian(logv) / s.at(v))]
    stages = [Stage(first, ["phi"], ["v", "logv"], vectors=False), Stage(second, ["logv"], ["out"], vectors=True)]
    return ["phi"], stages


def _ricci(case: Case) -> tuple[list[str], list[Stage]]:
    import pystencils
    import sympy

    s, places = _Stencils(case), pairs(case.dim)
    names, outputs = [f"g_{i}{j}" for i, j in places], [f"out_{i}{j}" for i, j in places]
    g, out = dict(zip(places, s.fields(*names))), s.fields(*outputs)
    kept: list[Any] = []
    known: dict[str, Any] = {}

    def keep(name: str, value: Any) -> Any:
        if name not in known:
            known[name] = sympy.Symbol(name)
            kept.append(pystencils.Assignment(known[name], value))
        return known[name]

    def entry(i: int, j: int) -> Any:
        return s.at(g[min(i, j), max(i, j)])

    def first(i: int, j: int, k: int) -> Any:
        i, j = min(i, j), max(i, j)
        return keep(f"d{k}_g_{i}{j}", s.first(g[i, j], k))

    def second(i: int, j: int, k: int, l: int) -> Any:
        i, j, k, l = min(i, j), max(i, j), min(k, l), max(k, l)
        return keep(f"d{k}{l}_g_{i}{j}", s.second(g[i, j], k, l))

    entries = ricci(case.dim, entry, first, second, keep)
    results = [pystencils.Assignment(s.at(u), -2 * entries[p]) for u, p in zip(out, places)]
    return names, [Stage(kept + results, names, outputs, vectors=True)]
