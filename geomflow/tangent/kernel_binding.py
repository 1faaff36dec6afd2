"""From an equation and a kernel to the functions of the problem that `solve` integrates, and what is watched.

The index structure says what of a rate the kernel acts on, and how a rate comes back. A gradient
flow with the rate r descends the loss in an inner product ∫ ⟨r, r⟩ w dx. With a frame g = E Eᵀ,

    evolving   u = w^{1/2} E⁻¹ r E⁻ᵀ,   rate' = w^{−1/2} E (K u) Eᵀ      tends to ½(g_ik g_jl + g_il g_jk) δ/w as K → δ
    frozen     D = w g⁻¹ r g⁻¹,          rate' = K D                       δ_ik δ_jl K, Halverson and Ruehle, eq. (2.23)

so that d(loss)/dt = −∫ ⟨u, K u⟩ dx and −∫ ⟨D, K D⟩ dx (an evolving kernel on a potential is made otherwise, see
`SmearedCompiled`). The frame is the lower Cholesky factor in the coordinates of the torus; another frame changes the
flow by O(s²). Where components are not contracted with g (a potential, a scalar, the inner product Σ h_ij h_ij), E and
g are the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import symmetric
from geomflow.core.program import InnerProduct, Program, Stage
from geomflow.field import Field, MetricField, PotentialField
from geomflow.field.operators import Operator, discretise
from geomflow.field.potential import ReferenceForm
from geomflow.flow.compiled import Compiled
from geomflow.flow.equation import Equation
from geomflow.flow.implicit import FrozenPrincipal
from geomflow.flow.principal import SpectralBound
from geomflow.symbolic.jets import MetricNodes, field_node, metric_names, metric_nodes, symmetric_matrix
from geomflow.tangent.kernel_action import Action, BatchAction
from geomflow.tangent.kernel_checks import lanczos

MEASURE = "inner_measure"
"""The output of the forward program, after the components, and the input of the one back, that holds w."""


@final
@dataclass(frozen=True)
class Transport:
    """The programs there and back for one equation.

    equation   the classical equation
    inner      its inner product
    tensor     whether the components are those of a symmetric tensor g_ij
    evolving   whether the kernel acts in frames of the metric of the moment, else on the frozen components
    """

    equation: Equation
    inner: InnerProduct
    tensor: bool
    evolving: bool

    @property
    def framed(self) -> bool:
        """Whether components are contracted with the metric."""
        return self.tensor and self.inner.covariant

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the real coordinates."""
        return self.equation.program.coordinates

    @cached_property
    def multiplicity(self) -> np.ndarray:
        """How often each packed component stands in the full tensor, (ncomp,): off-diagonal ones twice."""
        rates = len(self.equation.program.stages[-1].outputs)
        if not self.tensor:
            return np.ones(rates)
        return symmetric.multiplicity(len(self.coordinates))

    @cached_property
    def there(self) -> Program:
        """From the fields of the equation to what the kernel acts on, then w."""
        program = self.equation.program
        rates = [node for _, node in program.stages[-1].outputs]
        covectors = self._there(rates)
        names = [f"covector_{n}" for n in range(len(covectors))]
        final_stage = Stage((*zip(names, covectors, strict=True), (MEASURE, self.inner.measure)))
        return replace(program, stages=(*self._inner_stages(), final_stage))

    @cached_property
    def weight(self) -> Program:
        """From the fields of the equation to w."""
        return replace(self.equation.program, stages=(*self.inner.stages, Stage(((MEASURE, self.inner.measure),))))

    @cached_property
    def back(self) -> Program | None:
        """From the components of the metric (where they are needed), w and what the kernel gave, to rates."""
        if not self.evolving:
            return None
        count = len(self.multiplicity)
        smoothed = tuple(f"smoothed_{n}" for n in range(count))
        nodes = self._back([field_node(name, self.coordinates) for name in smoothed])
        metric = metric_names(self.coordinates) if self.framed else ()
        outputs = Stage(tuple((f"rate_{n}", node) for n, node in enumerate(nodes)))
        return Program(self.coordinates, (*metric, MEASURE, *smoothed), (), (), (outputs,))

    def _inner_stages(self) -> tuple[Stage, ...]:
        """The stages of the rate, then those that only w stands on."""
        stages = self.equation.program.stages[:-1]
        known = {name for stage in stages for name in stage.names}
        rest = [tuple(pair for pair in stage.outputs if pair[0] not in known) for stage in self.inner.stages]
        return (*stages, *(Stage(outputs) for outputs in rest if outputs))

    def _there(self, rates: Sequence[gr.Node]) -> list[gr.Node]:
        measure = self.inner.measure
        factor = gr.sqrt(measure) if self.evolving else measure
        if not self.framed:
            return [factor * rate for rate in rates]
        matrix = metric_nodes(self.coordinates)[1]
        left = lower_inverse(cholesky(matrix)) if self.evolving else MetricNodes(self.coordinates, matrix).inverse
        return [factor * node for node in symmetric.entries(left @ symmetric_matrix(rates, len(matrix)) @ left.T)]

    def _back(self, smoothed: Sequence[gr.Node]) -> list[gr.Node]:
        factor = gr.sqrt(field_node(MEASURE, self.coordinates)) ** -1
        if not self.framed:
            return [factor * node for node in smoothed]
        frame = cholesky(metric_nodes(self.coordinates)[1])
        tensor = frame @ symmetric_matrix(smoothed, len(frame)) @ frame.T
        return [factor * node for node in symmetric.entries(tensor)]


def cholesky(matrix: np.ndarray) -> np.ndarray:
    """The lower triangular L with L Lᵀ = the symmetric (d, d) matrix of nodes, its diagonal positive."""
    dim = len(matrix)
    lower = np.full((dim, dim), gr.ZERO, dtype=object)
    for j in range(dim):
        lower[j, j] = gr.sqrt(matrix[j, j] - gr.add(*(lower[j, k] ** 2 for k in range(j))))
        for i in range(j + 1, dim):
            known = gr.add(*(lower[i, k] * lower[j, k] for k in range(j)))
            lower[i, j] = (matrix[i, j] - known) / lower[j, j]
    return lower


def lower_inverse(lower: np.ndarray) -> np.ndarray:
    """The inverse of a lower triangular (d, d) matrix of nodes."""
    dim = len(lower)
    result = np.full((dim, dim), gr.ZERO, dtype=object)
    for j in range(dim):
        result[j, j] = gr.ONE / lower[j, j]
        for i in range(j + 1, dim):
            known = gr.add(*(lower[i, k] * result[k, j] for k in range(j, i)))
            result[i, j] = -known / lower[i, i]
    return result


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
        rows = self._there(*self._fields(t, y))
        smoothed = self._smoothed(rows)
        if self._back is None:
            out[...] = smoothed
        else:
            metric = y[: self._count] if self.transport.framed else y[:0]
            self._back(np.concatenate([metric, rows[self._count :], smoothed]), out=out)

    def spectral_radius(self, t: float, y: np.ndarray) -> float:
        """A bound of the stiff eigenvalues, mode by mode smaller by the symbol of the kernel."""
        return self._bound(*self._fields(t, y)) * self._stretch(t, y)

    @cached_property
    def _bound(self) -> SpectralBound:
        return SpectralBound(self.part, self.grid, self.equation.statics, self.action.symbol)

    @property
    def implicit(self) -> FrozenPrincipal:
        """The principal part with frozen coefficients, times the symbol of the kernel."""
        return FrozenPrincipal(self.part, self.grid, self.equation.statics, self._fields, self._damping)

    def _damping(self, t: float, y: np.ndarray) -> Any:
        symbol = self.action.symbol
        return self._stretch(t, y) * (self._monitors.norm if symbol is None else symbol)

    def _stretch(self, t: float, y: np.ndarray) -> float:
        """The most by which frozen components exceed those in a frame: the largest eigenvalue of w g⁻¹ ⊗ g⁻¹."""
        if self.action.evolving:
            return 1.0
        weight = self._weight(*self._fields(t, y))[0]
        if not self.transport.framed:
            return float(weight.max())
        least = np.linalg.eigvalsh(symmetric.unpack(y, self.grid.dim))[..., 0]
        return float((weight / least**2).max())

    def observe(self, t: float, y: np.ndarray) -> dict[str, float]:
        """The equation's monitors, and those of the kernel; the dissipation is that with the kernel."""
        whole = self._whole(y)
        found = self._observer(whole, self._numbers(t, whole))
        found.pop("dissipation", None)
        rows = self._there(whole, self.parameters(t, whole))
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
