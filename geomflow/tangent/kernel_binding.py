"""From an equation and a kernel to the functions of the problem that `solve` integrates, and what is watched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import InnerProduct
from geomflow.field import MetricField, PotentialField
from geomflow.field.matrices import unpack_symmetric
from geomflow.field.operators import Operator, discretise
from geomflow.field.potential import ReferenceForm
from geomflow.field.state import Field
from geomflow.flow.equation import Equation
from geomflow.flow.flow import Compiled
from geomflow.flow.implicit import FrozenPrincipal
from geomflow.flow.principal import SpectralBound
from geomflow.symbolic.jets import MetricNodes, metric_nodes
from geomflow.tangent.frames import Transport
from geomflow.tangent.kernel_action import Action, BatchAction
from geomflow.tangent.kernel_checks import lanczos


@dataclass(frozen=True)
class KernelMonitors:
    """The monitors of one action: c is what the kernel acts on, in the inner product (c, c') = ∫ Σ_ij c_ij c'_ij dx.

    dissipation  (c, Θc): d(energy)/dt = −dissipation, where the flow without the kernel is a gradient flow
    retained     (c, Θc)/(c, c'), with c' what the delta function makes of c: the share of the dissipation that is left
    alignment    retained/‖K‖: one where the gradient lies in the top eigenspace of the kernel, of norm `norm`; evolving
                 kernels on potentials can exceed that by what w varies

    Where the gradient vanishes, retained and alignment are zero.
    """

    multiplicity: np.ndarray
    volume: float
    norm: float
    descends: bool

    def __call__(self, covector: np.ndarray, smoothed: np.ndarray, local: np.ndarray) -> dict[str, float]:
        """The monitors for c, Θc and c', packed."""
        product = self._pair(covector, smoothed)
        square = self._pair(covector, local)
        retained = product / square if square > 0 else 0.0
        found = {"alignment": retained / self.norm, "retained": retained}
        return {"dissipation": product, **found} if self.descends else found

    def _pair(self, first: np.ndarray, second: np.ndarray) -> float:
        sums = [float(np.vdot(a, b)) for a, b in zip(first, second, strict=True)]
        return float(self.multiplicity @ sums) * self.volume / first[0].size


def inner_product(equation: Equation, state: Field) -> InnerProduct:
    """The inner product of a gradient flow; for others ∫⟨·,·⟩ dV of the state's own geometry, or ∫ dx without one."""
    if equation.inner is not None:
        return equation.inner
    if isinstance(state, MetricField):
        coordinates = equation.program.coordinates
        return InnerProduct(gr.sqrt(MetricNodes(coordinates, metric_nodes(coordinates)[1]).determinant))
    if isinstance(state, PotentialField):
        form = ReferenceForm.of(state)
        return InnerProduct(form.metric.determinant * 2**form.dim)
    return InnerProduct(gr.ONE, covariant=False)


def compiled(equation: Equation, state: Field, action: Action) -> KernelCompiled:
    """The functions of an equation under a kernel, by the index structure that the state and the kernel ask for."""
    potential = isinstance(state, PotentialField) and action.evolving
    varies = any(leaf.op == "jet" for leaf in gr.leaves([inner_product(equation, state).measure]))
    return (SmearedCompiled if potential and varies else KernelCompiled)(equation, state, action)


class KernelCompiled(Compiled):
    """The functions of an equation whose rate is followed by a kernel."""

    def __init__(self, equation: Equation, state: Field, action: Action) -> None:
        super().__init__(equation, state)
        self.action = action
        tensor = isinstance(state, MetricField)
        self.transport = Transport(equation, inner_product(equation, state), tensor, self._framed())

    def _framed(self) -> bool:
        """Whether the kernel acts in frames of the metric of the moment."""
        return self.action.evolving

    def _smoothed(self, rows: np.ndarray) -> np.ndarray:
        """Θ of what the kernel acts on; `rows` are its components, then w."""
        return self.action(rows[: self._count])

    def _local(self, rows: np.ndarray) -> np.ndarray:
        """The same for the delta function."""
        return rows[: self._count]

    @cached_property
    def _there(self) -> Operator:
        return discretise(self.transport.there, self.grid, self.equation.statics)

    @cached_property
    def _weight(self) -> Operator:
        return discretise(self.transport.weight, self.grid, self.equation.statics)

    @cached_property
    def _back(self) -> Operator | None:
        program = self.transport.back
        return None if program is None else discretise(program, self.grid)

    @cached_property
    def _monitors(self) -> KernelMonitors:
        descends = self.equation.inner is not None
        multiplicity, norm = self.transport.multiplicity, self.action.largest
        if norm is None:
            whole = self.action.whole if isinstance(self.action, BatchAction) else self.action
            norm = lanczos(whole, multiplicity, self.grid.shape)[1]
        return KernelMonitors(multiplicity, self.grid.torus.cell_volume, norm, descends)

    @property
    def _count(self) -> int:
        return len(self.transport.multiplicity)

    def rate(self, t: float, y: np.ndarray, out: np.ndarray) -> None:
        """dy/dt = −∫ Θ δL/δy dμ into `out`."""
        rows = self._there(*self._fields(y))
        smoothed = self._smoothed(rows)
        if self._back is None:
            out[...] = smoothed
        else:
            metric = y[: self._count] if self.transport.framed else y[:0]
            self._back(np.concatenate([metric, rows[self._count :], smoothed]), out=out)

    def spectral_radius(self, t: float, y: np.ndarray) -> float:
        """A bound of the stiff eigenvalues, mode by mode smaller by the symbol of the kernel."""
        return self._bound(*self._fields(y)) * self._stretch(y)

    @cached_property
    def _bound(self) -> SpectralBound:
        return SpectralBound(self.part, self.grid, self.equation.statics, self.action.symbol)

    @property
    def implicit(self) -> FrozenPrincipal:
        """The principal part with frozen coefficients, times the symbol of the kernel."""
        return FrozenPrincipal(self.part, self.grid, self.equation.statics, self._fields, self._damping)

    def _damping(self, y: np.ndarray) -> Any:
        symbol = self.action.symbol
        return self._stretch(y) * (self._monitors.norm if symbol is None else symbol)

    def _stretch(self, y: np.ndarray) -> float:
        """The most by which frozen components exceed those in a frame: the largest eigenvalue of w g⁻¹ ⊗ g⁻¹."""
        if self.action.evolving:
            return 1.0
        weight = self._weight(*self._fields(y))[0]
        if not self.transport.framed:
            return float(weight.max())
        least = np.linalg.eigvalsh(unpack_symmetric(y, self.grid.dim))[..., 0]
        return float((weight / least**2).max())

    def observe(self, t: float, y: np.ndarray) -> dict[str, float]:
        """The equation's monitors, and those of the kernel; the dissipation is that with the kernel."""
        whole = self._whole(y)
        found = self._observer(whole)
        found.pop("dissipation", None)
        rows = self._there(whole, self._parameters(whole))
        return {**found, **self._monitors(rows[: self._count], self._smoothed(rows), self._local(rows))}


class SmearedCompiled(KernelCompiled):
    """An evolving kernel on a potential, Θ = K^{1/2} w^{−1} K^{1/2}, so that r' = K^{1/2} w^{−1} K^{1/2} [w r].

    Here w = dμ_J/dx has two derivatives of φ. In w^{−1/2} K [w^{1/2} r], the form of the frames, it stands outside the
    kernel: a perturbation ψ changes that rate by −¼ r' Δψ, a heat equation that runs backward where r' > 0, and short
    waves, on which the kernel leaves nothing to damp, grow without bound. Between two halves of the kernel w is smooth.
    """

    def _framed(self) -> bool:
        """No: the components that the halves act on are frozen."""
        return False

    def _smoothed(self, rows: np.ndarray) -> np.ndarray:
        """K^{1/2} w^{−1} K^{1/2} of w r."""
        return self.action.sandwich(rows[: self._count], 1.0 / rows[self._count])

    def _local(self, rows: np.ndarray) -> np.ndarray:
        """r."""
        return rows[: self._count] / rows[self._count]
