"""Work is stated, or refused with its numbers, before it is begun."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import sympy

import geomflow as gf
from geomflow.cli import main
from geomflow.cli.run import MOST_STEPS
from geomflow.core.errors import InputError, MemoryLimitError, NotFiniteError
from geomflow.distribute import local_workers
from geomflow.fits import PhiTraining
from geomflow.variety.ambient import Ambient
from geomflow.variety.polynomial import MANY, size_written_out
from geomflow.variety.sections import multi_monomials, number_of_monomials


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(x+y+z)^200", "20,301 terms of degree up to 200"),
        ("((x+y+z)^20)^20", "80,601 terms"),
        ("(x+y+z)^3*(x+y+z)^197", "20,301 terms"),
        ("(((x+y+z)^20000)^20000)^20000", r"10\^18 or more terms"),
        ("(a+b+c+d+e+f+g+h)^30", "10,295,472 terms"),
    ],
)
def test_a_polynomial_too_long_to_be_written_out_is_refused_with_its_terms(text, said):
    with pytest.raises(InputError, match=said):
        gf.Hypersurface(text)


@pytest.mark.parametrize("text", ["(x+y+z)^3", "(x+y)*(x+z)*(y+z)", "x^3 + y^3 + z^3", "((x+y)^2+z)^2*(x-y)", "2"])
def test_the_terms_written_out_are_never_more_than_was_said(text):
    symbols = sympy.symbols("x y z")
    expression = sympy.sympify(text.replace("^", "**"))
    polynomial = sympy.Poly(expression, *symbols)
    terms, degree = size_written_out(expression, frozenset(symbols))
    assert len(polynomial.terms()) <= terms < MANY
    assert max(map(sum, polynomial.monoms())) <= degree


@pytest.mark.parametrize(("dims", "degrees"), [((4,), (3,)), ((2, 2), (1, 2)), ((1, 1, 1, 1), (1, 0, 2, 3))])
def test_monomials_are_counted_before_they_are_listed(dims, degrees):
    assert number_of_monomials(Ambient(dims), degrees) == len(multi_monomials(Ambient(dims), degrees))


def test_too_many_monomials_processes_layers_and_coordinates_are_refused_with_their_number():
    with pytest.raises(MemoryLimitError, match="42,084,793,751 monomials of degree 1000"):
        multi_monomials(Ambient((4,)), (1000,))
    with pytest.raises(MemoryLimitError, match="100,000 worker processes"), local_workers(100_000):
        pass
    with pytest.raises(InputError, match="100,000 hidden layers"):
        gf.NetworkKernel("relu", depth=100_000)
    with pytest.raises(InputError, match="the degree is 1000000000000000000"):
        gf.Fermat(10**18)


@pytest.mark.parametrize("psi", [float("inf"), float("nan"), sympy.oo])
def test_a_parameter_must_be_finite(psi):
    with pytest.raises(NotFiniteError, match="finite"):
        gf.Dwork(psi, 3)
    with pytest.raises(InputError, match="beyond double precision"):
        gf.Dwork("1" * 400, 3)


def test_a_network_without_hidden_layers_is_refused():
    variety = gf.Fermat(3)
    with pytest.raises(InputError, match="hidden is empty"):
        PhiTraining(variety, variety.sample(50, seed=1), hidden=())


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["quintic", "--degree", "1000"], "42,084,793,751 monomials"),
        (["quintic", "--workers", "100000"], "100,000 worker processes"),
        (["study", "local-limit", "--workers", "100000"], "100,000 worker processes"),
        (["quintic", "--points", "1000000000000"], "would take"),
    ],
)
def test_the_command_refuses_them_in_one_line(capsys, monkeypatch, tmp_path, argv, said):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not list(Path().rglob("*.npz"))


def test_the_command_says_how_many_steps_a_run_may_take():
    assert inspect.signature(gf.solve).parameters["max_steps"].default == MOST_STEPS
