r"""
A K3 surface of your own
========================

Any smooth polynomial of the Calabi–Yau degree will do: :math:`n + 2` in :math:`\mathbb{P}^{n+1}`. Here is a quartic
surface with few symmetries. Smoothness is proved when it is read, and the symmetries that the metric will share are
found from it.
"""

from itertools import pairwise

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.variety import FubiniStudy, euler_number

# %%
# The surface
# -----------
X = gf.Hypersurface("x^4 + y^4 + z^4 + w^4 + x^2*y^2/2 + x*y*z*w")
print(X)
print(X.symmetry)

# %%
# A polynomial that would not do is refused with the reason:
for text in ("x^4 + y^4 + z^4 + w^4 - 4*x*y*z*w", "x^3 + y^3 + z^3 + w^3"):
    try:
        gf.Hypersurface(text)
    except InputError as error:
        print(error)

# %%
# Its Euler number
# ----------------
# The top Chern form of *any* Kähler metric integrates to it. For a K3 surface it is 24.
points = X.sample(10_000, seed=1)
chi = euler_number(FubiniStudy(X), points)
print(chi)
assert X.euler_number == 24
assert chi.within(24)

# %%
# Its metric
# ----------
# With less symmetry a degree has more parameters, and σ falls at about the same rate with degree.
unseen = X.sample(5000, seed=2)
degrees = [1, 2, 3, 4, 5]
metrics, start = [], None
for k in degrees:
    start = gf.algebraic_metric(X, k, points, start=start)
    metrics.append(start)
    print(start.report)
sigma = [gf.sigma(metric, unseen) for metric in metrics]
gf.plot.sigma(degrees, sigma, [metric.report.parameters for metric in metrics])

# %%
# The scalar curvature over the slice :math:`(1, x, y, z)`, in the coordinates of the polynomial in order:
gf.plot.slices(metrics[-1], unseen)
# sphinx_gallery_thumbnail_number = 2

# %%
assert all(later < 0.8 * earlier for earlier, later in pairwise(sigma))
assert sigma[-1] < 0.01 * sigma[0]
