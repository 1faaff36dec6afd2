r"""
The local limit of a kernel flow
================================

The tangent kernel of an infinitely wide cosine network is a Gaussian of width :math:`s`. Under a kernel a flow is
smeared: the metric at :math:`x` moves by what happens within the distance :math:`s`. Halverson and Ruehle (eqs. (2.24)
to (2.31)) let :math:`s` tend to zero, where the flow should become the classical, local one. Here it is Ricci–DeTurck
flow

.. math:: \partial_t g_{ij}(x) = \int \Theta_{ijkl}(x, x')\, D^{kl}(x')\,\mathrm dx', \qquad
          \Theta \to \tfrac12\,(g_{ik}g_{jl} + g_{il}g_{jk})\,\frac{\delta(x - x')}{\sqrt{\det g}},

at three widths. The distance to the classical solution falls as :math:`s^2`, and near the flat metric each mode decays
at the classical rate times :math:`e^{-s^2|k|^2/2}`.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

plt.style.use("geomflow.plot.house")

# %%
# One start, one classical flow, three kernels
# --------------------------------------------
grid = gf.Torus(dim=2).grid(48, scheme="spectral")
g0 = grid.metric([["1 + cos(2*pi*y)/5", "sin(2*pi*(x + y))/20"], ["sin(2*pi*(x + y))/20", "1 + sin(2*pi*x)/5"]])
flow = gf.RicciFlow(gauge="deturck")
classical = gf.solve(flow, g0, t1=0.01)

widths = np.array([0.1, 0.05, 0.025])
runs = [gf.solve(gf.KernelFlow(flow, gf.GaussianKernel(s)), g0, t1=0.01) for s in widths]
distances = np.array([run.last.distance(classical.last) for run in runs]) / classical.last.distance(g0)
for s, distance in zip(widths, distances, strict=True):
    print(f"s = {s:5.3f}   distance to the classical metric / way gone = {distance:.5f}")

# %%
# The curvature at the start, and what is left of it under the widest kernel and under none:
states = {"start": g0, "$s = 0.1$": runs[0].last, "classical": classical.last}
gf.plot.side_by_side(states, ["scalar curvature"])

# %%
# It falls as the square of the width
# -----------------------------------
slope = np.polyfit(np.log(widths), np.log(distances), 1)[0]
print(f"fitted exponent {slope:.3f}")
assert abs(slope - 2) < 0.1

# %%
# Mode by mode
# ------------
# Near the flat metric every component obeys the heat equation. Five waves, all at once and tiny, are run with and
# without a kernel.
s, waves = 0.05, [(1, 0), (1, 1), (2, 0), (2, 2), (4, 1)]
text = " + ".join(f"cos(2*pi*({m}*x + {n}*y))/1000000" for m, n in waves)
small = grid.metric([["1", text], [text, "1"]])


def rates(equation):
    """The decay rate of each wave of g_xy over a short time."""
    t1 = 5e-4
    last = gf.solve(equation, small, t1=t1, rtol=1e-9, atol=1e-15).last
    before, after = (np.abs(np.fft.fft2(g.values[..., 0, 1])) for g in (small, last))
    return np.array([np.log(before[wave] / after[wave]) / t1 for wave in waves])


slowed = rates(gf.KernelFlow(flow, gf.GaussianKernel(s))) / rates(flow)
squares = (2 * np.pi) ** 2 * np.sum(np.square(waves), axis=1)
predicted = np.exp(-(s**2) * squares / 2)
for wave, found, wanted in zip(waves, slowed, predicted, strict=True):
    print(f"wave {wave}: rate / classical rate = {found:.6f}, predicted {wanted:.6f}")
assert np.abs(slowed / predicted - 1).max() < 0.01

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
left.loglog(widths, distances, "o", label="kernel flows")
left.loglog(widths, distances[-1] * (widths / widths[-1]) ** 2, "--", label="slope 2")
left.set(xlabel="width s", ylabel="distance / way gone", title="To Ricci–DeTurck flow")
left.set_xticks(widths, widths.astype(str))
left.minorticks_off()
left.legend()
k = np.linspace(0, np.sqrt(squares.max()), 100)
right.plot(np.sqrt(squares), slowed, "o", label="measured")
right.plot(k, np.exp(-(s**2) * k**2 / 2), "--", label="exp(−s²k²/2)")
right.set(xlabel="wave number k", ylabel="rate / classical rate", title=f"Modes under s = {s}")
legend = right.legend()
