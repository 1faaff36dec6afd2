"""Mistakes that a type checker must catch: one that it does not is an unused `type: ignore`, which is an error."""

from __future__ import annotations

import geomflow as gf
import geomflow.variety as gv
from geomflow import kernels, networks

torus = gf.ComplexTorus(dim=1)
plane = gf.Torus(dim=2)
phi = torus.grid(16).potential("cos(2*pi*x)/200")
g = plane.grid(16).metric()
X = gf.Fermat(3)
points = X.sample(10, seed=1)

gf.Torus(dimension=2)  # type: ignore[call-arg]
torus.grid(16, scheme="fourier")  # type: ignore[arg-type]
torus.grid(16, order=5)  # type: ignore[arg-type]
gf.solve(gf.CalabiFlow(), phi)  # type: ignore[call-arg]
gf.solve(gf.CalabiFlow(), phi, t1="1e-3")  # type: ignore[arg-type]
gf.solve(gf.CalabiFlow(), phi, t1=1e-3, steper="rk4")  # type: ignore[call-arg]
gf.solve(gf.functionals.KEnergy(torus), phi, t1=1e-3)  # type: ignore[arg-type]
gf.solve(gf.CalabiFlow(), phi, t1=1e-3).lasst  # type: ignore[attr-defined]
gf.solve(gf.CalabiFlow(), phi, t1=1e-3).last.christoffel()  # type: ignore[attr-defined]
gf.RicciFlow(gauge="de turck")  # type: ignore[arg-type]
gf.RicciFlow(gague="deturck")  # type: ignore[call-arg]
g.ricii()  # type: ignore[attr-defined]
g.distance(g.values)  # type: ignore[arg-type]
gf.functionals.KEnergie(torus)  # type: ignore[attr-defined]
gf.functionals.KEnergy(torus).gradient_flow(metrics="mabuchi")  # type: ignore[call-arg]
gf.functionals.KEnergy()  # type: ignore[call-arg]
gf.GaussianKernel("0.1")  # type: ignore[arg-type]
gf.NetworkKernel("relu", deep=2)  # type: ignore[call-arg]
kernels.GaussianKernel(0.1).aply(points, None, 1)  # type: ignore[attr-defined]
gf.KernelFlow(gf.functionals.PerelmanLambda(plane))  # type: ignore[call-arg]
gf.KernelFlow(gf.functionals.PerelmanLambda(plane), 0.1)  # type: ignore[arg-type]
networks.Perceptron(2, width=16)  # type: ignore[call-arg]
networks.Perceptron(2, (16,), parametrisation="ntkk")  # type: ignore[arg-type]
gf.algebraic_metric(X, degre=2, points=points)  # type: ignore[call-arg]
gf.sigma(points, points)  # type: ignore[arg-type]
gv.volume(gf.FubiniStudy(X), X)  # type: ignore[arg-type]
X.sample(10, sed=1)  # type: ignore[call-arg]
points.euler_numbr()  # type: ignore[attr-defined]
gf.Chart()  # type: ignore[call-arg]
gf.Metric(gf.Chart("x y"), [["1", "0"], ["0", "1"]]).ricci_tensor  # type: ignore[attr-defined]
