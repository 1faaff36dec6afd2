"""The operators and the curvatures of the language: what they are of tensors in a space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from geomflow.core import graph as gr
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.forms import exterior, star, wedge
from geomflow.symbolic.language.hermitian import ComplexMetric, PotentialMetric, realified
from geomflow.symbolic.language.scalars import require_scalar
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, symmetric_part
from geomflow.symbolic.meaning import Refusal

CURVATURE = ("R", "Ric", "Rm", "Weyl", "Ric2", "Rm2", "ChernRic")
OPERATORS = ("Hess", "Lie", "d", "ddbar", "div", "dot", "flat", "grad", "integral", "laplacian", "mean", "nabla",
             "sharp", "star", "sym", "trace", "wedge")
FLAT = ("flat.Hess", "flat.d", "flat.div", "flat.laplacian", "flat.nabla")
USAGE = {"Hess": "Hess(f)", "Lie": "Lie(X, T)", "ddbar": "ddbar(f)", "dot": "dot(a, b)", "grad": "grad(f)",
         "flat": "flat(X)", "integral": "integral(s)", "laplacian": "laplacian(T)", "mean": "mean(s)",
         "nabla": "nabla(T)", "sharp": "sharp(ω)", "star": "star(ω)", "sym": "sym(T)", "trace": "trace(T)",
         "wedge": "wedge(a, b)", "flat.Hess": "flat.Hess(f)", "flat.laplacian": "flat.laplacian(T)",
         "flat.nabla": "flat.nabla(T)"}
"""How operators of as many arguments as are here are written."""


@final
@dataclass(frozen=True)
class Operators:
    """What acts on tensors.

    Parameters
    ----------
    space : Space
        Where derivatives, indices and curvature belong.
    averages : Averages
        What `mean`, `integral` and `volume` are kept in.
    fixed : set of str
        Words used so far that belong to the coordinates.
    """

    space: Space
    averages: Averages
    fixed: set[str]

    @property
    def curvatures(self) -> dict[str, Callable[[], Any]]:
        """Curvatures, the volume and its density, each made when it is asked for."""
        return {"R": self._scalar_curvature, "Ric": self._ricci, "Rm": self._riemann, "Weyl": self._weyl,
                "Ric2": self._ricci_squared,
                "ChernRic": lambda: Tensor(self._complex("ChernRic").chern_ricci, (False, False)),
                "Rm2": lambda: Tensor.scalar(self._metric("Rm2").riemann_squared),
                "dV": self._density, "volume": lambda: self.averages.integral(self.space, gr.ONE)}

    @property
    def of_potential(self) -> dict[str, Callable[[], Any]]:
        """What a Kähler potential brings, where no field has the name."""
        metric = self.space.metric
        if not isinstance(metric, PotentialMetric):
            return {"v": _no_ratio}
        return {"g": lambda: Tensor(metric.matrix, (False, False)), "v": lambda: Tensor.scalar(metric.ratio)}

    @property
    def functions(self) -> dict[str, Callable[..., Tensor]]:
        """The operators by name; those of a fixed number of arguments refuse another."""
        return {name: _counted(USAGE[name], act) if name in USAGE else act for name, act in self._acts().items()}

    def _acts(self) -> dict[str, Callable[..., Tensor]]:
        space, flat = self.space, Space(self.space.derive)
        return {"flat.laplacian": self._flatly(flat.laplacian), "flat.d": self._flatly(self._derivative),
                "flat.div": self._flatly(flat.divergence), "flat.Hess": self._flatly(partial(_hessian, flat)),
                "flat.nabla": self._flatly(flat.covariant),
                "d": self._derivative, "div": self._divergence, "laplacian": space.laplacian, "Lie": space.lie,
                "Hess": partial(_hessian, space), "ddbar": self._complex_hessian, "grad": self._gradient,
                "dot": space.dot, "trace": self._trace, "nabla": space.covariant, "sym": symmetric_part,
                "star": partial(star, space), "wedge": partial(wedge, space), "mean": self._mean,
                "integral": self._integral, "sharp": partial(self._placed, True),
                "flat": partial(self._placed, False)}

    def _metric(self, word: str) -> Any:
        if self.space.metric is None:
            raise Refusal(f"{word} belongs to a metric, and there is none: add one, in a state "
                          "grid.fields(g=grid.metric(...), ...), in a functional fields='g ...'")
        return self.space.metric

    def _complex(self, word: str) -> ComplexMetric:
        metric = self.space.metric
        if not isinstance(metric, ComplexMetric):
            raise Refusal(f"{word} belongs to a Hermitian metric or a Kähler potential, and this state has none: they "
                          "are made by grid.hermitian(...) and grid.potential(...) on a ComplexTorus")
        return metric

    def _complex_hessian(self, scalar: Tensor) -> Tensor:
        metric = self._complex("ddbar(f)")
        require_scalar(scalar, "ddbar(f) is of")
        return Tensor(realified(metric.complex_hessian(scalar.node)), (False, False))

    def _scalar_curvature(self) -> Tensor:
        node = self._metric("R").scalar
        return Tensor(Tensor.scalar(node).entries, further={2: self._ricci, 4: self._riemann})

    def _ricci(self) -> Tensor:
        return Tensor(self._metric("Ric").ricci, (False,) * 2)

    def _ricci_squared(self) -> Tensor:
        ricci = Tensor(self._metric("Ric2").ricci, (False,) * 2)
        return self.space.dot(ricci, ricci)

    def _riemann(self) -> Tensor:
        return Tensor(self._metric("Rm").riemann_lower, (False,) * 4)

    def _weyl(self) -> Tensor:
        return Tensor(self._metric("Weyl").weyl_lower, (False,) * 4)

    def _density(self) -> Tensor:
        self.fixed.add("dV")
        return Tensor.scalar(self.space.density)

    def _flatly(self, act: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def flat(*values: Tensor) -> Tensor:
            self.fixed.add("flat")
            return act(*values)

        return flat

    def _derivative(self, value: Tensor, *along: Tensor) -> Tensor:
        """d(ω), or the partial derivative d(s, x, …) of a scalar along coordinates."""
        if not along:
            return exterior(self.space, value)
        axes = [self._axis(coordinate, value) for coordinate in along]
        require_scalar(value, "d(s, x) differentiates")
        self.fixed.update(self.space.derive.coordinates[axis] for axis in axes)
        derive = self.space.derive
        if len(axes) == 1:
            return Tensor.scalar(derive.divergence([value.node if k == axes[0] else gr.ZERO
                                                    for k in range(self.space.dim)]))
        return Tensor.scalar(derive(value.node, *axes))

    def _axis(self, coordinate: Tensor, value: Tensor) -> int:
        names = self.space.derive.coordinates
        node = coordinate.node if not coordinate.rank else None
        if node is None or node.op != "symbol" or node.data not in names:
            raise Refusal(f"d(...) differentiates along coordinates ({', '.join(names)}); write d(u, {names[0]})")
        return names.index(node.data)

    def _divergence(self, *parts: Tensor) -> Tensor:
        dim, names = self.space.dim, self.space.derive.coordinates
        if len(parts) == 1 and parts[0].rank:
            return self.space.divergence(parts[0])
        if len(parts) != dim or any(part.rank for part in parts):
            told = ", ".join(f"f_{name}" for name in names)
            raise Refusal(f"div takes a vector, or div({told}) a flux along each of the {dim} coordinates, and "
                          f"{len(parts)} were given")
        self.fixed.update(names)
        return Tensor.scalar(self.space.derive.divergence([part.node for part in parts]))

    def _gradient(self, scalar: Tensor) -> Tensor:
        require_scalar(scalar, "grad(f) is of")
        return self.space.turned(self.space.differential(scalar), 0, True)

    def _placed(self, up: bool, tensor: Tensor) -> Tensor:
        if not tensor.rank:
            raise Refusal(f"{'sharp(ω) raises' if up else 'flat(X) lowers'} indices, and a scalar has none")
        return self.space.placed(tensor, up)

    def _trace(self, tensor: Tensor) -> Tensor:
        if tensor.rank < 2:
            raise Refusal(f"trace(T) contracts the first two indices, and T is {tensor.kind}")
        return self.space.contracted(tensor, 0, 1)

    def _mean(self, scalar: Tensor) -> Tensor:
        require_scalar(scalar, "mean(s) is of")
        metric = self.space.metric
        if isinstance(metric, PotentialMetric) and gr.split(scalar.node)[1] is gr.split(metric.scalar)[1]:
            return Tensor.scalar(0)  # the first Chern class of a torus vanishes
        return self.averages.mean(self.space, scalar.node)

    def _integral(self, scalar: Tensor) -> Tensor:
        require_scalar(scalar, "integral(s) is of")
        return self.averages.integral(self.space, scalar.node)


def _no_ratio() -> Any:
    raise Refusal("v is the volume ratio of a Kähler potential, and this state has none: it is made by "
                  "grid.potential(...) on a ComplexTorus")


def _counted(usage: str, act: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An operator that refuses more or fewer arguments than its usage shows."""

    def called(*values: Tensor) -> Tensor:
        if len(values) != usage.count(",") + 1:
            raise Refusal(f"{len(values)} argument{'s were' if len(values) != 1 else ' was'} given: write {usage}")
        return act(*values)

    return called


def _hessian(space: Space, scalar: Tensor) -> Tensor:
    require_scalar(scalar, "Hess(f) is of")
    return space.hessian(scalar)
