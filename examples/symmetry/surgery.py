r"""
Surgery at a neck
=================

A dumbbell with bells of two sizes: :math:`S^3` with the metric :math:`\mathrm ds^2 + \psi(s)^2 g_{S^2}`. Its neck would
pinch. Before that, where the neck has a radius that we choose, it is cut, both sides are closed by round caps, and
Ricci flow goes on on two spheres, of which each shrinks to a point: Hamilton's surgery in its simplest case.
"""

from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow.core.notebook import Markup, data_uri

# %%
# The dumbbell
# ------------
# Orbits are spheres :math:`S^2`. A picture shows a section through the axis, in which they are circles.
sphere = gf.catalogue.ansatz("sphere", n=2)
start = sphere.grid(64).state(chi="1", psi="sin(x)*sqrt(1 - sin(x)^2*(19/20 + cos(x)/10))")
print(f"the neck has radius {start.necks('psi').values[0]:.4f}, the bells {start.bumps('psi').values.round(4)}")

# %%
# The run
# -------
# The rule: within four radii of the neck the ratio :math:`q = K_0/K_1` of the curvatures of planes along :math:`s` and
# across it is blended from what it is, nearly 0 as on a cylinder, to 1, as on a round sphere. So the caps are smooth.
sol = gf.solve(gf.RicciFlow(), start, 0.08, rtol=1e-7, save_at=96, events=gf.CurvatureGrowth(1000),
               after=gf.Surgery(radius=0.05, points=80))
print(sol)
gf.plot.embedding(sol, count=7)
# sphinx_gallery_thumbnail_number = 1

# %%
# The cut, and what is left of the metric where it was made: caps of about the radius of the neck.
(cut,) = sol.cuts
print(f"volume lost: {cut.volume:.3e}, of {sol['volume'][-1]:.3f}")
gf.plot.embedding(sol.pieces[0].states[0])

# %%
path = Path(mkdtemp()) / "surgery.gif"
plt.close(gf.plot.film(sol, path).figure)
Markup(f'<img alt="Surgery at a neck" src="{data_uri(path.read_bytes(), "image/gif")}">')

# %%
# Volume and curvature
# --------------------
# Volume goes on almost where it was. The least scalar curvature does not fall along Ricci flow, and not at the cut.
plt.style.use("geomflow.plot.house")
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for label, run in zip(("before the cut", "lower piece", "upper piece"), sol.runs.values(), strict=True):
    left.plot(run.monitor_times, run["volume"], label=label)
    right.plot(run.monitor_times, run["curvature_min"], label=label)
left.set(xlabel="$t$", ylabel="volume")
right.set(xlabel="$t$", ylabel="least scalar curvature", ylim=(-60, 600))
left.legend()

# %%
# Does it matter where the cut is made?
# -------------------------------------
# Less and less: the volume lost falls as the third power of the radius, and the times at which the pieces die converge.
# With 96 points, radii 0.1, 0.07, 0.05, 0.035, 0.025 gave these times for the lower one.
radii = np.array([0.1, 0.07, 0.05, 0.035, 0.025])
lost = np.array([2.8038e-2, 1.02217e-2, 3.88203e-3, 1.37656e-3, 5.14189e-4])
times = np.array([0.0666783, 0.0668362, 0.0668696, 0.0668770, 0.0668784])
print("orders of the volume:", (np.diff(np.log(lost)) / np.diff(np.log(radii))).round(2))
print("times:", times, "and here:", f"{sol.pieces[0].singularity.time:.7f}")
assert abs(sol.pieces[0].singularity.time - times[2]) < 3e-6
assert abs(cut.volume - lost[2]) < 1e-5
