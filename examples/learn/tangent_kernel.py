r"""
The tangent kernel as an array
==============================

The metric-NTK of a network that is a metric is

.. math:: \Theta_{ijkl}(x, x') = \sum_I \frac{\partial g_{ij}(x)}{\partial\theta_I}
          \frac{\partial g_{kl}(x')}{\partial\theta_I}

(Halverson and Ruehle, eq. (2.7)), an array ``Theta[p, q, i, j, k, l]``: points before components. It is looked at here
in three states: at finite width, in the limit of infinite width where it has a closed form, and for the cosine network,
where the limit is a Gaussian of a width that one chooses.
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow import kernels, networks

plt.style.use("geomflow.plot.house")

# %%
# At finite width
# ---------------
T = gf.Torus(dim=2)
network = networks.Perceptron(2, hidden=(64, 64), activation="erf", embedding=networks.FourierEmbedding(T))
model = networks.IndependentComponents(T, network)
theta = model.initial(seed=0)
kernel = kernels.EmpiricalKernel(model, theta)

x = np.random.default_rng(1).uniform(size=(20, 2))
Theta = kernel.theta(x)
print("Theta", Theta.shape, "from", model.size, "parameters")

# %%
# It is the Gram matrix of the Jacobian, so symmetric and positive semi-definite; components of independent networks do
# not mix; and the factor 1/√2 on off-diagonal components makes :math:`\Theta_{xyxy} = \Theta_{xyyx}` half of what it
# would be, since the sum over :math:`k, l` meets it twice.
J = model.jacobian(theta, x).reshape(20 * 4, -1)
matrix = kernel.matrix(x)
assert np.allclose(matrix, J @ J.T, rtol=0, atol=1e-12)
assert np.linalg.eigvalsh(matrix)[0] > -1e-12
assert np.all(Theta[:, :, 0, 0, 1, 1] == 0)
assert np.all(Theta[:, :, 0, 0, 0, 1] == 0)
assert np.array_equal(Theta[:, :, 0, 1, 0, 1], Theta[:, :, 0, 1, 1, 0])

plain = networks.UncorrectedComponents(T, network).tangent_kernel(theta, x)
print("Theta_xyxy, uncorrected / corrected:", plain[0, 0, 0, 1, 0, 1] / Theta[0, 0, 0, 1, 0, 1])

# %%
# Sums over many points never need the array: two products with the Jacobian do, in blocks.
D = np.random.default_rng(2).standard_normal((20, 2, 2))
assert np.allclose(kernel.apply(x, None, D), np.einsum("pqijkl,qkl->pij", Theta, D))

# %%
# At infinite width
# -----------------
# Each component's kernel tends to one that has a closed form. One network of width :math:`N` is away from it by
# :math:`N^{-1/2}`; means over many networks come closer, with a standard error that is known.
limit = kernels.NetworkKernel("erf", depth=2, embedding=networks.FourierEmbedding(T))
exact = limit.matrix(x)
widths = np.array([16, 32, 64, 128, 256])
estimates = [kernels.monte_carlo(limit, x, width=int(n), networks=64, seed=3) for n in widths]
spreads = np.array([estimate.spread(exact) for estimate in estimates])
slope = np.polyfit(np.log(widths), np.log(spreads), 1)[0]
print(f"one network's distance from the closed form falls as width to the power {slope:.3f}")
assert abs(slope + 0.5) < 0.1

# %%
# With the index structure of the components, eq. (2.23) with its correction c:
infinite = kernels.Symmetrised(limit).theta(x)
distance = np.linalg.norm(Theta - infinite) / np.linalg.norm(infinite)
print(f"at width 64 the metric's kernel is {distance:.2f} of its norm away from it")

# %%
# The cosine network
# ------------------
# Only its amplitudes are trained, so that its kernel is frozen at any width; in expectation it is the Gaussian wrapped
# around the torus, to rounding.
s = 0.15
cosines = [networks.CosineNetwork(2, width=n, kernel_width=s, torus=T, seed=4) for n in (100, 10_000)]
gaussian = gf.GaussianKernel(s).wrapped(T)
gap = np.abs(cosines[0].expected_kernel(x) - gaussian.matrix(x)).max()
print(f"expected kernel against the wrapped Gaussian: {gap:.1e}")
assert gap < 1e-12 * gaussian.diagonal(x).max()

# %%
line = np.column_stack([np.linspace(-0.5, 0.5, 201), np.zeros(201)])
origin = np.zeros((1, 2))
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
left.loglog(widths, spreads, "o", label="perceptrons")
left.loglog(widths, spreads[0] * (widths / widths[0]) ** -0.5, "--", label="slope −1/2")
left.set(xlabel="width N", ylabel="relative distance", title="To the closed form")
left.set_xticks(widths, widths.astype(str))
left.minorticks_off()
left.legend()
for network in cosines:
    values = network.tangent_kernel(network.initial(0), line, origin)
    right.plot(line[:, 0], values[:, 0, 0, 0], label=f"{network.width} neurons")
right.plot(line[:, 0], gaussian.matrix(line, origin)[:, 0], "k--", label="wrapped Gaussian")
right.set(xlabel="x", ylabel="Θ(x, 0)", title="The cosine network")
legend = right.legend(loc="lower center")
