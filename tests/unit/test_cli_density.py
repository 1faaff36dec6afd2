"""Functionals of several fields typed on the command line: derived, judged, certified, and refused in words."""

from __future__ import annotations

import pytest
from commands import refused

from geomflow.cli import main
from geomflow.symbolic.language import curvatures, derivatives
from geomflow.symbolic.language.tape import Quantity

OWN = ("--density", "R^2 + a*dot(d(f), d(f))", "--fields", "g f", "--parameter", "a = 1")


def told(capsys, *argv: str) -> list[str]:
    assert main(["derive", *argv]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_derivation_is_told(capsys):
    found = told(capsys, *OWN, "--keep", "volume")
    assert found[:6] == [
        "density: E = ∫ (R^2 + a*dot(d(f), d(f))) dV",
        "Source: given by the user",
        "Varied by its fields, with δg_ij = h_ij and h = g^{ij} h_ij, through",
        "  δR = −R^{ij} h_ij + ∇^i∇^j h_ij − Δh",
        "  δ(dω) = dδω",
        "  δ⟨ds, dt⟩ = ⟨dδs, dt⟩ + ⟨ds, dδt⟩ − h^{ij} ∂_i s ∂_j t",
    ]
    assert found[6] == "The gradient flow in g:ebin f:L2 keep=volume:"
    assert "Parabolic of order 4 at the flat metric, at least weakly: no plane wave grows at that order." in found
    assert "-2 (2)" in found[-2]
    assert found[-1].startswith("Euler operator minus variation by structure of density in dimension 2: decided zero")


def test_what_moves_and_in_which_inner_product(capsys):
    found = told(capsys, *OWN, "--of", "f", "--metric", "f:H-1", "--dim", "3")
    assert "A small plane wave e^{ik·x} decays at the rate 2*|k|**4." in found
    assert "in dimension 3" in found[-1]


def test_fields_of_other_kinds_and_definitions(capsys):
    found = told(capsys, "--density", "dot(F, F)/4", "--fields", "g A:form", "--where", "F = d(A)", "--of", "A")
    assert "  δ|T|² = 2 ⟨T, δT⟩ − Σ T_{i…} T_j^{…} h^{ij}" in found
    assert "-1 (1)" in found[-2]


def test_what_has_no_value_at_the_flat_state_is_derived_all_the_same(capsys):
    found = told(capsys, "--density", "R^2/f", "--fields", "g f")
    assert found[-2].startswith("The flow has no value at the flat state, where g_ij = δ_ij and all else is 0")
    assert "decided zero" in found[-1]


def test_every_quantity_says_its_rule():
    kinds = Quantity.__subclasses__()
    assert {curvatures.RiemannCurvature, derivatives.Pairing} <= {*kinds}
    assert all(kind.rule.startswith("δ") for kind in kinds)


def test_densities_with_roots_are_certified(capsys):
    found = told(capsys, "--density", "sqrt(1 + dot(d(A), d(A))/2)", "--fields", "g A:form", "--of", "A")
    assert "decided zero" in found[-1]


@pytest.mark.parametrize(("argv", "message"), [
    (["--density", "R"], "--density needs what it is a functional of: give --fields"),
    (["--fields", "g f"], "--fields is of a functional of several fields: give its --density too"),
    (["kenergy", *OWN], "leave out the name"),
    ([*OWN, "--rate", "f: 1"], "leave out --rate"),
    ([*OWN, "--gradient"], "leave out --gradient"),
    ([*OWN, "--of", "k"], "unknown field 'k'"),
    ([*OWN, "--metric", "f:H1"], "did you mean 'H-1'?"),
    ([*OWN, "--metric", "f:H-1 f:L2"], "gives two inner products for 'f': give each field one"),
    ([*OWN, "--keep", "volum"], "unknown name 'volum'"),
    ([*OWN, "--dim", "9"], "dim is 9"),
    ([*OWN, "--parameter", "a = 2", "--parameter", "a = 2"], "two --parameter are given for 'a'"),
    ([*OWN, "--where", "q = f", "--where", "q = -f"], "two --where are given for 'q'"),
    (["--density", "R + k", "--fields", "g"], "unknown name 'k'"),
])
def test_what_cannot_be_derived_is_one_clear_message(capsys, argv, message):
    assert message in refused(capsys, "derive", *argv)
