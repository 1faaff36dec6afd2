r"""
Einstein metrics and solitons
=============================

Where Ricci flow only changes the scale, or moves points,
:math:`\mathrm{Ric} + \nabla\nabla f = \lambda g`. Flows tend to such metrics, or leave them: they are
found by Newton's method on the exact reduced equations, stable or not.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf

# %%
# Böhm's metric on the five-sphere
# --------------------------------
# :math:`S^5` is the join of two two-spheres, :math:`\chi^2\mathrm dx^2 + \psi_1^2g_{S^2} + \psi_2^2g_{S^2}`. Beside the
# round metric there are infinitely many of constant Ricci curvature (C. Böhm, 1998). In the first both spheres are wide
# in the middle, as those of a cone over :math:`S^2\times S^2` are. Three changes of it grow beside that of scale, so
# that no flow would show it.
join = gf.catalogue.ansatz("join", p=2, q=2)
boehm = join.soliton("shrinking", 64, chi=2, psi1="sin(x)*(8/5*cos(x)^2 + 2/5)*(1 - sin(2*x)^2/5)",
                     psi2="cos(x)*(8/5*sin(x)^2 + 2/5)*(1 - sin(2*x)^2/5)")
share = boehm.state.volume() / join.soliton("shrinking").state.volume()
means = [boehm.state.scalar(text).mean() for text in ("R", "Ric2")]
print(f"R = {means[0]:.9f} and |Ric|² = {means[1]:.9f} everywhere; error {boehm.error:.1e}")
rates = boehm.spectrum[boehm.spectrum.real > 1e-6].real
print(f"its volume is {share:.6f} of the round one; changes grow at", *rates.round(5))
assert boehm.error < 1e-9
assert np.abs(boehm.state.scalar("Ric2") - 5).max() < 1e-6
gf.plot.profile(boehm.state)

# %%
# Page, and Koiso and Cao
# -----------------------
# On :math:`\mathbb{CP}^2` blown up at a point there is no Kähler–Einstein metric. Among the metrics
# :math:`\chi^2\mathrm dx^2 + a^2(\sigma_1^2 + \sigma_2^2) + b^2\sigma_3^2` there is one that is Einstein and not Kähler
# (Page), and one that is Kähler and a soliton (Koiso, Cao). One search begins with a constant :math:`a`, the other with
# one that grows.
blown_up = gf.catalogue.ansatz("taub", ends=("bolt", "bolt"), k=1)
page = blown_up.soliton("shrinking", 48, chi=1, a=1, b="sin(x)")
koiso_cao = blown_up.soliton("shrinking", 48, chi=1, a="sqrt(4 - 2*cos(x))", b="sin(x)")
print(f"Page: R between {page.state.scalar().min():.9f} and {page.state.scalar().max():.9f}")
print(f"Koiso and Cao: f over a range of {koiso_cao.range:.9f}, a² from {koiso_cao.state.at('a', [0])[0]**2:.9f} to "
      f"{koiso_cao.state.at('a', [np.pi])[0]**2:.9f}")
assert page.range < 1e-9
assert koiso_cao.range > 1
plt.style.use("geomflow.plot.house")
_, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
for ax, found, name in zip(axes, (page, koiso_cao), ("Page", "Koiso and Cao"), strict=True):
    x = np.linspace(0, np.pi, 200)
    s = found.state["chi"][0] * x
    ax.plot(s, found.state.at("a", x), label="a")
    ax.plot(s, found.state.at("b", x), label="b")
    ax.set(title=name, xlabel="arclength s")
    ax.legend()

# %%
# The tip of a neck: Bryant's soliton
# -----------------------------------
# It is complete and not compact, moves along itself under the flow, and is what the tip of a degenerate neckpinch looks
# like. :math:`\psi^2` grows as :math:`s` and the curvature falls as :math:`1/s`; the cigar, its cousin in two
# dimensions, ends in a cylinder. :math:`R + |\nabla f|^2` is constant on both, which is not used to find them.
bryant = gf.catalogue.ansatz("sphere", n=2).complete_soliton("steady", R=6)
cigar = gf.catalogue.ansatz("sphere", n=1).complete_soliton("steady", R=6)
s = np.linspace(0, 12, 400)
for found in (bryant, cigar):
    print(f"R + |∇f|² differs from 6 by {np.abs(found.identity(s) - 6).max():.1e}")
    assert np.abs(found.identity(s) - 6).max() < 1e-9
_, axes = plt.subplots(1, 2, figsize=(8, 3.4))
for found, name in ((bryant, "Bryant"), (cigar, "cigar")):
    radius = found.at("psi", s)
    height = np.cumsum(np.sqrt(np.maximum(1 - np.gradient(radius, s) ** 2, 0))) * (s[1] - s[0])
    (line,) = axes[0].plot(height, radius, label=name)
    axes[0].plot(height, -radius, color=line.get_color())
    axes[1].plot(s, found.scalar(s), label=name)
axes[0].set(aspect="equal", title="as surfaces of revolution", xlabel="height")
axes[1].set(yscale="log", title="scalar curvature", xlabel="arclength s")
axes[1].legend()
