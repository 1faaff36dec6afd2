"""The linear models of networks: metrics g_FS + Σ_I δ_I ∂g/∂θ_I, spanned by tangent features at frozen parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.hermitian import orthonormal
from geomflow.core.memory import require
from geomflow.core.threads import each, slices
from geomflow.fits.features.components import ComponentNetwork, ComponentPlaces, FrozenComponents
from geomflow.fits.features.directional import along
from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.fits.phi.jets import directional_jets
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.objective import FramePoints
from geomflow.fits.potentials.metric import KernelMetric
from geomflow.fits.potentials.span import PotentialSpan
from geomflow.networks.complex_hessian import ComplexHessian, Inputs
from geomflow.networks.perceptron import Perceptron
from geomflow.variety.bundles import stored_class

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_BLOCK, _CHUNK = 128, 32


class TangentSpan(ABC):
    """The tangent features ∂g/∂θ_I of a network metric at frozen parameters θ, on a variety.

    The tangent kernel Θ = J Jᵀ of these features is the network's metric-NTK (Halverson and Ruehle, eq. (2.7)) at θ; a
    metric of the span is M = Σ_I δ_I ∂g/∂θ_I added to g_FS, so that δ = 0 is Fubini–Study whatever the network is.

    Matrices M are packed as n² real numbers, in the frame that `places` uses: the orthonormal frame of g_FS for
    potentials, local coordinates for components.
    """

    metric: Any

    @property
    def size(self) -> int:
        """The number of features, which is that of the network's parameters."""
        return self.metric.network.size

    @abstractmethod
    def places(self, points: Points) -> Any:
        """Points with what a fit needs there: `.volume(packed)`, `.quality(packed)`, `.weights` and `.take(index)`."""

    @abstractmethod
    def change(self, places: Any, coefficients: np.ndarray) -> np.ndarray:
        """The packed M of δ = `coefficients` (size,) at the places, (P, n²)."""

    @abstractmethod
    def fill(self, places: Any, dual: np.ndarray, out: np.ndarray) -> np.ndarray:
        """out[p, I] = Σ_c dual[p, c] ∂M_c(x_p)/∂θ_I, from `dual` (P, n²) into `out` (P, size)."""

    @abstractmethod
    def result(self, coefficients: np.ndarray, report: Any = None) -> Any:
        """The metric g_FS + M of these coefficients."""

    def jacobian(self, points: Points) -> np.ndarray:
        """J (P n², size) in an orthonormal basis of Hermitian matrices, point by point: tr(M M') = Σ (J δ)(J δ').

        Off-diagonal entries carry a factor √2. Its bytes are required first (`MemoryLimitError`).
        """
        places = self.places(points)
        n = points.variety.dim
        count = len(places.weights)
        require(9.0 * count * n * n * self.size, f"the Jacobian of the metric at {count} points by {self.size} "
                "parameters", "take fewer points or a narrower network")
        out = np.empty((count, n * n, self.size))
        room = np.empty((count, self.size))
        for c, scale in enumerate(orthonormal(n)):
            dual = np.zeros((count, n * n))
            dual[:, c] = scale
            out[:, c] = self.fill(places, dual, room)
        return out.reshape(count * n * n, self.size)

    def kernel(self, points: Points) -> np.ndarray:
        """Θ = J Jᵀ at pairs of (point, component), (P n², P n²): the empirical metric-NTK on these points."""
        jacobian = self.jacobian(points)
        return jacobian @ jacobian.T


@final
class PotentialTangent(TangentSpan, PotentialSpan, kind="PotentialTangent"):
    """The span of the tangent features of a φ-network: φ = Σ_I δ_I ∂φ_θ/∂θ_I, linear in δ, M = ∂∂̄φ.

    Its kernel K(x, y) = ∂φ_θ(x)/∂θ · ∂φ_θ(y)/∂θ is the network's tangent kernel at θ, frozen: `kernel_metric` takes the
    span as that of any kernel of the potential, and `frozen_fit` where there are more features than points. Every
    metric of it is closed and lives on the whole variety; no symmetry is built in. `on` uses it on another variety.
    """

    def __init__(self, metric: PhiNetwork) -> None:
        if not isinstance(metric, PhiNetwork):
            raise InputError(f"tangent features of a potential are those of a PhiNetwork, and {metric!r} was given")
        self.metric, self.variety, self.kahler_class = metric, metric.variety, metric.kahler_class
        self._hessian = ComplexHessian(metric.network)

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
        """The same features as functions on another hypersurface of the same ambient space; InputError for others."""
        metric = self.metric
        return PotentialTangent(PhiNetwork(variety, metric.network, metric.parameters, metric.kahler_class))

    def combine(self, place: Inputs, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """φ (P,) and its packed ∂_a∂_b̄φ (P, n²), exact, by a forward sweep along δ."""
        return along(self.metric.network, self.metric.parameters, coefficients, place)

    def rows(self, place: Inputs, dual: np.ndarray) -> np.ndarray:
        """Each point's own gradient of Σ_c dual_c (∂∂̄φ_θ)_c by the parameters, (P, size)."""

        def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return value, np.zeros(len(value)), dual[block]

        out = np.empty((len(dual), self.size))
        self._hessian.jacobian(self.metric.parameters, place, local, out)
        return out

    def take(self, place: ProjectiveInputs, block: slice) -> ProjectiveInputs:
        """The inputs at some of the points."""
        return place.take(block)  # type: ignore[arg-type]

    def jets(self, points: Points, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact to the fourth derivative: the rate of the network's power series along δ."""
        network = self.metric.network
        layers, moves = network.layers(self.metric.parameters), network.layers(coefficients)
        blocks = slices(len(points), _CHUNK)
        parts = each(lambda s: directional_jets(layers, moves, network.activation, points[s]), blocks)
        return tuple(np.concatenate([part[k] for part in parts]) for k in range(3))  # type: ignore[return-value]

    def places(self, points: Points) -> FramePoints:
        """The points in the frame of g_FS; raises `InputError` on another variety."""
        self.metric.check(points)
        return FramePoints.of(points, self.metric.kahler_class)

    def change(self, places: FramePoints, coefficients: np.ndarray) -> np.ndarray:
        """Packed ∂_a∂_b̄φ in the frame of g_FS."""
        return self.combine(places.inputs, coefficients)[1]

    def present(self, places: FramePoints) -> np.ndarray:
        """The packed ∂_a∂_b̄φ_θ of the network itself, at its frozen parameters."""
        return self._hessian(self.metric.parameters, places.inputs)[1]

    def fill(self, places: FramePoints, dual: np.ndarray, out: np.ndarray) -> np.ndarray:
        """As `rows`."""
        out[:] = self.rows(places.inputs, dual)
        return out

    def result(self, coefficients: np.ndarray, report: Any = None) -> KernelMetric:
        """A `KernelMetric` of the span."""
        return KernelMetric(self, coefficients, report)

    def __repr__(self) -> str:
        return f"the {self.size} tangent features of {self.metric}"


@final
class ComponentTangent(TangentSpan):
    """The span of the tangent features of a network of metric components in one patch: M = Σ_I δ_I ∂M/∂θ_I."""

    def __init__(self, metric: ComponentNetwork) -> None:
        if not isinstance(metric, ComponentNetwork):
            raise InputError(f"tangent features of components are those of a ComponentNetwork, not of {metric!r}")
        self.metric = metric

    def places(self, points: Points) -> ComponentPlaces:
        """The points in the coordinates of the patch; raises `InputError` for other points."""
        self.metric.check(points)
        return ComponentPlaces.of(points)

    def change(self, places: ComponentPlaces, coefficients: np.ndarray) -> np.ndarray:
        """J δ by a Jacobian–vector product."""
        return self.metric.network.jvp(self.metric.parameters, places.inputs, coefficients)

    def fill(self, places: ComponentPlaces, dual: np.ndarray, out: np.ndarray) -> np.ndarray:
        """From Jacobians of blocks of points."""
        network, parameters = self.metric.network, self.metric.parameters
        for block in slices(len(dual), _BLOCK):
            jacobian = network.jacobian(parameters, places.inputs[block])
            out[block] = np.matmul(dual[block, None, :], jacobian)[:, 0]
        return out

    def result(self, coefficients: np.ndarray, report: Any = None) -> FrozenComponents:
        """A `FrozenComponents`."""
        return FrozenComponents(self.metric, coefficients, report)

    def __repr__(self) -> str:
        return f"the {self.size} tangent features of {self.metric}"


def tangent_span(metric: PhiNetwork | ComponentNetwork) -> TangentSpan:
    """The tangent features of a network metric at its parameters; raises `InputError` for what is no network."""
    if isinstance(metric, PhiNetwork):
        return PotentialTangent(metric)
    if isinstance(metric, ComponentNetwork):
        return ComponentTangent(metric)
    raise InputError(f"tangent features are those of a PhiNetwork or a ComponentNetwork, and {metric!r} was given")
