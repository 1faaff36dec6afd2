"""The linear models of networks: metrics g_FS + Σ_I δ_I ∂g/∂θ_I, spanned by tangent features at frozen parameters."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError
from geomflow.core.hermitian import unpack
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.fits.components import ComponentNetwork
from geomflow.fits.phi_network import PhiNetwork, directional_jets, jets_in_blocks
from geomflow.fits.points import WeightedPoints, real_coordinates
from geomflow.fits.potential_span import PotentialSpan
from geomflow.fits.span import LinearSpan
from geomflow.networks.complex_hessian import ComplexHessian, Inputs
from geomflow.networks.perceptron import Perceptron
from geomflow.variety import HermitianMetric, Hypersurface, Points
from geomflow.variety.sections import stored_class

_BLOCK = 128

#: Values, tangents and packed ∂∂̄ of the neurons of a layer.
_Jet = list[np.ndarray]


@final
class PotentialTangent(PotentialSpan, kind="PotentialTangent"):
    """The span of the tangent features of a φ-network: φ = Σ_I δ_I ∂φ_θ/∂θ_I, linear in δ, M = ∂∂̄φ.

    Its kernel K(x, y) = ∂φ_θ(x)/∂θ · ∂φ_θ(y)/∂θ is the network's tangent kernel at θ, frozen: `kernel_metric` takes the
    span as that of any kernel of the potential, and `frozen_fit` where there are more features than points. Every
    metric of it is closed and lives on the whole variety; no symmetry is built in. `on` uses it on another variety.

    Parameters
    ----------
    metric : PhiNetwork
        The network at its frozen parameters.
    """

    def __init__(self, metric: PhiNetwork) -> None:
        if not isinstance(metric, PhiNetwork):
            raise InputError(f"tangent features of a potential are those of a PhiNetwork, and {metric!r} was given")
        self.metric, self.variety, self.kahler_class = metric, metric.variety, metric.kahler_class
        self._hessian = ComplexHessian(metric.network)

    @property
    def size(self) -> int:
        """The number of features, which is that of the network's parameters."""
        return self.metric.network.size

    def record(self) -> dict[str, Any]:
        """The network with its frozen parameters, and the class."""
        network = self.metric
        return {"network": network.network.to_json(), "kahler_class": np.array(self.kahler_class),
                "parameters": network.parameters}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> PotentialTangent:
        """The span of these."""
        parameters = file.numbers("parameters", "f", None)
        return cls(PhiNetwork(variety, Perceptron.from_file(file), parameters, stored_class(file, variety)))

    def on(self, variety: Hypersurface) -> PotentialTangent:
        """The same features as functions on another hypersurface.

        Parameters
        ----------
        variety : Hypersurface
            In the same ambient space, else `InputError`.
        """
        metric = self.metric
        return PotentialTangent(PhiNetwork(variety, metric.network, metric.parameters, metric.kahler_class))

    def combine(self, prepared: Inputs, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ (P,) and its packed ∂_a∂_b̄φ (P, n²), exact, by a forward sweep along δ."""
        return along(self.metric.network, self.metric.parameters, coefficients, prepared)

    def rows(self, prepared: Inputs, dual: np.ndarray) -> np.ndarray:
        """Each point's own gradient of Σ_c dual_c (∂∂̄φ_θ)_c by the parameters, (P, size)."""

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return value, np.zeros(len(value)), dual[block]

        out = np.empty((len(dual), self.size))
        self._hessian.jacobian(self.metric.parameters, prepared, local, out)
        return out

    def jets(self, points: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact to the fourth derivative: the rate of the network's power series along δ."""
        network = self.metric.network
        layers, moves = network.layers(self.metric.parameters), network.layers(coefficients)
        return jets_in_blocks(lambda part: directional_jets(layers, moves, network.activation, part), points)

    def present(self, inputs: Inputs) -> np.ndarray:
        """The packed ∂_a∂_b̄φ_θ of the network itself, at its frozen parameters, (P, n²).

        Parameters
        ----------
        inputs : ProjectiveInputs
            At P points.
        """
        return self._hessian(self.metric.parameters, inputs)[1]

    def __repr__(self) -> str:
        return f"the {self.size} tangent features of {self.metric}"


@final
class ComponentTangent(LinearSpan["FrozenComponents"]):
    """The span of the tangent features of a network of metric components in one patch: M = Σ_I δ_I ∂M/∂θ_I.

    Matrices are in the local coordinates of the patch.

    Parameters
    ----------
    metric : ComponentNetwork
        The network at its frozen parameters.
    """

    def __init__(self, metric: ComponentNetwork) -> None:
        if not isinstance(metric, ComponentNetwork):
            raise InputError(f"tangent features of components are those of a ComponentNetwork, not of {metric!r}")
        self.metric, self.variety = metric, metric.variety

    @property
    def size(self) -> int:
        """The number of features, which is that of the network's parameters."""
        return self.metric.network.size

    def weighted(self, points: Points) -> WeightedPoints:
        """The points in the coordinates of the patch; raises `InputError` for other points."""
        self.metric.check(points)
        return WeightedPoints.in_patch(points)

    def change(self, prepared: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """J δ by a Jacobian–vector product."""
        return self.metric.network.jvp(self.metric.parameters, prepared, coefficients)

    def rows(self, prepared: np.ndarray, dual: np.ndarray) -> np.ndarray:
        """From Jacobians of blocks of points."""
        network, out = self.metric.network, np.empty((len(dual), self.size))
        for block in slices(len(dual), _BLOCK):
            jacobian = network.jacobian(self.metric.parameters, prepared[block])
            out[block] = np.matmul(dual[block, None, :], jacobian)[:, 0]
        return out

    def result(self, coefficients: np.ndarray, report: FitReport | None = None) -> FrozenComponents:
        """A `FrozenComponents`."""
        return FrozenComponents(self.metric, coefficients, report)

    def __repr__(self) -> str:
        return f"the {self.size} tangent features of {self.metric}"


@final
class FrozenComponents(HermitianMetric, kind="geomflow frozen components 1"):
    """g = g_FS + M with M(x) = Σ_I δ_I ∂M_θ(x)/∂θ_I at the frozen parameters of a network of metric components.

    Parameters
    ----------
    metric : ComponentNetwork
        The network at its frozen parameters θ.
    coefficients : (size,) array
        δ.
    report : FitReport, optional
        How the fit that made them went.
    """

    def __init__(self, metric: ComponentNetwork, coefficients: np.ndarray, report: FitReport | None = None) -> None:
        self.metric, self.variety, self.report = metric, metric.variety, report
        self.coefficients = metric.network.layout.checked(coefficients, "coefficients")

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} in local coordinates, (P, n, n)."""
        self.check(points)
        network = self.metric.network
        change = network.jvp(self.metric.parameters, real_coordinates(points), self.coefficients)
        return self.metric.reference.at(points) + unpack(change)

    def check(self, points: Points) -> None:
        """Raise `InputError` if the points are on another variety or in another patch."""
        self.metric.check(points)

    def record(self) -> dict[str, Any]:
        """The network with its parameters, coefficients and report."""
        network = self.metric
        return {"network": network.network.to_json(), "patch": np.array(network.patch),
                "parameters": network.parameters, "coefficients": self.coefficients,
                **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> FrozenComponents:
        """The metric of these."""
        patch = tuple(file.array("patch", "i", len(variety.ambient.dims) + 1).tolist())
        network = ComponentNetwork(variety, patch, Perceptron.from_file(file), file.numbers("parameters", "f", None))
        return cls(network, file.numbers("coefficients", "f", None), read_report(file, "FrozenReport"))

    def __repr__(self) -> str:
        return f"g_FS + M, M in the tangent space of {self.metric.network}, on the {self.variety}"


def tangent_span(metric: PhiNetwork | ComponentNetwork) -> PotentialTangent | ComponentTangent:
    """The tangent features of a network metric at its parameters.

    Parameters
    ----------
    metric : PhiNetwork or ComponentNetwork
        Anything else raises `InputError`.
    """
    if isinstance(metric, PhiNetwork):
        return PotentialTangent(metric)
    if isinstance(metric, ComponentNetwork):
        return ComponentTangent(metric)
    raise InputError(f"tangent features are those of a PhiNetwork or a ComponentNetwork, and {metric!r} was given")


def along(
    network: Perceptron, parameters: np.ndarray, direction: np.ndarray, inputs: Inputs
) -> tuple[np.ndarray, np.ndarray]:
    """d/dε of φ (P,) and of the packed ∂_a∂_b̄φ (P, n²) at θ + ε·direction; both arrays are (size,). Exact, forward.

    A block carries, for every neuron, the value h, its tangents ∂_a h (complex, n of them), the packed ∂_a∂_b̄ h, and
    the rates of all three along the direction.
    """
    layers = network.layers(network.layout.checked(parameters))
    moves = network.layers(network.layout.checked(direction, "components of the direction"))
    value, hessian = np.empty(inputs.count), np.empty((inputs.count, inputs.n**2))

    def work(block: slice) -> None:
        jet, rate = _start(inputs, block), _Jet()
        for number, ((weights, bias), (step, shift)) in enumerate(zip(layers, moves)):
            moved = _linear(jet, step, shift)
            rate = [a + b @ weights.T for a, b in zip(moved, rate)] if rate else moved
            jet = _linear(jet, weights, bias)
            if number < len(layers) - 1:
                jet, rate = _activated(network.activation.derivatives(jet[0], 3), jet, rate)
        value[block], hessian[block] = rate[0][:, 0], rate[2][..., 0].T

    with one_thread_products():
        each(work, slices(inputs.count, _BLOCK))
    return value, hessian


def _start(inputs: Inputs, block: slice) -> _Jet:
    """(u, ∂_a u, packed ∂_a∂_b̄ u) of a block: (P, m), (n, P, m) and (n², P, m)."""
    n, count = inputs.n, block.stop - block.start
    first = np.empty((1 + 2 * n, count, inputs.width))
    second = np.zeros((n * n, count, inputs.width))
    inputs.fill(block, first, second if inputs.curved else None)
    return [first[0], first[1 : 1 + n] + 1j * first[1 + n :], second]


def _linear(jet: _Jet, weights: np.ndarray, bias: np.ndarray) -> _Jet:
    parts = [part @ weights.T for part in jet]
    parts[0] += bias
    return parts


def _activated(slopes: np.ndarray, jet: _Jet, rate: _Jet) -> tuple[_Jet, _Jet]:
    """σ(h): value, σ'∂h, σ'∂∂̄h + σ''∂h∂̄h; and the rates of these three."""
    value, once, twice, thrice = slopes
    (_, tangent, second), (moved, moved_tangent, moved_second) = jet, rate
    square = _hermitian(tangent, tangent)
    moved_square = 2 * _hermitian(tangent, moved_tangent)
    after = [value, once * tangent, once * second + twice * square]
    bent = twice * moved
    rates = [
        once * moved,
        bent * tangent + once * moved_tangent,
        bent * second + once * moved_second + thrice * moved * square + twice * moved_square,
    ]
    return after, rates


def _hermitian(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """½ (s_a t̄_b + t_a s̄_b), packed: (n, P, W) twice to (n², P, W)."""
    n = len(s)
    out = np.empty((n * n, *s.shape[1:]))
    row = n
    for a in range(n):
        out[a] = (s[a] * t[a].conj()).real
        for b in range(a + 1, n):
            mixed = (s[a] * t[b].conj() + t[a] * s[b].conj()) / 2
            out[row], out[row + 1] = mixed.real, mixed.imag
            row += 2
    return out
