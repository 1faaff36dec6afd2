r"""
The plane blown up at a point
=============================

A metric on :math:`\mathbb{CP}^2` blown up at a point that :math:`U(2)` keeps is a profile :math:`F(y)` above an
interval :math:`a < y < b`, which is its Kähler class: the exceptional curve has the area :math:`2\pi a`, a line that
does not meet it :math:`2\pi b`, a fibre :math:`2\pi(b - a)`. Kähler–Ricci flow moves :math:`a` at the speed
:math:`-1` and :math:`b` at :math:`-3`: which of the areas vanishes first, and when, is arithmetic. What the metric does
there is not.
"""

from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow.core.notebook import Markup, data_uri

M = gf.catalogue.ansatz("momentum", n=2, k=1)
START = "(y-a)*(b-y)/(b-a)"
print(M.reduce(gf.KahlerRicciFlow()))

# %%
# Three fates
# -----------
# In the class :math:`(1, 6)` the exceptional curve contracts, in :math:`(1, 2)` the fibres collapse, and the first
# Chern class, :math:`(1, 3)`, shrinks to a point as a whole.
FATES = {6: ("contraction", 1.0), 2: ("collapse", 0.5), 3: ("extinction", 1.0)}
runs = {}
for b, (kind, end) in FATES.items():
    times = end - end * np.geomspace(1, 1 / 256, 49)[1:]
    runs[b] = gf.solve(gf.KahlerRicciFlow(), M.grid(32).state(F=START, a=1, b=b), end, save_at=times)
    print(f"(1, {b}):", runs[b].singularity)
    assert runs[b].singularity.kind == kind
    assert abs(runs[b].singularity.time - end) < 1e-9

# %%
# The profiles above their intervals, darker as time goes on. In the first the left end comes to 0, in the second the
# ends meet, in the third they meet at 0.
plt.style.use("geomflow.plot.house")
fig, axes = plt.subplots(1, 3, figsize=(10, 3.2))
for ax, (b, sol) in zip(axes, runs.items(), strict=True):
    for share in (0, 0.25, 0.5, 0.75, 0.95):
        state = sol.states[int(np.argmin(np.abs(sol.times - share * sol.singularity.time)))]
        y, colour = np.linspace(state["a"], state["b"], 200), plt.cm.Blues(0.4 + 0.6 * share)
        ax.fill_between(y, state.at("F", y), color=colour, alpha=0.1, linewidth=0)
        ax.plot(y, state.at("F", y), color=colour)
    ax.set(xlim=(0, None), ylim=(0, None), xlabel="$y$", title=f"$(1, {b})$: {sol.singularity.kind}")
axes[0].set_ylabel("$F$")

# %%
# The fibre as a surface of revolution. Where the curve contracts, the fibre grows a tip.
gf.plot.embedding(runs[6])

# sphinx_gallery_thumbnail_number = 2

# %%
path = Path(mkdtemp()) / "contraction.gif"
plt.close(gf.plot.film(runs[6], path).figure)
Markup(f'<img alt="The exceptional curve contracts" src="{data_uri(path.read_bytes(), "image/gif")}">')

# %%
# Under the microscope
# --------------------
# Magnified by :math:`1/(T - t)` each singularity is a soliton that is known exactly: that of Feldman, Ilmanen and
# Knopf, on all of :math:`\mathcal{O}(-1)`, where a curve contracts; a round sphere by a plane, where the fibres
# collapse; that of Koiso and Cao, where all shrinks.
models = {6: M.complete_soliton("shrinking").at, 3: M.compact_soliton().at, 2: lambda x: x * (2 - x) / 2}
fig, axes = plt.subplots(1, 3, figsize=(10, 3.2))
for ax, (b, sol) in zip(axes, runs.items(), strict=True):
    for left in (1, 1 / 4, 1 / 16, 1 / 64, 1 / 256):
        place = int(np.argmin(np.abs(1 - sol.times / sol.singularity.time - left)))
        state, size = sol.states[place], sol.singularity.time - sol.times[place]
        low = state["a"] if b == 2 else 0.0
        y = np.linspace(state["a"], min(state["b"], low + 6 * size), 200)
        x = (y - low) / size
        ax.plot(x, state.at("F", y) / size, color=plt.cm.Blues(0.4 - 0.6 * np.log(left) / np.log(256)))
    x = x[1:-1]
    off = np.abs(state.at("F", low + size * x) / size - models[b](x)).max()
    print(f"(1, {b}): at a 256th of the life the profile is within {off:.1e} of the soliton")
    assert off < 0.02
    ax.plot(x, models[b](x), "--", color="C1", label="soliton")
    ax.set(xlabel="$(y - a)/(T - t)$" if b == 2 else "$y/(T - t)$", title=sol.singularity.kind, ylim=(0, None))
axes[0].set_ylabel("$F/(T - t)$")
axes[0].legend()

# %%
# To the soliton, and how fast
# ----------------------------
# Normalised, :math:`\partial_t g = -\mathrm{Ric} + g`, the first Chern class stays, and the flow tends to the soliton
# of Koiso and Cao, at the rate of the linearised equation.
normalised = gf.Flow.from_expression("-Ric + g")
sol = gf.solve(normalised, M.grid(32).state(F=START, a=1, b=3), 16.0, save_at=np.linspace(0.5, 16, 32))
soliton = M.compact_soliton()
rate = M.steady("-Ric + g", 32, F=START, a=1, b=3).linearised.spectrum(3)[2]
excess = np.array([state.at("F", [2.0])[0] for state in sol.states]) - soliton.at([2.0])[0]
late = (sol.times > 5.9) & (sol.times < 8.1)
found = np.polyfit(sol.times[late], np.log(excess[late]), 1)[0]
print(f"α = {(4 - sol.last.scalar_at([1.0])[0]) / 2:.10f}, exactly {float(soliton.alpha):.10f}")
print(f"what is left falls at the rate {found:.7f}, and the linearised equation says {rate:.7f}")
assert abs(found / rate - 1) < 1e-5
assert abs((4 - sol.last.scalar_at([1.0])[0]) / 2 - float(soliton.alpha)) < 1e-10

# %%
# Calabi flow
# -----------
# It stays in every class, and tends to the extremal metric, whose scalar curvature is affine in :math:`y`: Calabi's,
# exactly. The rates, from 3 to 47, are those of the linearised equation again.
fig, axes = plt.subplots(1, 3, figsize=(10, 3.2))
axes[0].plot(sol.times, np.abs(excess))
for ax in axes[:2]:
    ax.set(yscale="log", xlabel="time $t$")
axes[0].set_title("distance to the soliton")
for b, colour in ((2, "C1"), (3, "C0"), (5, "C2")):
    exact = M.extremal().of(a=1, b=b)
    rate = M.steady(gf.CalabiFlow(), 24, F=START, a=1, b=b).linearised.spectrum(1)[0]
    sol = gf.solve(gf.CalabiFlow(), M.grid(24).state(F=START, a=1, b=b), -16 / rate, save_at=32)
    middle = [(1 + b) / 2]
    excess = np.abs([state.at("F", middle)[0] - exact.at(middle)[0] for state in sol.states])
    found = np.log(excess[-1] / excess[-9]) / (sol.times[-1] - sol.times[-9])
    print(f"(1, {b}): R/2 tends to {exact.scalar / 2}, at {found:.5f}; linearised {rate:.5f}")
    assert abs(found / rate - 1) < 1e-3
    axes[1].plot(sol.times, excess, color=colour, label=f"$(1, {b})$")
    y = np.linspace(1, b, 200)
    axes[2].plot(y, sol.states[0].scalar_at(y) / 2, color=colour, alpha=0.4)
    axes[2].plot(y, sol.last.scalar_at(y) / 2, color=colour)
axes[1].set_title("distance to the extremal metric")
axes[1].legend()
axes[2].set(xlabel="$y$", title="$R/2$, first pale and last")
