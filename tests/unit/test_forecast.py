"""How long an equation takes to be made ready is said first where it is long, once, and where somebody looks."""

import pytest

import geomflow as gf
from geomflow.flow import forecast as module
from geomflow.flow.forecast import forecast, operations

grid = gf.Torus(dim=2).grid(9)


def announced(monkeypatch):
    found = []
    monkeypatch.setattr(module, "announce", found.append)
    module.foretell.cache_clear()
    return found


def test_the_forecast_grows_with_the_operations():
    programs = [gf.Flow.from_expression(rate).written(grid.random_metric(1)).program
                for rate in ("0*g", "-2*Ric", "laplacian(Ric)")]
    counts = [operations(program) for program in programs]
    assert counts == sorted(set(counts))
    assert [forecast(program) for program in programs] == pytest.approx(
        [module.START + module.PER_OPERATION * count for count in counts])


def test_what_takes_long_is_said_before_it_begins_and_once(monkeypatch):
    found = announced(monkeypatch)
    flow, state = gf.Flow.from_expression("laplacian(Ric)"), grid.random_metric(1)
    flow.character(state)
    assert found == []
    monkeypatch.setattr(module, "LONG", 0.6)
    module.foretell.cache_clear()
    monkeypatch.setattr("geomflow.flow.compiled.character", lambda *given: pytest.fail("begun") if not found else ())
    flow.character(state)
    flow.bind(state)
    (told,) = found
    assert f"{operations(flow.written(state).program):,} operations" in told
    assert "min the first time" in told
