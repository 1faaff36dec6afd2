"""Kernel flows: the metric flow that a frozen or evolving tangent kernel makes of a functional."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.registry import Registry
from geomflow.field import MetricField
from geomflow.field.lattice import FlatTorus
from geomflow.flow import RKC, Problem, Stepper
from geomflow.flow.equation import Equation
from geomflow.flow.equations.derived import Descent
from geomflow.flow.equations.expression import ExpressionFlow
from geomflow.flow.flow import Flow, bind
from geomflow.flow.solver import as_flow
from geomflow.flow.steppers.choose import fitting_stepper
from geomflow.kernels import EmpiricalKernel, EmpiricalPotentialKernel, Kernel
from geomflow.networks.periodic import FourierEmbedding
from geomflow.symbolic.functionals import DerivedFlow, Functional
from geomflow.tangent.kernel_action import Acting, Batch, action, require_kernel
from geomflow.tangent.kernel_binding import compiled
from geomflow.tangent.kernel_checks import look_at_growth, require_positive

if TYPE_CHECKING:
    import sympy


@final
@dataclass(frozen=True)
class KernelFlow(Flow):
    """∂_t g_ij(x) = −∫ Θ_ijkl(x, x') δL/δg_kl(x') dμ(x'), Halverson and Ruehle, eqs. (2.8), (2.12) and (2.30).

    `source` is a functional, whose factor·E is L, or a flow: a gradient flow `functional.gradient_flow(metric)`, a
    `Descent` of it with parameters or a measure, or any other flow, whose rate the kernel smooths in the same way.
    `kernel` is

    a scalar kernel K   the evolving kernel `Covariant(K)`, also on potentials: it tends to the classical gradient flow
                        in the inner product of `source` as K tends to the delta function
    Kronecker(K), Symmetrised(K)   frozen: the kernel acts on δL/δg_kl (or δL/δφ) component by component
    a callable          K(x, x') of points (p, d), (q, d) that returns (p, q): `FunctionKernel` of it, evolving
    a tangent kernel    anything with `apply(x, x', values)`, such as the `EmpiricalKernel` of a network (on potentials
                        `EmpiricalPotentialKernel`): frozen

    With the classical rate r, the density w of the inner product and a frame g = E Eᵀ,

        Covariant    r' = w^{−1/2} E K[w^{1/2} E⁻¹ r E⁻ᵀ] Eᵀ        potentials  r' = K^{1/2}[w^{−1} K^{1/2}[w r]]
        Kronecker    r' = K[w g⁻¹ r g⁻¹]                            potentials  r' = K[w r]

    and with the gradient in "L2", where components h_ij are summed as they are and not contracted with g,

        Covariant    r' = w^{−1/2} K[w^{1/2} r]                     Kronecker   r' = K[w r]

    On potentials w has derivatives of φ, and stands between two halves of the kernel, without which short waves would
    grow; K must then be a function of x − x' alone. `batch` restricts x' to points of the grid, eq. (2.3). Where the
    classical flow is ill-posed, a kernel that caps the growth is run with a warning that names the cap; others are
    refused unless the `Descent` is forced.

    Monitors: those of the source; for gradient flows "dissipation", with d(energy)/dt = −dissipation ≤ 0 without a
    batch; "alignment" and "retained" of the kernel (see `KernelMonitors`). Gradients in the Dirichlet metric, which
    is not pointwise, are smoothed like other flows: their energy need not fall.

    Raises InputError for what is neither a functional nor a flow, for what is no kernel, and at binding for a kernel
    that is not symmetric or not positive; IllPosedError for a flow that grows without bound.

    Parameters
    ----------
    source : Functional or Flow
        What is smoothed.
    kernel : Kernel, TangentKernel or callable
        Θ.
    batch : Batch, optional
        The points x' that are seen; all unless given.
    """

    source: Functional | DerivedFlow | Flow
    kernel: Acting | Callable[[np.ndarray, np.ndarray], np.ndarray]
    batch: Batch | None = None

    def __post_init__(self) -> None:
        if isinstance(self.source, KernelFlow):
            raise InputError("the flow is a kernel flow already; give it one kernel.")
        require_kernel(self.kernel)
        if self.batch is not None and not isinstance(self.batch, Batch):
            raise InputError(f"the batch is made by Batch(points, seed), and {self.batch!r} was given.")
        self.classical  # noqa: B018

    @cached_property
    def classical(self) -> Flow:
        """The flow without the kernel."""
        source = self.source
        flow = as_flow(source.gradient_flow() if isinstance(source, Functional) else source)
        if not isinstance(flow, Flow):
            raise InputError(f"a kernel flow needs a functional or a flow, not {source!r}.")
        if type(flow).bind is not Flow.bind:
            raise InputError(f"the rate of '{flow.name}' depends on more than the state; a kernel cannot smooth it.")
        return flow

    @property
    def name(self) -> str:
        """"kernel-" and the name of the classical flow."""
        return f"kernel-{self.classical.name}"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t of the field = Θ of the classical rate."""
        return _under_kernel(self.classical.equation)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The classical equations, with Θ around the rates."""
        return [_under_kernel(equation) for equation in self.classical.components(torus)]

    def on(self, state: Any) -> Equation:
        """The classical equation: the rates that the kernel acts on, and what is watched."""
        flow = self.classical
        equation = (replace(flow, forced=True) if isinstance(flow, Descent | ExpressionFlow) else flow).on(state)
        batch = {} if self.batch is None else {"batch": len(self.batch.indices(state.grid))}
        words = in_words(self.kernel) + ("" if self.batch is None else f" on {in_words(self.batch)}")
        facts = {"kernel": in_words(self.kernel), "equation": f"{self}; Theta of {words}", **batch}
        return replace(equation, facts={**equation.facts, **facts})

    def bind(self, state: Any) -> Problem:
        """The initial value problem that starts at `state`, compiled for its grid."""
        equation = self.on(state)
        whole = action(self.kernel, state.grid, isinstance(state, MetricField))
        found = compiled(equation, state, whole)
        if not isinstance(getattr(self.kernel, "kernel", self.kernel), EmpiricalKernel | EmpiricalPotentialKernel):
            require_positive(whole, found.transport.multiplicity, state.grid.shape)  # J Jᵀ is positive
        look_at_growth(self.classical, self.kernel, equation, state, whole.symbol)
        if self.batch is not None:
            seen = action(self.kernel, state.grid, isinstance(state, MetricField), self.batch)
            found = compiled(equation, state, seen)
        problem = bind(self, state, equation, found)
        return problem if found.action.symbol is not None else replace(problem, spectral_radius=None)

    def default_stepper(self, problem: Problem) -> Stepper:
        """The one that fits the flow; stabilised Runge–Kutta where the kernel has no symbol.

        There the semi-implicit stepper can be asked for: its linear part is that of the classical flow times the norm
        of the kernel.

        Parameters
        ----------
        problem : Problem
            As the flow was bound.
        """
        if problem.stiff_order and problem.spectral_radius is None:
            return RKC()
        return fitting_stepper(problem)


def in_words(kernel: Any) -> str:
    """The kernel as text that is the same in every process: without addresses in memory."""
    return re.sub(r"( object)? at 0x[0-9a-fA-F]+", "", str(kernel))


def _under_kernel(equation: sympy.Eq) -> sympy.Eq:
    import sympy

    return sympy.Eq(equation.lhs, sympy.Function("Theta")(equation.rhs), evaluate=False)


KERNELS: Registry[Callable[..., Kernel]] = Registry("kernel", "geomflow.kernels", {
    "gaussian": "gaussian:GaussianKernel",
    "delta": "gaussian:DeltaKernel",
    "network": "network:NetworkKernel",
    "residual": "residual:ResidualKernel",
    "normalised": "normalised:NormalisedKernel",
    "gauss-net": "architectures:GaussNetKernel",
    "cosine-net": "architectures:CosineNetKernel",
})
STRUCTURES: Registry[Callable[[Kernel], Any]] = Registry("index structure of a kernel", "geomflow.kernels", {
    "covariant": "tangent:Covariant",
    "kronecker": "tangent:Kronecker",
    "symmetrised": "tangent:Symmetrised",
})
FROM_TORUS = "embedding"
"""The option of a kernel that is not written in files: networks are made periodic by the torus of the run."""


def named_kernel_flow(flow: Any, torus: FlatTorus, name: str, structure: str = "covariant", batch: int | None = None,
                      seed: int = 0, **options: Any) -> KernelFlow:
    """The flow under the kernel called `name` with these options, in an index structure, on a batch or everywhere.

    Raises UnknownNameError for an unknown name or option, InputError where an option is missing.
    """
    kernel = STRUCTURES[structure](named_kernel(name, options, torus))
    return KernelFlow(flow, kernel, None if batch is None else Batch(batch, seed))


def named_kernel(name: str, options: Mapping[str, Any], torus: FlatTorus) -> Kernel:
    """The scalar kernel called `name`, whose options are the arguments of its class; networks are periodic on `torus`.

    Raises UnknownNameError for an unknown name or option, InputError where one is missing.
    """
    known = dict(inspect.signature(KERNELS[name]).parameters)
    given = {FROM_TORUS: FourierEmbedding(torus)} if known.pop(FROM_TORUS, None) else {}
    for key in options:
        if key not in known:
            raise UnknownNameError(f"the kernel '{name}' has no option '{key}'; it takes {', '.join(known) or 'none'}.")
    missing = [key for key, p in known.items() if p.default is p.empty and key not in options]
    if missing:
        raise InputError(f"the kernel '{name}' needs the option '{missing[0]}'.")
    return KERNELS[name](**options, **given)
