r"""
Balanced metrics against optimal ones
=====================================

Donaldson's balanced metric of degree :math:`k` is the fixed point of an averaging over the sections of
:math:`\mathcal{O}(k)`. It needs no minimisation and always exists, and its distance from Ricci-flat falls only like
:math:`1/k^2`; the optimal algebraic metric of the same degree falls exponentially.
"""

import numpy as np

import geomflow as gf
from geomflow.plot.convergence import fit_inverse_squares

# %%
# Both on the Fermat quintic
# --------------------------
X = gf.Fermat(5)
points = X.sample(8000, seed=1)
unseen = X.sample(10_000, seed=2)
degrees = [1, 2, 3, 4, 5, 6]
balanced = [gf.balanced_metric(X, k, points) for k in degrees]
optimal = [gf.algebraic_metric(X, k, points) for k in degrees]

# %%
# The averaging converges geometrically:
gf.plot.fit([metric.report for metric in balanced], ylabel=r"change of $\log P$")

# %%
# σ against degree
# ----------------
sigma = {
    "balanced": [float(gf.sigma(metric, unseen)) for metric in balanced],
    "optimal": [float(gf.sigma(metric, unseen)) for metric in optimal],
}
gf.plot.sigma(degrees, sigma, law={"balanced": "inverse squares", "optimal": "exponential"})

# %%
# What must hold
# --------------
# Known values of σ for balanced metrics, to three per cent, and their law.
known = {1: 0.374, 2: 0.274, 4: 0.133, 6: 0.070}
for k, value in known.items():
    print(f"degree {k}: {sigma['balanced'][k - 1]:.4f}, known {value}")
    assert abs(sigma["balanced"][k - 1] / value - 1) < 0.03
a, b = fit_inverse_squares(degrees[2:], sigma["balanced"][2:])
print(f"σ ≈ {a:.2f}/k² {b:+.2f}/k³")
assert 3 < a < 4
assert np.all(np.array(sigma["optimal"][1:]) < 0.3 * np.array(sigma["balanced"][1:]))
