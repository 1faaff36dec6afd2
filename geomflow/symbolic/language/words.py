"""The words of the language: what rates and densities may name and call, and what a text says with them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, ClassVar, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError, UnknownFunctionError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.language.averages import Averages
from geomflow.symbolic.language.forms import exterior, star, wedge
from geomflow.symbolic.language.hermitian import ComplexMetric, PotentialMetric, realified
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, symmetric_part
from geomflow.symbolic.meaning import FUNCTIONS, Meaning, Refusal, require_writable

CURVATURE = ("R", "Ric", "Rm", "Weyl", "Ric2", "Rm2", "ChernRic")
OPERATORS = ("Hess", "Lie", "d", "ddbar", "div", "dot", "flat", "grad", "integral", "laplacian", "mean", "nabla",
             "sharp", "star", "sym", "trace", "wedge")
FLAT = ("flat.Hess", "flat.d", "flat.div", "flat.laplacian", "flat.nabla")
LOGARITHMS = ("log", "ln")
TIME = "t"
USAGE = {"Hess": "Hess(f)", "Lie": "Lie(X, T)", "ddbar": "ddbar(f)", "dot": "dot(a, b)", "grad": "grad(f)",
         "flat": "flat(X)", "integral": "integral(s)", "laplacian": "laplacian(T)", "mean": "mean(s)",
         "nabla": "nabla(T)", "sharp": "sharp(ω)", "star": "star(ω)", "sym": "sym(T)", "trace": "trace(T)",
         "wedge": "wedge(a, b)", "flat.Hess": "flat.Hess(f)", "flat.laplacian": "flat.laplacian(T)",
         "flat.nabla": "flat.nabla(T)"}
"""How operators of as many arguments as are here are written."""
RESERVED = {**dict.fromkeys(OPERATORS, "an operator"), **dict.fromkeys(CURVATURE, "a curvature"),
            "dV": "the volume density", "volume": "the volume", TIME: "the time"}
"""What no parameter can be called."""
NUMBERS = dict.fromkeys(("pi", "π", "e", "i"), "a number")
"""Constants that no field, parameter or definition may hide; E and I may be called anew."""


@final
@dataclass(frozen=True)
class Words(Meaning):
    """What a text means as tensors.

    Parameters
    ----------
    space : Space
        Where its derivatives, indices and curvature belong.
    averages : Averages
        What `mean`, `integral` and `volume` are kept in.
    fields : mapping
        The fields, coordinates, parameters and definitions by name.
    bound : mapping
        Which words that belong to the coordinates each of the `fields` stands on, itself where it is one.
    later : collection of str
        Definitions that may not be used yet.
    fixed : set of str
        Words used so far that belong to the coordinates.
    """

    space: Space
    averages: Averages
    fields: Mapping[str, Tensor]
    bound: Mapping[str, Collection[str]] = field(default_factory=dict)
    later: Collection[str] = ()
    fixed: set[str] = field(default_factory=set)

    indexed: ClassVar[bool] = True

    @cached_property
    def names(self) -> Mapping[str, Any]:  # type: ignore[override]
        """Values by name."""
        return Lazily({**self._of_potential(), **{name: partial(self.known, name) for name in self.fields},
                       **self._curvature(), **{name: partial(_too_early, name) for name in self.later}})

    @cached_property
    def functions(self) -> Mapping[str, Callable[..., Any]]:  # type: ignore[override]
        """The operators, and functions of scalars point by point."""
        operators = {name: _counted(USAGE[name], act) if name in USAGE else act
                     for name, act in self._operators().items()}
        return {**{name: self._pointwise(name) for name in FUNCTIONS}, **operators}

    @property
    def callable_names(self) -> Sequence[str]:
        return ()

    def known(self, name: str) -> Tensor:
        """One of the fields, coordinates, parameters and definitions."""
        self.fixed.update(self.bound.get(name, ()))
        return self.fields[name]

    # signs

    def number(self, value: sympy.Expr) -> Tensor:
        return _real(from_sympy(value))

    def is_value(self, found: Any) -> bool:
        return isinstance(found, Tensor)

    def total(self, terms: Sequence[Tensor]) -> Tensor:
        return self.space.total(terms)

    def product(self, factors: Sequence[Tensor]) -> Tensor:
        counts: dict[str, int] = {}
        for label in (label for factor in factors for label in factor.labels or ()):
            counts[label] = counts.get(label, 0) + 1
            if counts[label] > 2:
                raise Refusal(f"the index '{label}' comes more than twice in this product: give the others "
                              "another name")
        found = factors[0]
        for factor in factors[1:]:
            found = self.space.product(found, factor)
        if not all(map(_is_double, found.entries.flat)):
            raise Refusal("a number in this product is beyond double precision")
        return found

    def negative(self, value: Tensor) -> Tensor:
        return value.scaled(-1)

    def inverse(self, value: Tensor) -> Tensor:
        _require_scalar(value, "one divides by")
        if value.node is gr.ZERO:
            raise Refusal("division by zero")
        return Tensor.scalar(gr.divide(1, value.node))

    def power(self, base: Tensor, exponent: Tensor) -> Tensor:
        _require_scalar(base, "a power is of")
        _require_scalar(exponent, "an exponent is")
        number = exponent.node
        if number.op == "constant" and not isinstance(number.data, str):
            if base.node is gr.ZERO and number.data < 0:
                raise Refusal("division by zero")
            times, data = Fraction(number.data), base.node.data
            written = base.node.op == "constant" and not isinstance(data, str)
            require_writable(data if written else None, abs(times))
            return _real(gr.power(base.node, times))
        return Tensor.scalar(gr.exp(number * gr.log(base.node)))

    def at_indices(self, value: Tensor, indices: tuple[str, ...]) -> Tensor:
        found = value.further[len(indices)]() if len(indices) in value.further else value
        if found.labels is not None:
            raise Refusal(f"the indices of this are named already ({', '.join(found.labels) or 'all summed over'})")
        if found.rank != len(indices):
            known = " or ".join(str(count) for count in sorted({value.rank, *value.further} - {0})) or "none"
            given = "1 index is given" if len(indices) == 1 else f"{len(indices)} indices are given"
            raise Refusal(f"{given}, and what stands before has {known}")
        for label in indices:
            if label in self.fields or label in self.later:
                raise Refusal(f"'{label}' is the name of something else here, and components cannot be picked: an "
                              "index is a letter that is no other name, such as i")
            if indices.count(label) > 2:
                raise Refusal(f"the index '{label}' comes more than twice: give the others another name")
        return self.space.named(found, indices)

    # words

    def _curvature(self) -> dict[str, Callable[[], Any]]:
        return {"R": self._scalar_curvature, "Ric": self._ricci, "Rm": self._riemann, "Weyl": self._weyl,
                "Ric2": self._ricci_squared,
                "ChernRic": lambda: Tensor(self._complex("ChernRic").chern_ricci, (False, False)),
                "Rm2": lambda: Tensor.scalar(self._metric("Rm2").riemann_squared),
                "dV": self._density, "volume": lambda: self.averages.integral(self.space, gr.ONE)}

    def _of_potential(self) -> dict[str, Callable[[], Any]]:
        """What a Kähler potential brings, where no field has the name."""
        metric = self.space.metric
        if not isinstance(metric, PotentialMetric):
            return {"v": _no_ratio}
        return {"g": lambda: Tensor(metric.matrix, (False, False)), "v": lambda: Tensor.scalar(metric.ratio)}

    def _operators(self) -> dict[str, Callable[..., Tensor]]:
        space, flat = self.space, Space(self.space.derive)
        return {"flat.laplacian": self._flatly(flat.laplacian), "flat.d": self._flatly(self.derivative),
                "flat.div": self._flatly(flat.divergence), "flat.Hess": self._flatly(partial(_hessian, flat)),
                "flat.nabla": self._flatly(flat.covariant),
                "d": self.derivative, "div": self._divergence, "laplacian": space.laplacian, "Lie": space.lie,
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
        _require_scalar(scalar, "ddbar(f) is of")
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

    def derivative(self, value: Tensor, *along: Tensor) -> Tensor:
        """d(ω), or the partial derivative d(s, x, …) of a scalar along coordinates."""
        if not along:
            return exterior(self.space, value)
        axes = [self._axis(coordinate, value) for coordinate in along]
        _require_scalar(value, "d(s, x) differentiates")
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
        _require_scalar(scalar, "grad(f) is of")
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
        _require_scalar(scalar, "mean(s) is of")
        metric = self.space.metric
        if isinstance(metric, PotentialMetric) and gr.split(scalar.node)[1] is gr.split(metric.scalar)[1]:
            return Tensor.scalar(0)  # the first Chern class of a torus vanishes
        return self.averages.mean(self.space, scalar.node)

    def _integral(self, scalar: Tensor) -> Tensor:
        _require_scalar(scalar, "integral(s) is of")
        return self.averages.integral(self.space, scalar.node)

    def _pointwise(self, name: str) -> Callable[..., Tensor]:
        def act(*values: Tensor) -> Tensor:
            if len(values) != 1:
                raise Refusal(f"'{name}' cannot take {len(values)} arguments")
            _require_scalar(values[0], f"{name}(s) is of")
            metric = self.space.metric
            if name in LOGARITHMS and isinstance(metric, PotentialMetric) and values[0].node is metric.ratio:
                return Tensor.scalar(metric.log_ratio)
            argument = sympy.Symbol("argument")
            try:
                node = from_sympy(FUNCTIONS[name](argument))
            except UnknownFunctionError:
                raise Refusal(f"'{name}' is no function of real numbers that a grid has: leave it out") from None
            try:
                return _real(gr.substitute([node], {gr.symbol("argument"): values[0].node})[0])
            except GeomflowError as error:
                raise Refusal(str(error).rstrip(".")) from None

        return act


def _no_ratio() -> Any:
    raise Refusal("v is the volume ratio of a Kähler potential, and this state has none: it is made by "
                  "grid.potential(...) on a ComplexTorus")


def _too_early(name: str) -> Any:
    raise Refusal(f"the definition '{name}' stands on itself or comes later: a definition uses those before it")


def _counted(usage: str, act: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An operator that refuses more or fewer arguments than its usage shows."""

    def called(*values: Tensor) -> Tensor:
        if len(values) != usage.count(",") + 1:
            raise Refusal(f"{len(values)} argument{'s were' if len(values) != 1 else ' was'} given: write {usage}")
        return act(*values)

    return called


def _hessian(space: Space, scalar: Tensor) -> Tensor:
    _require_scalar(scalar, "Hess(f) is of")
    return space.hessian(scalar)


def _real(node: gr.Node) -> Tensor:
    """A function, unless it is imaginary or, as a number, not finite."""
    parts = gr.schedule([node])
    if gr.I in parts:
        raise Refusal("this is imaginary, and functions on a grid are real: write two real functions where one is "
                      "complex")
    if not gr.leaves([node]):
        _require_finite(node)
    return Tensor.scalar(node)


def _require_finite(node: gr.Node) -> None:
    if not _is_double(node):
        raise Refusal("this number is beyond double precision")
    with np.errstate(all="ignore"):
        if not np.isfinite(gr.evaluate([node], {})[0]):
            raise Refusal("this number is not finite: look at where it is defined")


def _is_double(node: gr.Node) -> bool:
    """Whether the number before a function, or that it is, has a place among double floats."""
    number = node.data if node.op == "constant" and not isinstance(node.data, str) else gr.split(node)[0]
    return not number or math.ulp(0.0) <= abs(number) <= sys.float_info.max


def _require_scalar(value: Any, what: str) -> None:
    if not isinstance(value, Tensor):
        raise Refusal("a function without its argument cannot be used here")
    if value.rank:
        raise Refusal(f"{what} a scalar, and this is {value.kind}")


class Lazily(Mapping[str, Any]):
    """A mapping whose values are made when they are asked for, and kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers, self._made = makers, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
