"""Functionals, their gradients and second variations at states: what is told apart, and what is refused."""

import numpy as np
import pytest

import geomflow as gf
from geomflow import functionals as fn
from geomflow.core.errors import GeomflowError, InputError, PositivityError, UnknownNameError
from geomflow.field import Fields, ScalarField, SymmetricField

COMPLEX, REAL = gf.ComplexTorus(dim=1), gf.Torus(dim=2)
POTENTIAL = COMPLEX.grid(8, scheme="spectral").potential("0.001*cos(2*pi*x)")
GRID = REAL.grid(8, scheme="spectral")
METRIC = GRID.metric([["1 + cos(2*pi*y)/9", 0], [0, 1]])
BOTH = GRID.fields(f="cos(2*pi*y)/9", g=METRIC)
NEGATIVE = METRIC.unpack(-METRIC.pack())


def test_names_and_states_are_told_apart():
    E = fn.ScalarSquared(REAL)
    for exact in (E.gradient(), E.gradient("L2"), E.gradient(metric="L2")):
        assert isinstance(exact, fn.Gradient)
    assert E.gradient("L2").metric == E.gradient(metric="L2").metric == "L2"
    assert E.gradient().metric == "ebin"
    values = E.gradient(METRIC)
    assert isinstance(values, SymmetricField)
    assert values.max_distance(E.gradient(METRIC, "ebin")) == 0
    assert values.max_distance(E.gradient(METRIC, "L2")) > 1
    assert isinstance(fn.KEnergy(COMPLEX).gradient(POTENTIAL), ScalarField)


def test_one_field_of_several_is_that_field():
    E, state = fn.ScalarSquared(REAL), GRID.fields(g=METRIC)
    assert E(state) == E(METRIC)
    gradient = E.gradient(state)
    assert isinstance(gradient, Fields)
    assert gradient["g"].max_distance(E.gradient(METRIC)) == 0


def test_fields_stand_in_the_order_of_the_state():
    E, other = fn.PerelmanFCoupled(REAL), GRID.fields(g=BOTH["g"], f=BOTH["f"])
    first, second = E.gradient(BOTH), E.gradient(other)
    assert first["f"].max_distance(second["f"]) == first["g"].max_distance(second["g"]) == 0
    random = np.random.default_rng(0)
    change = BOTH.unpack(random.standard_normal(BOTH.pack().shape))
    swapped = np.concatenate([change["g"].pack(), change["f"].pack()])
    here, there = E.hessian(BOTH) @ change.pack().ravel(), E.hessian(other) @ swapped.ravel()
    assert np.array_equal(np.roll(here.reshape(4, -1), 3, axis=0), there.reshape(4, -1))


def test_a_free_dilaton_is_given_by_a_measure_or_by_the_state():
    E, measure = fn.PerelmanFCoupled(REAL), "2 + cos(2*pi*x)"
    f = METRIC.volume_density().map(np.log) - GRID.scalar(measure).map(np.log)
    assert E(METRIC, measure=measure) == pytest.approx(E(GRID.fields(g=METRIC, f=f)), rel=1e-13)


def test_a_model_on_a_grid_is_the_field_that_it_is():
    from geomflow import networks

    model = networks.Rescaled(networks.PotentialModel(COMPLEX, networks.Perceptron(
        2, (4,), embedding=networks.FourierEmbedding(COMPLEX))), 0.01)
    state, E = model.on(POTENTIAL.grid, seed=1), fn.KEnergy(COMPLEX)
    assert E.gradient(state).max_distance(E.gradient(state.field())) == 0
    wave = np.cos(2 * np.pi * np.arange(64) / 8)
    assert np.array_equal(E.hessian(state) @ wave, E.hessian(state.field()) @ wave)


def test_complex_changes_are_taken_by_their_parts():
    H, random = fn.KEnergy(COMPLEX).hessian(POTENTIAL), np.random.default_rng(0)
    a, b = random.standard_normal((2, 64))
    assert np.array_equal(H @ (a + 1j * b), H @ a + 1j * (H @ b))


SEVERAL = fn.from_density(REAL, "R*f - dot(d(f), d(f))/2", fields="g f")


def test_functionals_of_several_fields_take_their_choices():
    assert SEVERAL.gradient({"f": "H-1"}).metric == SEVERAL.gradient("f:H-1").metric == "g:ebin f:H-1"
    assert SEVERAL.gradient("f:H-1", of="f").metric == "f:H-1"
    some = SEVERAL.gradient(BOTH, {"f": "H-1"}, of="f")
    assert list(some.parts) == ["f"]
    assert some["f"].integral(METRIC) == pytest.approx(0, abs=1e-12)
    kept, volume = SEVERAL.gradient(BOTH, keep="volume"), METRIC.volume_density()
    trace = np.einsum("...ij,...ij->...", np.linalg.inv(METRIC.values), kept["g"].values)
    assert (GRID.scalar(trace) * volume).integral() == pytest.approx(0, abs=1e-10)


def test_what_is_still_is_not_varied():
    still = BOTH.holding(["f"])
    assert list(SEVERAL.gradient(still).parts) == list(SEVERAL.gradient(still, of="g").parts) == ["g"]
    whole, part = (SEVERAL.hessian(state) @ np.eye(state.pack().size) for state in (BOTH, still))
    assert part.shape == (192, 192)
    np.testing.assert_allclose(part, whole[64:, 64:], rtol=0, atol=1e-12 * np.abs(part).max())


REFUSED = {
    "a number": (lambda: fn.Volume(REAL).gradient(3.0), InputError, ("volume", "grid.metric", "float")),
    "a number for H": (lambda: fn.Volume(REAL).hessian(3.0), InputError, ("volume", "grid.metric", "float")),
    "a name for H": (lambda: fn.Volume(REAL).hessian("ebin"), InputError, ("evaluated at a field", "str")),
    "a potential": (lambda: fn.Volume(REAL).gradient(POTENTIAL), InputError, ("functional of a metric",)),
    "a metric": (lambda: fn.KEnergy(COMPLEX).hessian(METRIC), InputError, ("functional of a Kähler potential",)),
    "a scalar": (lambda: fn.KEnergy(COMPLEX)(POTENTIAL.grid.scalar(1)), InputError, ("potential", "ScalarField")),
    "another torus": (lambda: fn.Volume(gf.Torus(3)).gradient(METRIC), InputError, ("x, y,", "own torus")),
    "a wrong name": (lambda: fn.Volume(REAL).gradient(METRIC, "eben"), UnknownNameError, ("eben", "ebin")),
    "a wrong exact name": (lambda: fn.Volume(REAL).gradient("eben"), UnknownNameError, ("eben", "ebin")),
    "two names": (lambda: fn.Volume(REAL).gradient("ebin", "L2"), InputError, ("'ebin' and 'L2'", "leave one out")),
    "not positive": (lambda: fn.Volume(REAL).gradient(NEGATIVE), PositivityError, ("metric",)),
    "H not positive": (lambda: fn.Volume(REAL).hessian(NEGATIVE), PositivityError, ("metric",)),
    "no f": (lambda: fn.PerelmanFCoupled(REAL).gradient(METRIC), InputError, ("varied by f", "grid.fields(g=")),
    "no f for H": (lambda: fn.PerelmanFCoupled(REAL).hessian(METRIC), InputError, ("varied by f",)),
    "an f too many": (lambda: fn.Volume(REAL).gradient(BOTH), InputError, ("varied by g_xx, g_xy, g_yy", "f, g_xx")),
    "an f that is solved for": (lambda: fn.PerelmanLambda(REAL)(BOTH), InputError, ("varied by g_xx", "f, g_xx")),
    "no g": (lambda: fn.Volume(REAL)(GRID.fields(f="1")), InputError, ("functional of a metric", "Fields")),
    "no τ": (lambda: fn.PerelmanW(REAL).gradient(METRIC), InputError, ("'tau'", "parameters={'tau': 1.0}")),
    "no τ for H": (lambda: fn.PerelmanW(REAL).hessian(METRIC), InputError, ("'tau'",)),
    "a measure": (lambda: fn.Volume(REAL).gradient(METRIC, measure=2), InputError, ("no reference measure",)),
    "a measure for λ": (lambda: fn.PerelmanLambda(REAL)(METRIC, measure=2), InputError, ("no reference measure",)),
    "a measure for λ's H": (lambda: fn.PerelmanLambda(REAL).hessian(METRIC, measure=2), InputError, ("no reference",)),
    "a measure beside f": (lambda: fn.PerelmanFCoupled(REAL)(BOTH, measure=2), InputError, ("no reference measure",)),
    "a negative measure": (lambda: fn.PerelmanF(REAL).hessian(METRIC, measure=-1), InputError, ("must be positive",)),
    "a field too few": (lambda: SEVERAL.hessian(METRIC), InputError, ("functional of g, f", "grid.fields(f=")),
    "a measure for fields": (lambda: SEVERAL.hessian(BOTH, measure=2), InputError, ("no reference measure",)),
    "an inner product": (lambda: SEVERAL.gradient(BOTH, "f:H-2"), UnknownNameError, ("H-2", "H-1")),
    "a distribution": (lambda: fn.Sigma(COMPLEX).gradient(POTENTIAL, "mabuchi"), InputError, ("sign", "Dirichlet")),
    "a corner": (lambda: fn.Sigma(COMPLEX).hessian(POTENTIAL), InputError, ("sigma has a corner", "distribution")),
    "not local": (lambda: fn.Calabi(COMPLEX).gradient(POTENTIAL, "dirichlet"), InputError, ("metric='mabuchi'",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    act, kind, words = REFUSED[name]
    with pytest.raises(kind) as caught:
        act()
    assert isinstance(caught.value, GeomflowError)
    for word in words:
        assert word in str(caught.value)
