"""The index structure of a kernel on a metric: what of a rate the kernel acts on, and how a rate comes back.

A gradient flow with the rate r descends the loss in an inner product ∫ ⟨r, r⟩ w dx. With a frame g = E Eᵀ,

    evolving   u = w^{1/2} E⁻¹ r E⁻ᵀ,   rate' = w^{−1/2} E (K u) Eᵀ      tends to ½(g_ik g_jl + g_il g_jk) δ/w as K → δ
    frozen     D = w g⁻¹ r g⁻¹,          rate' = K D                       δ_ik δ_jl K, Halverson and Ruehle, eq. (2.23)

so that d(loss)/dt = −∫ ⟨u, K u⟩ dx and −∫ ⟨D, K D⟩ dx (an evolving kernel on a potential is made otherwise, see
`kernel_binding.SmearedCompiled`). The frame is the lower Cholesky factor in the coordinates of the
torus; another frame changes the flow by O(s²). Where components are not contracted with g (a potential, a scalar, the
inner product Σ h_ij h_ij), E and g are the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import InnerProduct, Program, Stage
from geomflow.flow.equation import Equation
from geomflow.symbolic.jets import MetricNodes, field_node, metric_names, metric_nodes

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
        pairs = _places(len(self.coordinates))
        return np.array([1.0 if i == j else 2.0 for i, j in pairs])

    @cached_property
    def there(self) -> Program:
        """From the fields of the equation to what the kernel acts on, then w."""
        program = self.equation.program
        rates = [node for _, node in program.stages[-1].outputs]
        covectors = self._there(rates)
        names = [f"covector_{n}" for n in range(len(covectors))]
        final_stage = Stage((*zip(names, covectors, strict=True), (MEASURE, self.inner.measure)))
        return Program(program.coordinates, program.fields, program.statics, program.parameters,
                       (*self._inner_stages(), final_stage))

    @cached_property
    def weight(self) -> Program:
        """From the fields of the equation to w."""
        program = self.equation.program
        return Program(program.coordinates, program.fields, program.statics, program.parameters,
                       (*self.inner.stages, Stage(((MEASURE, self.inner.measure),))))

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
        return [factor * node for node in _packed(left @ _full(rates, len(matrix)) @ left.T)]

    def _back(self, smoothed: Sequence[gr.Node]) -> list[gr.Node]:
        factor = gr.sqrt(field_node(MEASURE, self.coordinates)) ** -1
        if not self.framed:
            return [factor * node for node in smoothed]
        frame = cholesky(metric_nodes(self.coordinates)[1])
        return [factor * node for node in _packed(frame @ _full(smoothed, len(frame)) @ frame.T)]


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


def _places(dim: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(dim) for j in range(i, dim)]


def _full(nodes: Sequence[gr.Node], dim: int) -> np.ndarray:
    """The symmetric matrix with these packed components."""
    result = np.empty((dim, dim), dtype=object)
    for (i, j), node in zip(_places(dim), nodes, strict=True):
        result[i, j] = result[j, i] = node
    return result


def _packed(matrix: np.ndarray) -> list[gr.Node]:
    return [matrix[place] for place in _places(len(matrix))]
