r"""
Chern–Ricci flow of a Hermitian metric
======================================

A Hermitian metric :math:`h_{a\bar b}` on a complex torus has the form
:math:`\omega = i\,h_{a\bar b}\,\mathrm dz^a\wedge\mathrm d\bar z^b`, and is a Kähler metric where
:math:`\mathrm d\omega = 0`. Chern's connection has the Ricci curvature
:math:`R_{a\bar b} = -\partial_a\partial_{\bar b}\log\det h`, and

.. math:: \partial_t h_{a\bar b} = -R_{a\bar b} = \partial_a\partial_{\bar b}\log\det h

(Gill 2011; Tosatti and Weinkove 2015) changes :math:`\omega` by :math:`i\partial\bar\partial` of a function, so that
its torsion :math:`\partial\omega` stays as it is, and :math:`\log\det h` obeys the maximum principle. On a torus the
flow lasts for all times, and ends at a metric of constant volume density.
"""

import numpy as np

import geomflow as gf

# %%
# A metric with torsion
# ---------------------
# Words of the language are real tensors: ``ChernRic`` stands for
# :math:`2R_{a\bar b}\,\mathrm dz^a\mathrm d\bar z^b`, the metric for
# :math:`2h_{a\bar b}\,\mathrm dz^a\mathrm d\bar z^b`. Nothing depends on :math:`y^1` and :math:`y^2`, along which one
# point is enough. Only one of three directions is damped: the flow is degenerate.
grid = gf.ComplexTorus(dim=2).grid((33, 1, 33, 1), scheme="spectral")
beside = "sin(2*pi*x1)/4"
start = grid.hermitian([["exp(cos(2*pi*x2)/2)", beside], [beside, "exp(sin(2*pi*x1)*cos(2*pi*x2))"]])
flow = gf.Flow.from_expression({"h": "-ChernRic"})
print(*(block.verdict for block in flow.character(start)), sep="\n")
flow

# %%
# The run
# -------
sol = gf.solve(flow, start, t1=1.0, save_at=np.linspace(0, 1, 5), rtol=1e-6)
print(sol.outcome)
gf.plot.monitors(sol, ["density_min", "density_max", "curvature_min", "curvature_max"])
# sphinx_gallery_thumbnail_number = 1


# %%
# What is kept: the torsion
# -------------------------
# :math:`\partial\omega` has the components :math:`\partial_1 h_{2\bar b} - \partial_2 h_{1\bar b}`; where nothing
# depends on :math:`y`, :math:`\partial_a` is :math:`\tfrac12\partial_{x^a}`.
def torsion(state):
    h = state.values
    slopes = [[[grid.derivative(h[..., a, b].real, index) / 2 for b in (0, 1)] for a in (0, 1)]
              for index in ((1, 0, 0, 0), (0, 0, 1, 0))]
    return np.array([slopes[0][1][b] - slopes[1][0][b] for b in (0, 1)])


change = np.abs(torsion(sol.last) - torsion(start)).max()
print(f"torsion: up to {np.abs(torsion(start)).max():.2f}, changed by {change:.1e}")

# %%
# The exact check
# ---------------
# With :math:`h_{a\bar b}(t) = h_{a\bar b}(0) + \partial_a\partial_{\bar b}\varphi`, mean values of its components stay;
# the end has constant :math:`\det h`. Of a metric :math:`a\,|\mathrm dz^1|^2 + b\,|\mathrm dz^2|^2` that depends on
# :math:`z^2` alone this is solved in closed form: :math:`a` stays, and :math:`b` becomes
# :math:`\langle b\rangle\langle a^{-1}\rangle^{-1}/a`.
density = sol.last.determinant().values
means = [state.values.mean(axis=(0, 1, 2, 3)) for state in (start, sol.last)]
print(f"det h within {np.ptp(density):.1e} of constant, mean values changed by {np.abs(means[1] - means[0]).max():.1e}")

product = grid.hermitian([["exp(cos(2*pi*x2)/2)", 0], [0, "1 + sin(2*pi*x2)/3"]])
end = gf.solve(flow, product, t1=2.0, rtol=1e-8, atol=1e-11).last
a, b = (product.values[..., i, i].real for i in (0, 1))
error = np.abs(end.values[..., 1, 1].real - b.mean() / (1 / a).mean() / a).max()
print(f"b at the end: {error:.1e} from its closed form")

assert change < 1e-10
assert np.abs(torsion(start)).max() > 0.5
assert np.ptp(density) < 1e-3 * density.mean()
assert np.abs(means[1] - means[0]).max() < 1e-12
assert (np.diff(sol["density_max"]) < 0).all()
assert error < 1e-6
