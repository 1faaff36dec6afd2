"""A user's own functional of one field or several, its density in the language of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, InputError, require_known
from geomflow.core.progress import waiting
from geomflow.symbolic.functionals.density_words import DensityWords
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.fields_gradient import FieldsGradient
from geomflow.symbolic.functionals.fields_text import gradient_text
from geomflow.symbolic.functionals.functional import SEVERAL, Functional, Terms, summed
from geomflow.symbolic.functionals.inner_products import products_of, raised, read_products
from geomflow.symbolic.functionals.naming import densities_of, names_of, require_names
from geomflow.symbolic.language.kinds import Kind, read_kinds
from geomflow.symbolic.language.sweep import FirstVariation, Realised, Sweep
from geomflow.symbolic.language.tape import Tape
from geomflow.symbolic.variation.residues import Certificate, all_vanish
from geomflow.symbolic.variation.staged import Staged, euler_operator


@final
@dataclass(frozen=True)
class FieldsDensity(Functional):
    """E = ∫ s dV of fields by name; see `Functional.from_density`.

    Parameters
    ----------
    geometry : Torus or Chart
        Real.
    given : str
        The density s.
    fields : mapping of str to Kind
        Their kinds.
    label : str
        The functional's name.
    numbers : mapping of str to number
        Parameters of the density.
    where : mapping of str to str
        Definitions that the density may use.
    """

    given: str
    fields: Mapping[str, Kind]
    label: str = "density"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)

    complex_geometry: ClassVar[bool] = False
    dims: ClassVar[tuple[int, ...]] = (1, 2, 3, 4, 5, 6, 7)
    source: ClassVar[str] = "given by the user"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_names(self.given, self.fields, self.numbers, self.where, self.coordinates)
        tape = self.new_algebra()
        self.integrand(tape)
        unused = [name for name in self.fields if name != tape.metric and not self._stands_on(tape, name)]
        if unused:
            raise InputError(f"the field '{unused[0]}' does not occur in the density '{self.given}': write it there, "
                             "or leave it out of fields=….")

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name given."""
        return self.label

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E = ∫ density dV."""
        return f"E = ∫ ({self.given}) dV"

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """The inner products of each field: "g:ebin", "f:L2", "f:H-1", …."""
        return tuple(f"{name}:{product}" for name, kind in self.fields.items() for product in products_of(kind))

    @property
    def unknowns(self) -> tuple[str, ...]:
        """The independent components of all fields."""
        return tuple(own for name, kind in self.fields.items() for own in kind.names(name, self.coordinates))

    @property
    def metric(self) -> str | None:
        """The name of the field that is a metric."""
        return self.new_algebra().metric

    @property
    def place(self) -> str:
        """The dimension."""
        return f"dimension {len(self.coordinates)}"

    # reading

    def new_algebra(self) -> Tape:
        """A tape for what the density is made of."""
        return Tape(self.coordinates, self.fields)

    def integrand(self, use: Tape) -> gr.Node:
        """s, over the symbols of a tape."""
        return self.read(use, self.given)

    def read(self, tape: Tape, text: str) -> gr.Node:
        """A density in the same words, over the symbols of a tape; see `DensityWords.scalar`.

        Parameters
        ----------
        tape : Tape
            Where its quantities are noted.
        text : str
            In the language of tensors.
        """
        return self.words.scalar(tape, text)

    @property
    def words(self) -> DensityWords:
        """What the density may name."""
        return DensityWords(self.coordinates, self.fields, self.numbers, self.where)

    def _stands_on(self, tape: Tape, name: str) -> bool:
        """Whether a field occurs in what is noted, or in the density itself."""
        own = set(self.fields[name].packed(tape.tensor(name)))
        parts = [entry for q in tape.quantities.values() for part in q.parts for entry in part.entries.flat]
        return bool(own.intersection(gr.leaves([self.integrand(tape), *parts])))

    # variation

    def varied(self, *texts: str) -> list[FirstVariation]:
        """The variations of the density and of further ones, over the same stages.

        Parameters
        ----------
        *texts : str
            Densities in the same words.
        """
        tape = self.new_algebra()
        nodes = [self.integrand(tape), *(self.read(tape, text) for text in texts)]
        realised = Realised(tape)
        return [FirstVariation(realised, realised.value(node), Sweep.of(realised, node)) for node in nodes]

    def first_variation(self) -> FirstVariation:
        """δE = ∫ (E^{ij} h_ij + Σ_u E_u δu) dV, by structure."""
        return self.varied()[0]

    @cached_property
    def density(self) -> Staged:
        """L with E = ∫ L d^dx, on its stages."""
        tape = self.new_algebra()
        node = self.integrand(tape)
        realised = Realised(tape)
        return self.staged(realised, [realised.value(node) * realised.space.density])

    def staged(self, realised: Realised, outputs: Sequence[gr.Node]) -> Staged:
        """Outputs on the stages of what is realised.

        Parameters
        ----------
        realised : Realised
            The quantities in coordinates.
        outputs : sequence of Node
            What is to be evaluated.
        """
        return Staged(self.coordinates, (len(self.coordinates),), realised.stages, tuple(outputs))

    def euler(self) -> Staged:
        """E_u(L) for every unknown by the Euler operator on jets, L the density by d^dx."""
        density = self.density
        return euler_operator(density.outputs[0], self.unknowns, density.stages, self.coordinates)

    def difference(self, found: FirstVariation) -> Staged:
        """The Euler derivatives minus those of a variation by structure: zero if they agree."""
        realised = found.realised
        expected = found.packed(self.fields)
        density = found.density * realised.space.density
        euler = euler_operator(density, self.unknowns, realised.stages, self.coordinates)
        return replace(euler, outputs=tuple(e - x for e, x in zip(euler.outputs, expected, strict=True)))

    @property
    def differential(self) -> Staged:
        """The density of δE by d^dx, linear in the changes of the unknowns, fields of the same names after ``h_``."""
        found = self.first_variation()
        zero = (0,) * len(self.coordinates)
        pairs = zip(found.packed(self.fields), self.unknowns, strict=True)
        return self.staged(found.realised, [gr.add(*(node * gr.jet(f"h_{own}", zero) for node, own in pairs))])

    @waiting("deciding")
    def certify_gradient(self, textbook: Mapping[str, str]) -> Certificate:
        """Whether the gradient is what a textbook says, in the first inner product of each field.

        Raises InputError for a field that the functional has not, and where no gradient is given.

        Parameters
        ----------
        textbook : mapping of str to str
            The gradient along each field, in the words of the density: {"g": "-Ric + R*g/2"}.
        """
        if not isinstance(textbook, Mapping) or not textbook:
            raise InputError("a textbook's gradient is given by field, as {'g': '-Ric + R*g/2'}, and "
                             f"{textbook!r} was given.")
        for name in textbook:
            require_known("field", name, tuple(self.fields))
        found = self.first_variation()
        space, outputs = found.realised.space, list[gr.Node]()
        for name, text in textbook.items():
            said = self.words.tensor(space, text)
            kind = self.fields[name]
            own = raised(space, kind, found.tensors[name], products_of(kind)[0])
            if said.up != own.up:
                raise ExpressionError(f"the gradient along '{name}' is {own.kind}, and '{text}' is {said.kind}.")
            outputs += [a - b for a, b in zip(own.entries.flat, said.entries.flat, strict=True)]
        statement = f"gradient of {self.name} minus {', '.join(textbook.values())} in {self.place}"
        return Certificate(statement, all_vanish(self.staged(found.realised, outputs)))

    def gradient_texts(self, density: str | None = None) -> dict[str, str] | None:
        """The gradient along each field in the language of tensors, where the density is made of few quantities.

        None where it holds others than functions, R, ⟨df, dh⟩, Δf and squares of forms. `certify_gradient` decides it.

        Parameters
        ----------
        density : str, optional
            Another density in the same words, such as one that is kept.

        Examples
        --------
        >>> import geomflow as gf
        >>> E = gf.functionals.from_density(gf.Torus(dim=2), "R*f + dot(d(f), d(f))", fields="g f")
        >>> E.gradient_texts()["f"]
        'R - 2*laplacian(f)'
        """
        tape = self.new_algebra()
        given = self.given if density is None else density
        return gradient_text(tape, self.words.scalar(tape, given, self.words.symbols))

    # descent

    def gradient_in(self, metric: Any = None, of: Any = None, keep: Any = ()) -> FieldsGradient:
        """The gradient in an inner product for each field.

        Raises UnknownNameError for an unknown field or inner product, InputError for what names none.

        Parameters
        ----------
        metric : str or mapping, optional
            Inner products by field, "f:H-1" or {"f": "H-1"}; the first of each field unless given: "ebin",
            ∫ h_ij h^ij dV, of the metric, "L2" of all else; "H-1" of a function, ∫ |∇Δ^{-1}a|² dV, keeps its integral
            while the metric is still.
        of : str or sequence of str, optional
            The fields that move; all unless given.
        keep : str or sequence of str
            Densities whose integrals are kept by multipliers; "volume" is that of 1. One that stays anyway, as ∫R dV
            of a surface, has none; InputError for one that stays where those before it stay.
        """
        moving = tuple(self.fields) if of is None else names_of(of, "of")
        for name in moving:
            require_known("field", name, tuple(self.fields))
        found = FieldsGradient(self, read_products(metric, self.fields), moving, densities_of(keep, "keep"))
        for text in found.kept:
            self.read(self.new_algebra(), text)
        return found

    @waiting("deriving")
    def gradient_flow(self, metric: Any = None, of: Any = None, keep: Any = ()) -> DerivedFlow:
        """∂_t u = −grad_u E of all fields, or of some; see `gradient_in` for the parameters.

        Parameters
        ----------
        metric : str or mapping, optional
            Inner products by field.
        of : str or sequence of str, optional
            The fields that move; the others stay as they are.
        keep : str or sequence of str
            Densities whose integrals are kept by multipliers; "volume" is that of 1.
        """
        gradient = self.gradient_in(metric, of, keep)
        return DerivedFlow(self, gradient.metric, gradient.equation, gradient.system, gradient.linearised_at)

    def explain(self) -> str:
        """What the density is made of, and the rule of variation of each quantity."""
        tape = self.new_algebra()
        self.integrand(tape)
        rules = dict.fromkeys(f"  {q.rule}" for q in tape.quantities.values())
        given = ", with δg_ij = h_ij and h = g^{ij} h_ij," if tape.metric is not None else ""
        varied = [f"Varied by its fields{given} through", *rules] if rules else []
        return "\n".join([str(self), f"Source: {self.source}", *varied])


@summed.register
def _sum(functional: FieldsDensity, terms: Terms) -> FieldsDensity:
    """Σ c E of densities of the same fields, one density."""
    if any(not isinstance(e, FieldsDensity) or (e.geometry, e.fields) != (functional.geometry, functional.fields)
           for _, e in terms):
        raise InputError("functionals of several fields are added where they are of the same fields by the same names "
                         "over one geometry.")
    numbers: dict[str, Any] = {}
    where: dict[str, str] = {}
    for _, e in terms:
        for own, into in ((e.numbers, numbers), (e.where, where)):
            clash = next((name for name in own if name in into and into[name] != own[name]), None)
            if clash is not None:
                raise InputError(f"'{clash}' means one thing in one density and another in the other: rename it.")
            into.update(own)
    text = " + ".join(f"({Fraction(c)})*({e.given})" for c, e in terms)
    return FieldsDensity(functional.geometry, text, functional.fields, "sum", numbers, where)


def fields_density(geometry: Any, density: Any, fields: str | Mapping[str, str], name: str,
                   numbers: Mapping[str, Any], where: Mapping[str, str]) -> FieldsDensity:
    """The functional of `Functional.from_density(…, fields=…)`."""
    for key, given in (("parameters", numbers), ("where", where)):
        if not isinstance(given, Mapping):
            raise InputError(f"{key} maps names to what they stand for, and {given!r} was given.")
    return FieldsDensity(geometry, density, read_kinds(fields, geometry.dim), name, dict(numbers), dict(where))


SEVERAL.append(fields_density)
