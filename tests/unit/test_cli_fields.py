"""Run files of several fields, in the language of rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import TWO_FIELDS, ran, refused, two_fields

import geomflow as gf
from geomflow.cli import main

LIST = TWO_FIELDS + """
[flow]
name = "expression"
where = {T = "d(f)*d(f)"}
gauge = "deturck"
parameters = {a = 2}

[flow.rate]
g = "-2*Ric + 2*a*T"
f = "laplacian(f)"

[solve]
t1 = 0.004
save = [0.002]

[output]
pictures = ["monitors", "snapshots", "heatmap"]
"""


def test_a_run_file_holds_several_fields_with_their_rates(here, capsys):
    found = ran(LIST, "a", "--html", "a.html")
    flow = gf.Flow.from_expression({"g": "-2*Ric + 2*a*d(f)*d(f)", "f": "laplacian(f)"}, gauge="deturck", a=2)
    right = gf.solve(flow, two_fields(), t1=0.004, save_at=[0.002])
    assert np.array_equal(found.last.values, right.last.values)
    assert "g: MetricField, f: ScalarField" in capsys.readouterr().out
    assert {path.name for path in Path("a").iterdir()} == {"run.zarr", "monitors.png", "snapshots.png", "heatmap.png"}
    assert "f = &quot;laplacian(f)&quot;" in Path("a.html").read_text()


def test_such_a_run_goes_on_as_if_never_stopped(here):
    Path("mine.toml").write_text(LIST.replace("t1 = 0.004", "t1 = 0.004\nmax_steps = 25"))
    assert main(["run", "mine.toml", "--out", "a"]) == 130
    longer = ran(LIST, "a", "--resume")
    assert np.array_equal(longer.last.values, ran(LIST, "b").last.values)


def test_fields_may_be_given_in_a_line_and_stay_still(here):
    text = LIST.replace("[state.g]\nmetric = ", "[state]\ng.metric = ").replace("[state.f]\nscalar = ", "f.scalar = ")
    text = text.replace('g = "-2*Ric + 2*a*T"\n', "").replace('where = {T = "d(f)*d(f)"}\n', "")
    text = text.replace('gauge = "deturck"\nparameters = {a = 2}\n', "")
    found = ran(text.replace("[flow.rate]\nf = ", "rate.f = "), "a")
    assert np.array_equal(found.last["g"].values, found.states[0]["g"].values)
    assert found.last["f"].max() < 0.09


def test_vectors_and_forms_stand_in_run_files(here):
    text = LIST[: LIST.index("[state.g]")] + """\
[state]
X.vector = ["cos(2*pi*y)", 0]
A.form = ["sin(2*pi*y)", 0]
F.form = {xy = "cos(2*pi*x)"}

[flow]
name = "expression"
rate = {X = "laplacian(X)", A = "star(d(star(F)))"}

[solve]
t1 = 0.001
"""
    found = ran(text, "a")
    assert found.last["X"].values[0, 0, 0] == pytest.approx(np.exp(-4 * np.pi**2 * 1e-3), rel=1e-3)
    moved = found.last["A"].values - found.states[0]["A"].values  # ⋆d⋆F = −2π sin(2πx) dy
    assert moved[3, 0, 1] == pytest.approx(-2 * np.pi * 1e-3, rel=(2 * np.pi / 12) ** 4 / 30 * 1.1)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("[state.f]\nscalar", "[state.f]\nscalr", "line 12: unknown key in [state.f] 'scalr'; did you mean 'scalar'?"),
    ('scalar = "sin(2*pi*x)/10"', "scalar = [1]", "line 12: state.f.scalar takes a number or text in quotes"),
    ('"sin(2*pi*x)/10"', '"sin(2*pi*q)/10"', "state.f.scalar: "),
    ('scalar = "sin(2*pi*x)/10"', "",
     "[state.f] takes one of potential, metric, hermitian, scalar, vector, form, symmetric, and none"),
    ("[state.f]", "[state]\nscalar = 1\n[state.f]", "state.scalar is a field without a name beside those called g, f"),
    ("[state.f]\nscalar =", "[state]\nf =", "unknown key in [state] 'f'"),
    ("[state.f]", "[state.f_x]", "'f_x' cannot be the name of a field"),
    ('f = "laplacian(f)"', 'h = "laplacian(f)"', "there is a rate for 'h'"),
    ('f = "laplacian(f)"', 'f = "d(f)"', "the rate of 'f'"),
    ('f = "laplacian(f)"', 'f = "-laplacian(f)"', "ill-posed"),
    ('f = "laplacian(f)"', "f = [1]", "flow.rate takes text in quotes or a table of expressions"),
    ("-2*Ric + 2*a*T", "-2*Ricc + 2*a*T", "did you mean"),
    ("parameters = {a = 2}", "parameters = {a = 2, b = 1}", "the parameter 'b' does not occur"),
    ("parameters = {a = 2}", "parameters = {a = 2}\na = 3", "the parameter 'a' is given twice"),
    ('T = "d(f)*d(f)"', 'T = "d(f)*d(k)"', "'k'"),
    ('gauge = "deturck"', 'gauge = "coulomb"', "gauge"),
    ('gauge = "deturck"', 'covariant = "no"', "flow.covariant takes true or false"),
])
def test_bad_fields_and_rates_are_one_clear_message(here, capsys, old, new, message):
    assert old in LIST
    Path("bad.toml").write_text(LIST.replace(old, new))
    assert message in refused(capsys, "run", "bad.toml")


HERMITIAN = """\
[geometry]
type = "complex torus"
dim = 2

[grid]
n = [8, 1, 1, 8]

[state.h]
hermitian = [["1 + cos(2*pi*y2)/4", "sin(2*pi*x1)/8"], ["sin(2*pi*x1)/8", 1]]

[flow]
name = "expression"

[flow.rate]
h = "-ChernRic"

[solve]
t1 = 0.004

[output]
pictures = ["monitors"]
"""


def test_hermitian_metrics_stand_in_run_files(here):
    found = ran(HERMITIAN, "a")
    grid = gf.ComplexTorus(dim=2).grid((8, 1, 1, 8))
    start = grid.fields(h=grid.hermitian([["1 + cos(2*pi*y2)/4", "sin(2*pi*x1)/8"], ["sin(2*pi*x1)/8", 1]]))
    right = gf.solve(gf.Flow.from_expression({"h": "-ChernRic"}), start, t1=0.004)
    assert np.array_equal(found.last["h"].values, right.last["h"].values)


@pytest.mark.parametrize("rate", ['rate = "log(v)"', 'rate = {phi = "log(v)"}'])
def test_potentials_run_by_rates_in_run_files(here, rate):
    text = LIST[: LIST.index("[state.g]")] + '[state]\npotential = "cos(2*pi*x)/100"\n\n[flow]\nname = "expression"\n'
    text = text.replace('"torus"\ndim = 2', '"complex torus"\ndim = 1') + f"{rate}\n\n[solve]\nt1 = 0.004\n"
    found = ran(text, "a")
    right = gf.solve(gf.KahlerRicciFlow(), gf.ComplexTorus(dim=1).grid(12).potential("cos(2*pi*x)/100"), t1=0.004)
    assert found.last.max_distance(right.last) < 1e-15


@pytest.mark.parametrize(("rate", "lines"), [
    ("phi potential: log(v)", "At a Kähler metric near the flat one, complex dimension 2:\n"
                              "phi: parabolic of order 2.\n"),
    ("h hermitian: -ChernRic",
     "At a Hermitian metric near the flat one, complex dimension 2:\n"
     "h_11, h_22, re_h_12, im_h_12: parabolic of order 2, degenerate in 3 of 4 directions.\n")])
def test_equations_on_complex_tori_are_judged(rate, lines, capsys):
    assert main(["derive", "--rate", rate]) == 0
    assert capsys.readouterr().out.endswith(lines)
