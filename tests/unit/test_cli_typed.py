"""Equations typed on the command line: shown, judged, written out, and refused in words."""

from __future__ import annotations

import pytest
from commands import refused

from geomflow.cli import main

LIST = ("--rate", "g: -2*Ric + 2*a*d(f)*d(f)", "--rate", "f: laplacian(f)", "--parameter", "a = 1")


def told(capsys, *argv: str) -> list[str]:
    assert main(["derive", *argv]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_equations_are_shown_and_judged(capsys):
    assert told(capsys, *LIST) == [
        "Derivative(g(t), t) = -2*Ric + 2*a*d(f(t))**2",
        "Derivative(f(t), t) = laplacian(f(t))",
        "At a metric near the flat one, functions near 1, dimension 2:",
        "g_xx, g_xy, g_yy, f: parabolic of order 2, degenerate in 2 of 4 directions, diffeomorphisms: "
        'gauge="deturck" damps these.',
    ]
    assert told(capsys, *LIST, "--gauge", "deturck")[-1] == "g_xx, g_xy, g_yy, f: parabolic of order 2."
    assert told(capsys, *LIST, "--gauge", "deturck")[:3] == [
        "Derivative(g(t), t) = -2*Ric + 2*a*d(f(t))**2 + Lie(Y, g(t))",
        "Derivative(f(t), t) = Lie(Y, f(t)) + laplacian(f(t))",
        "with Y = W, W^k = g^ij Gamma^k_ij",
    ]


def test_latex_alone(capsys):
    found = told(capsys, *LIST, "--latex")
    assert found[1] == r"\frac{d}{d t} f{\left(t \right)} = \Delta\left(f{\left(t \right)}\right)"
    assert r"\mathrm{d} f" in found[0]
    assert len(found) == 2


def test_components_are_written_out_in_their_dimension(capsys):
    found = told(capsys, "--rate", "A form: div(F)", "--where", "F = d(A)", "--dim", "3")
    assert found[2].startswith("Derivative(A_z(t, x, y, z), t) = ")
    assert found[-1] == (
        "A_x, A_y, A_z: parabolic of order 2, degenerate in 1 of 3 directions, gauge transformations of A.")
    assert told(capsys, "--rate", "u: d(u, x, x) + t", "--dim", "1")[0] == (
        "Derivative(u(t, x), t) = t + Derivative(u(t, x), (x, 2))")


@pytest.mark.parametrize(("rate", "verdict"), [
    ("u: v", "u, v: hyperbolic of order 1."),
    ("u: -laplacian(u)", "u: ill-posed, waves grow like exp(1 |k|^2 t)."),
    ("u: laplacian(u^3 - u - laplacian(u))", "u: parabolic of order 4."),
])
def test_verdicts(capsys, rate, verdict):
    assert verdict in told(capsys, "--rate", rate, "--rate", "v: laplacian(u)")


@pytest.mark.parametrize(("argv", "message"), [
    (["calabi", "--rate", "u: 1"], "leave out the name"),
    (["--rate", "3: 1"], "names no field"),
    (["--rate", "u scalr: 1"], "did you mean 'scalar'"),
    (["--rate", "u: 1", "--rate", "u: 2"], "two --rate are given for one field"),
    (["--rate", "u: a*u", "--parameter", "a = 2", "--parameter", "a=-3"], "two --parameter are given for 'a'"),
    (["--rate", "u: q", "--where", "q = u", "--where", "q = -u"], "two --where are given for 'q'"),
    (["--rate", "u: laplacan(u)"], "did you mean 'laplacian'"),
    (["--rate", "g: -2*R"], "the rate of 'g'"),
    (["--rate", "u: R"], "grid.fields(g=grid.metric(...)"),
    (["--rate", "u: a*u", "--parameter", "a"], "takes NAME = TEXT"),
    (["--rate", "u: a*u", "--parameter", "a = b"], "takes a number"),
    (["--rate", "u: a*u", "--parameter", "a = inf"], "finite"),
    (["--rate", "u: u", "--gauge", "deturk"], "did you mean 'deturck'"),
    (["--rate", "u: u", "--dim", "9"], "dim is 9"),
])
def test_what_cannot_be_read_is_one_clear_message(capsys, argv, message):
    assert message in refused(capsys, "derive", *argv)
