"""Functionals of several fields in run files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import TWO_FIELDS, ran, refused, two_fields

import geomflow as gf
from geomflow.cli import main

FILE = TWO_FIELDS + """
[flow]
name = "gradient"
functional = "density"
density = "w/4 + a*dot(d(f), d(f))/2"
fields = "g f"
of = "f"
keep = "f"
metric = "f:H-1"
parameters = {a = 0.01}
where = {w = "(1 - f^2)^2"}

[solve]
t1 = 0.002
save = [0.001]

[output]
pictures = ["monitors"]
"""


def right(**choice) -> gf.Solution:
    energy = gf.functionals.from_density(gf.Torus(dim=2), "w/4 + a*dot(d(f), d(f))/2", fields="g f",
                                         parameters={"a": 0.01}, where={"w": "(1 - f^2)^2"})
    return gf.solve(energy.gradient_flow(**choice), two_fields(), t1=0.002, save_at=[0.001])


def test_a_run_file_holds_a_functional_of_several_fields(here, capsys):
    found, known = ran(FILE, "a", "--html", "a.html"), right(metric="f:H-1", of="f", keep="f")
    assert np.array_equal(found.last["f"].values, known.last["f"].values)
    assert np.array_equal(found.last["g"].values, known.last["g"].values)
    assert np.array_equal(found["energy"], known["energy"])
    assert "density-f:H-1 keep=f" in capsys.readouterr().out
    assert "dot(d(f), d(f))/2" in Path("a.html").read_text()


def test_what_moves_is_kept_and_measured_may_stand_in_lists_and_tables(here):
    text = FILE.replace('of = "f"', 'of = ["f"]').replace('keep = "f"', 'keep = ["volume", "f"]')
    text = text.replace('fields = "g f"', 'fields = {g = "metric", f = "scalar"}')
    found = ran(text.replace('metric = "f:H-1"', 'metric = {f = "L2"}'), "a")
    assert np.array_equal(found.last["f"].values, right(of="f", keep=["volume", "f"]).last["f"].values)


def test_such_a_run_goes_on_as_if_never_stopped(here):
    Path("mine.toml").write_text(FILE.replace("t1 = 0.002", "t1 = 0.002\nmax_steps = 3"))
    assert main(["run", "mine.toml", "--out", "a"]) == 130
    longer, whole = ran(FILE, "a", "--resume"), ran(FILE, "b")
    assert np.array_equal(longer.last.values, whole.last.values)
    assert np.array_equal(longer["energy"], whole["energy"])


def test_another_functional_does_not_go_on_in_its_place(here, capsys):
    ran(FILE, "a")
    for old, new in (("a = 0.01", "a = 0.02"), ('keep = "f"\n', ""), ("(1 - f^2)^2", "(2 - f^2)^2")):
        Path("mine.toml").write_text(FILE.replace(old, new).replace("t1 = 0.002", "t1 = 0.004"))
        assert "flow" in refused(capsys, "run", "mine.toml", "--out", "a", "--resume")


def test_a_state_of_one_field_needs_no_name(here):
    text = FILE[: FILE.index("[state.g]")] + """\
[state]
scalar = "sin(2*pi*x)/10"

[flow]
name = "gradient"
functional = "density"
density = "dot(d(u), d(u))/2"
fields = "u"

[solve]
t1 = 0.001
"""
    found = ran(text, "a")
    assert found.last.max() / found.states[0].max() == pytest.approx(np.exp(-4 * np.pi**2 * 1e-3), rel=1e-3)


@pytest.mark.parametrize(("old", "new", "message"), [
    ('fields = "g f"', 'fields = "g h"', "unknown name 'f'"),
    ('fields = "g f"', 'fields = "g f:scalr"', "did you mean 'scalar'?"),
    ('fields = "g f"', 'fields = "g f:vector"', "scalar"),
    ('fields = "g f"', "fields = 3", "flow.fields takes text in quotes or a table"),
    ('fields = "g f"\n', "", "is of one field, and takes no of, keep, where: these are of a density of several fields"),
    ('density = "w/4 + a*dot(d(f), d(f))/2"\n', "", "needs a density"),
    ('of = "f"', 'of = "k"', "unknown field 'k'"),
    ('of = "f"', "of = 1", "flow.of takes"),
    ('keep = "f"', 'keep = "d(f)"', "contract its indices"),
    ('metric = "f:H-1"', 'metric = "f:H-2"', "did you mean 'H-1'?"),
    ('metric = "f:H-1"', 'metric = "f"', "says no inner product of a field: write the field, a colon"),
    ("parameters = {a = 0.01}\n", "", "'a'"),
    ("a = 0.01}", 'a = "big"}', "the parameter 'a'"),
    ("a = 0.01}", "a = 0.01, b = 2}", "the parameter 'b' does not occur"),
    ("(1 - f^2)^2", "(1 - k^2)^2", "'k'"),
    ('functional = "density"', 'functional = "volume"', "the functional 'volume' has no option 'density'"),
    ('keep = "f"', 'keep = "f"\ngauge = "deturck"', "all fields are moved along"),
    ('keep = "f"', 'keep = "f"\nmeasure = 2', "integrated against dV"),
    ("a = 0.01}", "a = -0.01}", "ill-posed"),
    ('of = "f"', "of = []", "names no field: name each that moves once"),
    ('of = "f"', 'of = "f f"', "names a field twice"),
    ("{w =", "{R =", "'R' is a curvature and cannot be a definition of the functional too"),
    ("{a = 0.01}", "{f = 0.01}", "'f' is a field and cannot be a parameter of the functional too"),
    ('fields = "g f"', 'fields = "g f x"', "'x' is a coordinate and cannot be a field"),
    ("[state.f]", "[state.k]", "no 'f'"),
])
def test_bad_functionals_are_one_clear_message(here, capsys, old, new, message):
    assert old in FILE
    Path("bad.toml").write_text(FILE.replace(old, new))
    assert message in refused(capsys, "run", "bad.toml")
