r"""
A metric that is a network
==========================

Three networks are the components of a metric on a torus,
:math:`g_{ij} = \delta_{ij} + \varepsilon\, u_{ij}(x; \theta)`, and their parameters flow down the gradient of
:math:`\int R^2\,\mathrm dV`:

.. math:: \frac{\mathrm d\theta_I}{\mathrm dt} = -\frac{\partial L}{\partial\theta_I}, \qquad
          \frac{\mathrm dg_{ij}(x)}{\mathrm dt}
          = -\int \Theta_{ijkl}(x, x')\,\frac{\delta L}{\delta g_{kl}(x')}\,\mathrm dx'

(Halverson and Ruehle, eqs. (2.2) and (2.8)). The tangent kernel :math:`\Theta` belongs to the parameters of the moment,
so it moves while the network is trained: the less, the wider the network. In the limit it is frozen, and the flow is
that of the network linearised at its start, eq. (2.10).
"""

import matplotlib.pyplot as plt
import numpy as np

import geomflow as gf
from geomflow import networks, tangent

plt.style.use("geomflow.plot.house")

# %%
# The networks
# ------------
# Inputs go through cosines and sines of the torus's coordinates, so that the metric is periodic.
T = gf.Torus(dim=2)
grid = T.grid(12, scheme="spectral")
loss = gf.functionals.ScalarSquared(T)


def metric_model(width):
    """The flat metric plus a tenth of three independent networks of one hidden layer."""
    network = networks.Perceptron(2, hidden=(width,), activation="tanh", embedding=networks.FourierEmbedding(T))
    return networks.Correction(None, networks.Rescaled(networks.IndependentComponents(T, network), 0.1))


start = metric_model(48).on(grid, seed=1)
start

# %%
# Training, free and linearised
# -----------------------------
# The state is the vector of parameters, the verb is `solve`, and what the kernel does is watched along the way.
widths = (16, 48, 144)
free, straight = {}, {}
for width in widths:
    model = metric_model(width)
    state = model.on(grid, seed=1)
    flow = gf.GradientFlow(loss, model)
    watched = tangent.tangent_monitors(flow, state)
    free[width] = gf.solve(flow, state, t1=0.8, rtol=1e-3, monitors=watched)
    straight[width] = gf.solve(gf.LinearisedFlow(loss, model), state, t1=0.8, rtol=1e-3)
print(free[48].outcome)

# %%
# The curvature before and after, on a finer grid: a network is a function, known between the points where it was
# trained.
fine = T.grid(64, scheme="spectral")
ends = {title: state.model.on(fine, parameters=state.parameters).field()
        for title, state in (("start", free[48].states[0]), ("end", free[48].last))}
gf.plot.side_by_side(ends, ["scalar curvature"])

# %%
# What the kernel did
# -------------------
gaps = []
for width in widths:
    run, line = free[width], straight[width]
    energy, drift = run["energy"], run["kernel_drift"]
    gaps.append(run.last.distance(line.last) / line.last.distance(run.states[0]))
    print(f"width {width:3d}: loss {energy[0]:.3f} -> {energy[-1]:.3f}, kernel drift {drift[-1]:.4f}, "
          f"distance to the linearised run / way gone {gaps[-1]:.4f}, "
          f"participation ratio {run['participation_ratio'][-1]:.1f}")
    assert np.all(np.diff(energy) < 0)
    assert energy[-1] < 0.1 * energy[0]

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4))
for width in widths:
    left.semilogy(free[width].monitor_times, free[width]["energy"], label=f"width {width}")
    right.plot(free[width].monitor_times, free[width]["kernel_drift"], label=f"width {width}")
left.set(xlabel="time $t$", ylabel=r"$\int R^2\,\mathrm{d}V$", title="The loss")
right.set(xlabel="time $t$", ylabel=r"$\Vert\Theta_t - \Theta_0\Vert\,/\,\Vert\Theta_0\Vert$",
          title="The drift of the kernel")
legend = right.legend()

# %%
# Wide networks keep their kernels, and follow their linearisation:
drifts = [free[width]["kernel_drift"][-1] for width in widths]
assert drifts[0] > drifts[1] > drifts[2]
assert gaps[2] < gaps[0]
