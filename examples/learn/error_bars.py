r"""
A metric with error bars
========================

Infinitely many wide networks :math:`\varphi`, each the Kähler potential of a metric

.. math:: g = \tfrac12 + \partial\bar\partial\varphi

on an elliptic curve, learn the metric at 80 points. Trained for ever they are a Gaussian process, whose mean, spread
and draws have closed forms, and so have those of all derivatives of :math:`\varphi`: of the metric and, to first order,
of its curvature. How large the error bars must be, the points themselves tell: each is predicted from all others.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow.field import interpolate

plt.style.use("geomflow.plot.house")

# %%
# What is to be learned
# ---------------------
C = gf.ComplexTorus(1)
grid = C.grid(32, scheme="spectral")
truth = grid.potential("cos(2*pi*x)/120 + sin(2*pi*(x + y))/180 + cos(2*pi*(x - 2*y))/500 + sin(4*pi*y)/600")
everywhere = grid.points().reshape(-1, 2)
rng = np.random.default_rng(5)
chosen = rng.permutation(grid.size)[:80]
x, g = everywhere[chosen], truth.metric().values.reshape(-1, 1, 1)

# %%
# What is learned
# ---------------
# A translation-invariant kernel is a series of waves; `cross_calibrated` finds the networks' amplitude from the 80
# points alone.
kernel = gf.NetworkKernel("gelu", weight_std=1.4, bias_std=0.3).periodic(C)
waves = gf.kernels.Waves.of(gf.InfiniteEnsemble(kernel), C)
raw = gf.PotentialEnsemble.learn(waves, x, g[chosen])
learned = raw.cross_calibrated()
mean, deviation = learned.mean(everywhere)[:, 0, 0].real, learned.deviation(everywhere)[:, 0, 0]
missed = mean - g[:, 0, 0].real
print(f"misses by {np.sqrt(np.mean(missed**2)):.4f}, and says {np.sqrt(np.mean(deviation**2)):.4f}; "
      f"positive with probability {learned.positivity(everywhere).value.min():.6f} at least")

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
pictures = (mean, "mean metric"), (np.abs(missed), "what it misses"), (deviation, "what it says it may miss")
for ax, (values, title) in zip(axes, pictures, strict=True):
    x_axis, y_axis = np.moveaxis(grid.points(), -1, 0)
    least, most = (mean.min(), mean.max()) if values is mean else (0, 2.5 * deviation.max())
    mesh = ax.pcolormesh(x_axis, y_axis, values.reshape(grid.shape), cmap="viridis", vmin=least, vmax=most)
    figure.colorbar(mesh, ax=ax)
    ax.plot(*x.T, "w.", markersize=2)
    ax.set(title=title, xlabel="x", ylabel="y", aspect="equal")

# %%
# Along a line
# ------------
# Twenty draws beside the mean, and the curvature with its deviation to first order.
# sphinx_gallery_thumbnail_number = 2
t = np.linspace(0, 1, 161)
line = np.stack([t, np.full_like(t, 0.3)], axis=1)
bars, draws = learned.curvature(line), learned.sample(line, 20, seed=1)[:, :, 0, 0].real
exact = truth.scalar().values.ravel()
centre, spread = learned.mean(line)[:, 0, 0].real, learned.deviation(line)[:, 0, 0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
left.plot(t, draws.T, color="0.6", linewidth=0.5)
left.fill_between(t, centre - 2 * spread, centre + 2 * spread, alpha=0.3, label="two deviations")
left.plot(t, centre, label="mean")
right.fill_between(t, bars.value - 2 * bars.deviation, bars.value + 2 * bars.deviation, alpha=0.3)
right.plot(t, bars.value)
for ax, values in ((left, g[:, 0, 0].real), (right, exact)):
    ax.plot(t, interpolate(grid.scalar(values.reshape(grid.shape)), line), "k--", label="what was learned")
    ax.set_xlabel("x")
left.set(ylabel="g", title="The metric at y = 0.3")
right.set(ylabel="R", title="Its curvature")
legend = left.legend(fontsize="small")

# %%
# Are the bars right?
# -------------------
# The pull of a point is what was missed in units of the error bar. Over 20 draws of the 80 points, pulls on points that
# were not seen have width one. Those of the networks as they come have not: these expect much rougher metrics.
pulls = {"as they come": [], "cross-calibrated": []}
for seed in range(20):
    taken = np.random.default_rng(seed).permutation(grid.size)
    some, new = taken[:80], taken[80:280]
    fit = gf.PotentialEnsemble.learn(waves, everywhere[some], g[some])
    pull = (fit.mean(everywhere[new]) - g[new])[:, 0, 0].real / fit.deviation(everywhere[new])[:, 0, 0]
    pulls["as they come"].append(pull)
    pulls["cross-calibrated"].append(pull / fit.process.left_out().width)
widths = {name: np.sqrt(np.mean(np.square(found))) for name, found in pulls.items()}
print("width of the pulls:", ", ".join(f"{name} {width:.2f}" for name, width in widths.items()))
assert abs(widths["cross-calibrated"] - 1) < 0.1

# %%
figure, ax = plt.subplots(figsize=(5, 3.4))
edges = np.linspace(-5, 5, 41)
ax.hist(np.ravel(pulls["cross-calibrated"]), edges, density=True, alpha=0.6, label="unseen points, 20 draws")
ax.plot(edges, np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), "k--", label="standard normal")
ax.set(xlabel="pull", title="Missed / error bar")
legend = ax.legend(fontsize="small")
