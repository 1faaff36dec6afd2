r"""
Ricci flow in seven dimensions
==============================

A metric on :math:`T^7` that depends on two of the seven coordinates is a curved surface with a flat :math:`T^5` over
each point: the surface has a metric, the :math:`T^5` have metrics and twists that change from point to point, 28
functions in all. Ricci flow in DeTurck's gauge moves all of them. Near the flat metric it is the heat equation for
each, so that waves :math:`e^{ik\cdot x}` of all polarisations decay at the rate :math:`|k|^2`.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

plt.style.use("geomflow.plot.house")

# %%
# Two axes with points
# --------------------
# Along the other five the grid has one point. Nothing may depend on these, and their derivatives are left out before
# anything is compiled, in about ten seconds for all 28 components and their monitors.
grid = gf.Torus(dim=7).grid((24, 24, 1, 1, 1, 1, 1), order=6)
metric = [["1" if i == j else "0" for j in range(7)] for i in range(7)]
metric[0][0] = "1 + cos(2*pi*x2)/3"  # the surface
metric[1][1] = "1 + sin(2*pi*x1)/3"
metric[2][2] = "exp(cos(2*pi*x1)*cos(2*pi*x2)/2)"  # the size of circles
metric[3][4] = metric[4][3] = "sin(2*pi*(x1 + x2))/3"  # the shape of a two-torus
metric[0][5] = metric[5][0] = "sin(2*pi*x2)/3"  # a twist: a connection with curvature
metric[1][6] = metric[6][1] = "sin(2*pi*x1)/3"
start = grid.metric(metric)
print(start)

# %%
# The run
# -------
flow = gf.RicciFlow(gauge="deturck")
sol = gf.solve(flow, start, t1=0.06, save_at=12, rtol=1e-5)
print(sol.outcome)
gf.plot.snapshots(sol, ["scalar curvature", "g_x3x3", "g_x1x6"])

# %%
# Curvature spreads between the surface, the shapes and the twists, and dies out; the volume finds its last value.
gf.plot.monitors(sol, ["volume", "ricci_norm_max", "curvature_min", "curvature_max"])
# sphinx_gallery_thumbnail_number = 1

# %%
# All kinds of components decay, those of the surface, of the sizes and shapes over it, and of the twists.
deviation = np.array([np.abs(state.pack() - state.pack().mean(axis=tuple(range(1, 8)), keepdims=True)).max(
    axis=tuple(range(1, 8))) for state in sol.states])
moving = deviation[0] > 0.1
kinds = {"g_x1x1": "surface", "g_x2x2": "surface", "g_x3x3": "size", "g_x4x5": "shape", "g_x1x6": "twist",
         "g_x2x7": "twist"}
figure, ax = plt.subplots(figsize=(6.4, 3.6))
for (name, kind), line in zip(kinds.items(), ("-", "--", "-", "-", ":", "-."), strict=True):
    index = name.removeprefix("g_").replace("x", "x_")
    ax.semilogy(sol.times, deviation[:, start.component_names.index(name)], line, label=f"$g_{{{index}}}$, {kind}")
for waves, line in ((4, "-"), (8, "--")):
    slope = np.exp(-waves * np.pi**2 * sol.times)
    ax.semilogy(sol.times, slope, line, color="0.6", linewidth=1, label=rf"$e^{{-{waves}\pi^2t}}$")
ax.set(xlabel="time $t$", title="largest deviation from the mean")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
assert (deviation[-1, moving] < deviation[0, moving] / 5).all()

# %%
# Small waves
# -----------
# A small wave of a random polarisation, all 28 components at once, decays at :math:`|k|^2` in each of them.
random = np.random.default_rng(0).uniform(0.5, 1, (7, 7))
wave = grid.scalar("cos(2*pi*(x1 + x2))").values[..., None, None]
small = grid.metric(np.eye(7) + 1e-3 * wave * (random + random.T))
last = gf.solve(flow, small, t1=2e-3, rtol=1e-9).last
left = 2 * (wave * (last.values - np.eye(7))).reshape(-1, 7, 7).mean(axis=0) / (1e-3 * (random + random.T))
rates = -np.log(left) / 2e-3
print(f"rates from {rates.min():.4f} to {rates.max():.4f}, exactly {8 * np.pi**2:.4f}")
assert np.abs(rates / (8 * np.pi**2) - 1).max() < 1e-4
