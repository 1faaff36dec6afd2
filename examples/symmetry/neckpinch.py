r"""
A neck pinches
==============

A dumbbell: the sphere :math:`S^3` with the metric :math:`\mathrm ds^2 + \psi(s)^2 g_{S^2}`, where :math:`\psi` has a
minimum :math:`r` between two maxima. If the neck is thin, Ricci flow closes it at a time :math:`T` at which the bells
are still there: the example of Angenent and Knopf, which surgery is for. The neck looks more and more like a shrinking
cylinder, and their bound :math:`r^2 \le 2(T - t)` holds along the whole run.
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
start = sphere.grid(64).state(chi="1", psi="sin(x)*sqrt(1 - 9/10*sin(x)^2)")
gf.plot.embedding(start)

# %%
# The run
# -------
# By another method and with 96 points :math:`T = 0.0748522821`. States are kept evenly in :math:`\log(T - t)`, and the
# run ends by itself where curvature has grown by a million. What is left of its life by then is about :math:`r^2/2`, as
# of a cylinder.
T = 0.0748522821
sol = gf.solve(gf.RicciFlow(), start, 0.08, save_at=T - np.geomspace(T, 1e-3 * T, 73)[1:])
print(sol.outcome)
(neck,) = sol.last.necks("psi").values
found = sol.times[-1] + neck**2 / 2
print(f"the neck has radius {neck:.1e}; it pinches at {found:.8f}, and the other method says {T:.8f}")
assert abs(found - T) < 1e-7
gf.plot.embedding(sol)
# sphinx_gallery_thumbnail_number = 2

# %%
gf.plot.profile(sol, "psi")

# %%
path = Path(mkdtemp()) / "neckpinch.gif"
plt.close(gf.plot.film(sol, path).figure)
Markup(f'<img alt="The neck pinches" src="{data_uri(path.read_bytes(), "image/gif")}">')

# %%
# The bound of Angenent and Knopf
# -------------------------------
# The neck is thinner than the cylinder of the same life, and tends to it as slowly as :math:`1/\log(T - t)` to zero.
for t, state in list(zip(sol.times, sol.states))[:-1:12]:
    (r,) = state.necks("psi").values
    print(f"T - t = {T - t:.2e}   r = {r:.5f}   r²/(2(T - t)) = {r**2 / (2 * (T - t)):.4f}")
    assert r**2 <= 2 * (T - t)
