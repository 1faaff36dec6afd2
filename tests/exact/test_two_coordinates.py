"""Metrics of two coordinates, E dx² + 2F dx dy + G dy² + ψ² g_{S²} on a torus of x and y times spheres."""

import numpy as np
import pytest
import sympy

import geomflow as gf

FLOW = gf.RicciFlow(gauge="deturck")


def spheres_over(coordinates: str, rows: list[list[str]], functions: str) -> gf.Ansatz:
    """Spheres of radius ψ over a torus of x and y whose metric is given; unknowns are functions of `coordinates`."""
    chart = gf.Chart("x y theta phi", ranges={"theta": (0, sympy.pi)}, periods=dict.fromkeys(("x", "y", "phi"),
                                                                                          2 * sympy.pi))
    square = f"psi({coordinates})^2"
    whole = [[*rows[0], "0", "0"], [*rows[1], "0", "0"], ["0", "0", square, "0"],
             ["0", "0", "0", f"{square}*sin(theta)^2"]]
    return gf.Ansatz(gf.Metric(chart, whole, functions=functions))


PLANE = spheres_over("x,y", [["E(x,y)", "F(x,y)"], ["F(x,y)", "G(x,y)"]], "E F G psi")
LINE = spheres_over("x", [["E(x)", "0"], ["0", "G(x)"]], "E G psi")
START = {"E": "1 + cos(x)/10", "G": "1 + sin(x)/8", "psi": "1 + cos(x)/10"}


@pytest.mark.slow
def test_what_depends_on_one_coordinate_alone_flows_as_metrics_of_one_coordinate_do() -> None:
    """In DeTurck's gauges, which differ, by what no coordinates change: volume, total curvature and ∫R² dV."""
    plane = gf.solve(FLOW, PLANE.grid(24).state(F="0", **START), 0.1).last
    line = gf.solve(FLOW, LINE.grid(24).state(**START), 0.1).last
    assert np.abs(plane["F"]).max() < 1e-12
    assert np.abs(plane["psi"] - plane["psi"][:, :1]).max() < 1e-12
    for text in ("1", "R", "R^2"):
        assert plane.integral(text) == pytest.approx(line.integral(text), rel=1e-8)


def test_the_volume_falls_by_the_total_curvature() -> None:
    """dV/dt = −∫R dV, by the trapezoidal rule's cubic error between steps."""
    start = PLANE.grid(12).state(E="1", F="sin(x + y)/20", G="1", psi="1 + cos(x)/10 + sin(x + y)/20")
    sol = gf.solve(FLOW, start, 0.05, save_at=[0.02, 0.025, 0.03])
    volumes = [sol.states[k].volume() for k in (1, 2, 3)]
    assert (volumes[2] - volumes[0]) / 0.01 == pytest.approx(-sol.states[2].integral("R"), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4])
def test_runs_of_two_coordinates_converge_by_the_order_of_their_stencils(order: int) -> None:
    """Slopes fitted over 8, 12 and 16 points a coordinate, in the maximum norm, against a spectral run."""
    start = {"E": "1", "F": "sin(x + y)/20", "G": "1", "psi": "1 + cos(x)/10 + sin(x + y)/20"}
    exact = gf.solve(FLOW, PLANE.grid(24).state(**start), 0.05).last
    errors = []
    for n in (8, 12, 24):
        found = gf.solve(FLOW, PLANE.grid(n, order=order).state(**start), 0.05).last
        step = 24 // n
        errors.append(float(np.abs(found["psi"] - exact["psi"][::step, ::step]).max()))
    slope = -np.polyfit(np.log([8, 12, 24]), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.4)
