"""Laws of functionals of several fields, for random densities in the language and random states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.symbolic.functionals import from_density

PLANE = gf.Torus(dim=2)
SCALARS = ["R", "f", "f^2", "dot(d(f), d(f))", "laplacian(f)", "dot(d(A), d(A))", "dot(A, A)", "div(A)", "dot(A, d(f))",
           "Hess(f)[i,j]*A[i]*A[j]", "dot(nabla(A), nabla(A))", "Ric[i,j]*A[i]*d(f)[j]", "dot(Lie(A, g), Hess(f))",
           "exp(f)", "1"]
terms = st.tuples(st.integers(-3, 3).filter(bool), st.sampled_from(SCALARS), st.sampled_from(SCALARS))


def functional(drawn):
    text = " + ".join(f"({c})*({a})*({b})" for c, a, b in drawn)
    fields = " ".join(["g", *(name for name, own in (("f", "f"), ("A:form", "A")) if own in bare(text))])
    return from_density(PLANE, text, fields=fields)


def bare(text):
    """A text without the words that hold the letters of fields."""
    for word in ("laplacian", "nabla", "Hess", "exp", "dot", "Ric", "Lie", "div"):
        text = text.replace(word, "")
    return text


@settings(max_examples=15, deadline=None)
@given(st.lists(terms, min_size=1, max_size=3))
def test_variation_by_structure_is_that_of_the_euler_operator(drawn):
    assert functional(drawn).certify()


WRITTEN = ["R", "f", "f^2", "dot(d(f), d(f))", "laplacian(f)", "dot(d(A), d(A))", "dot(A, A)", "exp(f)",
           "laplacian(R*f)", "dot(d(R), d(f))", "1"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3).filter(bool), *[st.sampled_from(WRITTEN)] * 2), min_size=1, max_size=3))
def test_gradients_are_written_as_they_are(drawn):
    energy = functional(drawn)
    written = energy.gradient_texts()
    assert written is not None
    assert set(written) == set(energy.fields)
    assert energy.certify_gradient(written)


@settings(max_examples=15, deadline=None)
@given(st.lists(terms, min_size=1, max_size=2), st.integers(0, 1000))
def test_gradients_are_the_first_variation(drawn, seed):
    energy, grid = functional(drawn), PLANE.grid(24, scheme="spectral")
    state = random_state(energy, grid, seed)
    gradient = energy.gradient(state)
    change = {name: parts(grid, seed + 7)[name] for name in energy.fields}
    said = sum(paired(grid, state["g"], gradient[name], change[name]) for name in energy.fields)
    size = sum(np.sqrt(paired(grid, state["g"], x, x)) for x in gradient.parts.values())
    assert slope(energy, state, change) == pytest.approx(said, abs=1e-7 * max(size, abs(energy(state)), 1))


def parts(grid, seed):
    return {"g": grid.random_metric(seed, 0.05), "f": grid.random_scalar(seed + 1, 0.2),
            "A": grid.form([grid.random_scalar([seed, k], 0.2).values for k in range(2)])}


def random_state(energy, grid, seed):
    return grid.fields(**{name: part for name, part in parts(grid, seed).items() if name in energy.fields})


def paired(grid, metric, first, second):
    """∫ ⟨a, b⟩ dV of functions, one-forms and symmetric tensors."""
    inverse, a, b = np.linalg.inv(metric.values), first.values, second.values
    if a.ndim == 3:
        b = np.einsum("...ij,...j->...i", inverse, b)
    elif a.ndim == 4:
        b = inverse @ b @ inverse
    product = (a * b).reshape(*grid.shape, -1).sum(-1)
    return float((product * metric.volume_density().values).mean())


def slope(energy, state, change):
    """dE/ds at 0 along state + s change, by differences of the sixth order."""
    along = np.concatenate([change[name].pack() for name in state.parts])

    def at(s):
        return energy(state.unpack(state.pack() + s * along))

    step = 1e-2
    return sum(w * (at(n * step) - at(-n * step)) for n, w in ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))) / step


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([
    ("dot(d(f), d(f))/2 + (f^2 - 1)^2/4", {"of": "f"}), ("dot(d(f), d(f))/2 + f^4", {"of": "f", "metric": "f:H-1"}),
    ("dot(d(f), d(f))^2/4 + dot(d(f), d(f))", {"of": "f", "keep": "f"}), ("dot(d(A), d(A))/4 + dot(A, A)", {"of": "A"}),
    ("R^2/200 + dot(d(f), d(f))/2 + f^2", {"keep": "volume"}),
    ("R^2/200 + (1 + f^2)*dot(d(A), d(A)) + dot(d(f), d(f))", {})]),
    st.integers(0, 1000))  # fmt: skip
def test_energy_falls_along_derived_flows(case, seed):
    text, how = case
    fields = "g f A:form" if "f" in bare(text) and "A" in text else "g A:form" if "A" in text else "g f"
    energy = from_density(PLANE, text, fields=fields)
    state = random_state(energy, PLANE.grid(12, order=4), seed)
    sol = gf.solve(energy.gradient_flow(**how), state, t1=2e-5, rtol=1e-7, monitor_every=1)
    assert sol.outcome.kind == "finished"
    assert np.all(np.diff(sol["energy"]) < 0)
    assert np.all(sol["dissipation"] > 0)
