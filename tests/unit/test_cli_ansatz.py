"""Flows reduced to an ansatz on the command line: shown, in LaTeX, and refused in words."""

import pytest

import geomflow as gf
from geomflow.cli import main
from tests.unit.test_cli import refused


def told(capsys, *argv):
    """The lines that derive prints."""
    assert main(["derive", *argv]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_flow_by_name_is_reduced(capsys):
    lines = told(capsys, "ricci", "--ansatz", "sphere n=1")
    assert lines[0].startswith("On the ansatz with the unknowns chi(x), psi(x), x on the interval (0, pi)")
    assert lines[1] == "ds^2 = chi(x)**2 dx^2 + psi(x)**2 dtheta1^2:"
    assert lines[3] == "dpsi/dt = psi_xx/chi**2 - chi_x*psi_x/chi**3"


def test_a_gauge_by_name_is_another_equation(capsys):
    assert "chi_xx/chi**2" in told(capsys, "ricci-deturck", "--ansatz", "sphere")[2]


@pytest.mark.parametrize("ansatz, rates", [
    ("product spheres=2,3 flat=1", ["-2", "-4", "0"]), ("product spheres=4,", ["-6"])])
def test_several_numbers_stand_between_commas(capsys, ansatz, rates):
    assert [line.partition(" = ")[2] for line in told(capsys, "ricci", "--ansatz", ansatz)[2:]] == rates


def test_a_rate_of_one_s_own_is_reduced_with_its_parameters(capsys):
    lines = told(capsys, "--ansatz", "bianchi type=III", "--rate", "g: -2*Ric - a*S", "--where", "S = g",
                 "--parameter", "a = 8")
    assert lines[2:] == ["dA/dt = 8 - 8*A", "dB/dt = -8*B*(A - 1)/A", "dC/dt = -8*C"]


def test_latex_alone(capsys):
    assert told(capsys, "ricci", "--ansatz", "nil", "--latex")[0].startswith(r"\begin{aligned} \partial_t A &= -")


def test_the_list_has_the_names(capsys):
    names = gf.catalogue.ansatz_names()
    assert told(capsys, "--list")[-len(names):] == [f"  {name}" for name in names]


@pytest.mark.parametrize("argv, message", [
    (["ricci", "--ansatz", "spere"], "did you mean 'sphere'"),
    (["ricci", "--ansatz", "sphere 3"], "NAME=VALUE was expected"),
    (["ricci", "--ansatz", "sphere n=two"], "give a whole number >= 1"),
    (["ricci", "--ansatz", "sphere", "--dim", "3"], "leave out --dim"),
    (["--ansatz", "sphere"], "needs the name of a flow"),
    (["calabi", "--ansatz", "sphere"], "nothing says that this one is Kähler"),
    (["conformal-ricci", "--ansatz", "sphere"], "conformal Ricci flow is of surfaces"),
    (["kenergy", "--ansatz", "sphere"], "unknown flow 'kenergy'"),
    (["--ansatz", "sphere", "--rate", "laplacian(u)"], "on an ansatz one metric flows"),
    (["ricci", "--ansatz", "bianchi type=IV"], "leaves the ansatz"),
    (["--ansatz", "sphere", "--density", "R", "--fields", "g"], "leave out --density"),
])
def test_what_cannot_be_reduced_is_one_clear_message(capsys, argv, message):
    assert message in refused(capsys, "derive", *argv)
