"""What run files and files of varieties may say: their tables and keys, declared once, for checks and for the docs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import field

from geomflow.cli.document import (
    Entries,
    Formulas,
    Matrix,
    Number,
    NumberMatrix,
    Numbers,
    OpenTable,
    Parameters,
    Switch,
    Table,
    Text,
    Texts,
    Whole,
    Wholes,
    says,
)

DEGREE = 8
POINTS = 20_000
CURVED = 2_000
WORK = 120.0
HIDDEN = (64, 64, 64)
FIELDS = ("potential", "metric", "hermitian", "scalar", "vector", "form", "symmetric")
"""Kinds of fields, each by the key that gives one."""


class GeometryTable(Table, frozen=True):
    """where the flow lives, a torus; instead of it stands [ansatz] for metrics with symmetry, [toric] for a surface"""

    type: Annotated[Text, says('"torus" or "complex torus"')]
    dim: Annotated[Whole, says("dimension: real 1 to 11 of a torus, complex 1 to 3 of a complex torus")]
    periods: Annotated[Number | Numbers | None, says("periods of the real coordinates; 1 unless given")] = None
    lattice: Annotated[NumberMatrix | None, says("lattice vectors in Cartesian coordinates, instead of periods")] = None


class GridTable(Table, frozen=True):
    """how it is discretised"""

    n: Annotated[Whole | Wholes, says("points along an axis, or one number an axis: 1 where nothing depends on it")]
    order: Annotated[Whole | Text | None, says("order of the stencils, 2, 4, 6 or 8; 4 unless given")] = None
    scheme: Annotated[Text | None, says('how derivatives are taken, "stencil" or "spectral"; the first unless given')] \
        = None


class FieldTable(Table, frozen=True):
    """one field: one of potential, metric, hermitian, scalar, vector, form and symmetric"""

    potential: Annotated[Text | None, says("a Kähler potential, an expression in the coordinates")] = None
    reference: Annotated[Matrix | None, says("the reference form g_{ab̄} of a potential; ½ δ unless given")] = None
    metric: Annotated[Matrix | None, says("a metric, rows of expressions")] = None
    hermitian: Annotated[Matrix | None, says("a Hermitian metric h_{ab̄}, rows of expressions")] = None
    scalar: Annotated[Number | Text | None, says("a scalar field, an expression")] = None
    vector: Annotated[Entries | None, says("a vector field X^i, an expression for each coordinate")] = None
    form: Annotated[
        Formulas | Entries | None,
        says('a differential form by its components, such as {xy = "cos(2*pi*x)"}; a one-form also as a list'),
    ] = None

    symmetric: Annotated[Matrix | None, says("a symmetric tensor T_ij, rows of expressions")] = None

    def kinds(self) -> dict[str, Any]:
        """What is given, by the kind of field."""
        return {key: value for key, value in self.given().items() if key in FIELDS}


class StateTable(FieldTable, frozen=True):
    """where the flow starts: one field, or several, each in a table of its own, [state.g], of the same keys"""

    others: ClassVar[Any] = FieldTable
    further: dict[str, Any] = field(default_factory=dict)


class FlowTable(OpenTable, frozen=True):
    """the equation and its options"""

    name: Annotated[Text, says('the equation, by name; "gradient" for the gradient flow of a functional')]
    functional: Annotated[
        Text | None,
        says('of "gradient": the functional, by name; "density" for one of your own, with symmetry unless given'),
    ] = None
    metric: Annotated[
        Text | Formulas | None,
        says('of "gradient": the metric on the fields, by name; its first unless given. Of several fields one each, '
             '"f:H-1" or {f = "H-1"}'),
    ] = None
    function: Annotated[Text | None, says('of "gradient": the F(v) or G(v) of the functionals ef and eg')] = None
    density: Annotated[Text | None, says('of "gradient": the density of a functional of your own')] = None
    fields: Annotated[
        Text | Formulas | None,
        says('of "density": that it is a functional of several fields, "g f A:form" or {g = "metric", f = "scalar"}, '
             "and its density a scalar in the language of rates"),
    ] = None
    of: Annotated[Text | Texts | None, says("of a functional of several fields: those that move; all unless given")] \
        = None
    keep: Annotated[
        Text | Texts | None,
        says('of a functional of several fields: a density whose integral is kept, or several; "volume" is that of 1'),
    ] = None
    rate: Annotated[
        Text | Formulas | None,
        says('of "expression": the rate of the state, or a table of those of its fields, [flow.rate], by name; '
             "a field without a rate stays as it is"),
    ] = None
    where: Annotated[
        Formulas | None,
        says('of "expression" and of functionals of several fields: definitions by name, for the rates or the density, '
             "and for later definitions"),
    ] = None
    covariant: Annotated[
        Switch | None,
        says('of "expression": whether rates beside a metric that moves are refused if they name coordinates; '
             "true unless given"),
    ] = None
    gauge: Annotated[
        Text | None,
        says('of "expression" and "ricci": "deturck" damps short waves along diffeomorphisms; of "expression": '
             '"deturck+conformal" damps them along conformal changes too; of "ricci" with symmetry also "arclength", '
             'its default where points must be kept apart, "start", where an end is open, and "comoving"'),
    ] = None
    parameters: Annotated[
        Parameters | None,
        says('of "gradient" and "expression": numbers for the parameters that the functional or the rates leave open; '
             "those of an expression may also stand beside its rate"),
    ] = None
    measure: Annotated[
        Number | Text | None, says('of "gradient": the density of the reference measure dm; 1 unless given')
    ] = None
    forced: Annotated[
        Switch | None,
        says('of "gradient" and "expression": run a flow that is ill-posed all the same; false unless given'),
    ] = None


class KernelTable(Table, frozen=True):
    """a kernel under which the flow runs, instead of the local one"""

    name: Annotated[Text, says('the kernel: "gaussian", "delta" or "network" (infinitely wide)')]
    scale: Annotated[Number | None, says('of "gaussian": its width s')] = None
    activation: Annotated[Text | None, says('of "network": the activation, by name; "relu" unless given')] = None
    depth: Annotated[Whole | None, says('of "network": the number of hidden layers; 1 unless given')] = None
    weight_std: Annotated[Number | None, says('of "network": the standard deviation of the weights; 1 unless given')] \
        = None
    bias_std: Annotated[Number | None, says('of "network": the standard deviation of the biases; 0 unless given')] \
        = None
    structure: Annotated[
        Text | None,
        says('how it acts on indices: "covariant" (evolving, unless given), "kronecker" or "symmetrised" (frozen)'),
    ] = None
    batch: Annotated[Whole | None, says("the number of grid points on which the loss is summed; all unless given")] \
        = None
    seed: Annotated[Whole | None, says("the seed that draws the batch; 0 unless given")] = None


class SolveTable(Table, frozen=True):
    """how the run is made"""

    t1: Annotated[Number, says("the time at which to end")]
    t0: Annotated[Number | None, says("the time at which to start; 0 unless given")] = None
    stepper: Annotated[Text | None, says("the stepper, by name; chosen for the equation unless given")] = None
    rtol: Annotated[
        Number | None,
        says("relative error allowed a step; unless given 1e-6 on tori, 1e-11 with symmetry, on toric surfaces 1e-9, "
             "or 1e-8 where the class moves"),
    ] = None
    atol: Annotated[Number | None, says("absolute error allowed a step")] = None
    save: Annotated[
        Whole | Numbers | None,
        says("into how many equal parts to divide the run, or the times at which to save"),
    ] = None
    max_steps: Annotated[Whole | None, says("the largest number of steps")] = None


class EventsTable(Table, frozen=True):
    """what ends the run before t1"""

    steady: Annotated[Number | None, says("end as steady when the residual max |dy/dt| falls to this")] = None
    curvature: Annotated[Number | None, says("end as singular when the curvature reaches this")] = None
    positivity: Annotated[Number | None, says("end as singular when the least eigenvalue falls to this")] = None
    boundary: Annotated[
        Number | None,
        says("of Kähler metrics on a span: end as singular when a length of the class has fallen by this factor; 300 "
             "unless given"),
    ] = None


class PicturesTable(Table, frozen=True):
    """what is drawn afterwards"""

    pictures: Annotated[
        Texts | None, says("monitors, snapshots, heatmap (.png, .svg or .pdf), film (.gif, .mp4, .webm)")
    ] = None


class RunFile(Table, frozen=True, kw_only=True):
    """A run."""

    geometry: GeometryTable
    grid: GridTable
    state: StateTable
    flow: FlowTable
    kernel: KernelTable | None = None
    solve: SolveTable
    events: EventsTable = EventsTable()
    output: PicturesTable = PicturesTable()


class VarietyTable(Table, frozen=True):
    """the hypersurface: a polynomial or a family"""

    polynomial: Annotated[Text | None, says("the polynomial Q, homogeneous, of the Calabi–Yau degree")] = None
    ambient: Annotated[
        Wholes | None, says("dimensions of the projective spaces, such as [2, 2]; one space unless given")
    ] = None
    coordinates: Annotated[
        Texts | None, says("the homogeneous coordinates in order; the names in the polynomial unless given")
    ] = None
    family: Annotated[
        Text | None, says('instead of a polynomial: "fermat", "dwork", "bicubic" or "tetraquadric"')
    ] = None
    degree: Annotated[
        Whole | None, says("of fermat and dwork: 3 for curves, 4 for K3, 5 for the quintic (the default)")
    ] = None
    psi: Annotated[
        Number | Text | None, says('of the family dwork: its parameter, such as 0.5 or "1/2 + i/3"')
    ] = None


class PointsTable(Table, frozen=True):
    """the samples"""

    count: Annotated[Whole | None, says(f"points to fit on; {POINTS} unless given")] = None
    unseen: Annotated[Whole | None, says("points to measure on; as many unless given")] = None
    seed: Annotated[
        Whole | None, says("seed of the points to fit on, 1 unless given; the unseen ones have the next")
    ] = None
    file: Annotated[
        Text | None,
        says("instead of count and seed: points of this variety that `Points.save` wrote, to fit on; "
             "a path from the folder of this file"),
    ] = None


class MetricTable(Table, frozen=True):
    """what is fitted"""

    kind: Annotated[
        Text | None, says('"algebraic" (optimal; the default), "balanced", "network" or "fubini-study"')
    ] = None
    degree: Annotated[
        Whole | Wholes | None, says(f"the k of O(k t), or k t, one for each factor; {DEGREE} unless given")
    ] = None
    ladder: Annotated[
        Wholes | None, says("values of k on the way to `degree`; halves of it unless given, none if empty")
    ] = None
    functional: Annotated[
        Text | None, says('of "algebraic" and "network": the F(v) to minimise; "(v - 1)^2" unless given')
    ] = None
    symmetry: Annotated[
        Switch | None, says("whether the metric has the symmetries of the polynomial; true unless given")
    ] = None
    work: Annotated[
        Number | None,
        says("core-seconds of work, counted and not measured, so that the metric is the same on every machine: no "
             "degree is begun that is not expected to end within it; a network is trained for it, "
             f"{WORK:g} unless given"),
    ] = None
    hidden: Annotated[
        Wholes | None, says(f'of "network": the widths of its layers; {list(HIDDEN)} unless given')
    ] = None
    activation: Annotated[Text | None, says('of "network": by name; "gelu" unless given')] = None
    class_: Annotated[
        Numbers | None,
        says("the Kähler class t, one positive number for each factor; 1 unless given, or what a degree for each "
             "factor says. Algebraic and balanced metrics are forms on O(k t), so that k t must be whole"),
    ] = field(default=None, name="class")


class MeasureTable(Table, frozen=True):
    """what is measured besides σ, κ and the volume"""

    curvature: Annotated[
        Switch | Whole | None, says(f"the scalar curvature at so many unseen points; true is {CURVED}")
    ] = None
    euler: Annotated[
        Switch | Whole | None, says("the Euler number from so many unseen points; true is all of them")
    ] = None


class VarietyPicturesTable(Table, frozen=True):
    """what is drawn"""

    pictures: Annotated[
        Texts | None, says("sigma, fit, histograms, slices, as .png, .svg or .pdf; all that apply unless given")
    ] = None


class VarietyFile(Table, frozen=True):
    """A variety, and a metric on it."""

    variety: VarietyTable
    points: PointsTable = PointsTable()
    metric: MetricTable = MetricTable()
    measure: MeasureTable = MeasureTable()
    output: VarietyPicturesTable = VarietyPicturesTable()
