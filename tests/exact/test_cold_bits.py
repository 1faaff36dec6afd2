"""The first process on a machine, which compiles, and the next, which load what it compiled, compute the same bits.

With relaxed arithmetic a compiler may give a function other last digits by itself than inside its caller.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from limits import HANGS

SCRIPT = """
import hashlib
import numpy as np
import geomflow as gf
from geomflow import fits, kernels
import geomflow.variety as gv

def say(name, *arrays):
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()
    print(name, digest[:12], float(np.sum(np.abs(arrays[0]))))

X = gf.Fermat(5)
P, U = X.sample(800, seed=1), X.sample(500, seed=2)
say("points", P.coordinates, P.weights, P.omega2)
fit = gf.algebraic_metric(X, 4, P, progress=False)
say("algebraic", fit.at(U), fit.potential(U))
say("curvature", fit.curvature(U[:50]).scalar)
say("balanced", gf.balanced_metric(X, 2, P).at(U))
general = gf.Hypersurface("z0^3 + z1^3 + z2^3 + z0*z1*z2 + z0^2*z1/3")
plain = gf.algebraic_metric(general, 3, general.sample(600, seed=1), progress=False)
say("no symmetry", plain.at(general.sample(20, seed=2)))
for loss in ("sigma", "(v - 1)^2"):
    phi = fits.phi_metric(X, P, hidden=(8, 8), loss=loss, steps=(20, 2), progress=False)
    say("phi " + loss, phi.at(U))
values = np.random.default_rng(0).standard_normal((800, 3))
for kernel in (kernels.FubiniStudyGaussian(0.3), kernels.FubiniStudyGeodesicGaussian(0.3),
               kernels.FubiniStudyGaussian(0.3, precision="single")):
    say(repr(kernel), kernel.apply(P, None, values), kernel.apply(U, P, values), kernel.matrix(U[:40], P[:30]))
narrow = kernels.CutOffKernel.within(kernels.FubiniStudyGeodesicGaussian(0.03), points=800, tolerance=1e-12)
say("neighbours", narrow.apply(P, None, values))
x = np.random.default_rng(1).standard_normal((90, 4))
for activation in ("relu", "erf", "gelu", "cos", "sin", "identity"):
    kernel = kernels.NetworkKernel(activation, depth=2, weight_std=1.3, bias_std=0.2)
    say(activation, kernel.matrix(x), kernel.apply(x, None, values[:90]))
torus = kernels.WrappedGaussianKernel(0.1, gf.Torus(dim=2))
say("wrapped", torus.matrix(np.random.default_rng(2).random((40, 2))))
patch = gv.sample_patch(X, 200, seed=1, patch=0, elim=1)
say("flow", fits.ComponentFlow(patch, kernels.FubiniStudyGaussian(0.4), steps=20).run(progress=False).at(patch))
say("components", fits.component_network(patch, hidden=(8, 8), epochs=2, progress=False).at(patch))
say("kernel metric", fits.kernel_metric(P, fits.InvariantKernel(4, fits.Exponential(1.0))).at(U))
say("linkage", kernels.batched_labels(patch, batches=1, clusters=9, seed=0))
T = gf.ComplexTorus(dim=1)
state = T.grid(32).potential("cos(2*pi*x) * cos(2*pi*y) / 200")
say("Calabi", gf.solve(gf.CalabiFlow(), state, t1=1e-4).last.values)
g0 = gf.Torus(dim=2).grid(16).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1 + sin(2*pi*x)/5"]])
say("Ricci", gf.solve(gf.RicciFlow(gauge="deturck"), g0, t1=1e-3).last.values)
"""


@pytest.mark.slow
def test_compiling_and_loading_give_the_same_bits(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    caches = {"NUMBA_CACHE_DIR": str(tmp_path / "numba"), "GEOMFLOW_CACHE": str(tmp_path / "geomflow")}
    cold, warm = (subprocess.run([sys.executable, str(tmp_path / "script.py")], env={**os.environ, **caches},
                                 check=True, capture_output=True, text=True, timeout=HANGS).stdout.splitlines()
                  for _ in range(2))  # fmt: skip
    assert len(cold) > 20
    assert cold == warm
