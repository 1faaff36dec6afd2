"""Elliptic eigenvalue problems on grids: the spectrum of a Laplacian, and ground states that flows solve for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import final

import numpy as np
import scipy
from scipy.sparse.linalg import ArpackError, LinearOperator, cg, eigsh, gmres

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError, InputError
from geomflow.core.program import Elliptic, Program, Stage
from geomflow.core.progress import waiting
from geomflow.core.threads import one_thread_products
from geomflow.field.matrices import require_positive
from geomflow.field.mesh import Mesh
from geomflow.field.metric import MetricField
from geomflow.field.operators import Operator, discretise

INNER_TOLERANCE, INNER_STEPS = 1e-13, 500
SEED = 0


class SpectrumError(GeomflowError, ArithmeticError):
    """Eigenvalues were not found to their tolerance."""


def laplacian_spectrum(metric: MetricField, count: int = 6) -> np.ndarray:
    """The lowest eigenvalues λ_0 = 0 < λ_1 ≤ ... of −Δ_g, with multiplicity, (count,); units 1/length².

    They are the critical values of ∫g^{ij}∂_iu∂_ju √g dx / ∫u²√g dx: a symmetric generalised eigenvalue problem on the
    grid, solved by Lanczos' method on (−Δ + c)⁻¹, whose applications are conjugate gradients preconditioned by FFT.
    Spectrally accurate on spectral grids, of the order of the stencils on others; isometry invariant to that accuracy.
    Along axes of one point eigenfunctions are constant.

    Raises InputError for what is no MetricField or a `count` out of range, PositivityError for a metric that is not
    positive, and SpectrumError where the iteration does not converge.

    Parameters
    ----------
    metric : MetricField
        Positive.
    count : int
        From 1 to half the grid's points.

    Examples
    --------
    >>> from geomflow.field import Torus
    >>> laplacian_spectrum(Torus(dim=2).grid(8, scheme="spectral").metric(), 3).round(6) + 0.0
    array([ 0.      , 39.478418, 39.478418])
    """
    if not isinstance(metric, MetricField):
        raise InputError(f"the Laplacian is that of a MetricField, and a {type(metric).__name__} was given.")
    largest = metric.grid.size // 2
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= largest:
        raise InputError(f"count = {count!r} must be a whole number from 1 to {largest}, half the grid's points.")
    require_positive(metric.grid, metric.values, "the metric", "The Laplacian needs a Riemannian metric.")
    return _Pencil(metric).lowest(int(count))


@final
class _Pencil:
    """K u = λ M u on a grid: M = √g, K = −D_i √g g^{ij} D_j + c Σ_i (D_i² − D_ii), all D by FFT.

    First derivatives of a grid vanish on its Nyquist modes, and those of stencils are small beside them; without the
    last term, which is zero up to the discretisation error on resolved functions, these modes would pass for low ones.
    """

    def __init__(self, metric: MetricField) -> None:
        self._grid: Mesh = metric.grid
        self._volume = metric.volume_density().values
        inverse = np.linalg.inv(metric.values)
        dual = self._volume[..., None, None] * 0.5 * (inverse + np.swapaxes(inverse, -1, -2))
        self._dual = np.ascontiguousarray(np.moveaxis(dual, (-2, -1), (0, 1)))
        means = self._dual.reshape(*self._dual.shape[:2], -1).mean(axis=-1)
        slopes = self._slopes
        steep = -self._grid.laplacian_symbol() - (np.abs(slopes) ** 2).sum(axis=0)
        self._filler = float(np.trace(means)) / self._grid.dim * steep
        flat = np.einsum("i...,ij,j...->...", slopes.conj(), means, slopes).real + self._filler
        self._shift = float(np.partition(flat.ravel(), 1)[1]) / (2 * float(self._volume.mean()))
        self._flat = flat + self._shift * float(self._volume.mean())

    @cached_property
    def _slopes(self) -> np.ndarray:
        """The symbols of D_i, (d, *modes)."""
        return np.stack([self._grid.derivative_symbol(tuple(row)) for row in np.eye(self._grid.dim, dtype=int)])

    def _inverse_transform(self, modes: np.ndarray) -> np.ndarray:
        axes = tuple(range(modes.ndim - self._grid.dim, modes.ndim))
        return np.asarray(scipy.fft.irfftn(modes, s=self._grid.shape, axes=axes, overwrite_x=True))

    def stiffness(self, u: np.ndarray) -> np.ndarray:
        """K u, (*grid)."""
        modes = scipy.fft.rfftn(u)
        slopes = self._inverse_transform(self._slopes * modes)
        fluxes = scipy.fft.rfftn(np.einsum("ij...,j...->i...", self._dual, slopes), axes=range(1, u.ndim + 1))
        return self._inverse_transform(self._filler * modes - (self._slopes * fluxes).sum(axis=0))

    @waiting("eigenvalues")
    def lowest(self, count: int) -> np.ndarray:
        """The lowest eigenvalues."""
        size = self._grid.size
        stiffness = self._operator(self.stiffness)
        mass = self._operator(lambda u: self._volume * u)
        start = np.random.default_rng(SEED).standard_normal(size)
        more = min(size - 1, count + 2)
        try:
            found = eigsh(stiffness, more, mass, sigma=-self._shift, OPinv=self._operator(self._solve), v0=start,
                          ncv=min(size, 2 * more + 10), return_eigenvectors=False)
        except ArpackError as error:
            raise SpectrumError(f"the eigenvalues were not found on {self._grid!r}: {error}; the metric may be too "
                                "rough for the grid.") from error
        return np.sort(found)[:count]

    def _operator(self, act: Callable[[np.ndarray], np.ndarray]) -> LinearOperator:
        shape, size = self._grid.shape, self._grid.size
        return LinearOperator((size, size), lambda u: act(u.reshape(shape)).ravel(), dtype=float)

    def _solve(self, right: np.ndarray) -> np.ndarray:
        """(K + c M)⁻¹."""
        shifted = self._operator(lambda u: self.stiffness(u) + self._shift * self._volume * u)
        rough = self._operator(lambda u: self._inverse_transform(scipy.fft.rfftn(u) / self._flat))
        found, failed = cg(shifted, right.ravel(), rtol=INNER_TOLERANCE, maxiter=INNER_STEPS, M=rough)
        if failed:
            raise SpectrumError(f"conjugate gradients took more than {INNER_STEPS} steps on {self._grid!r}; the metric "
                                "is too far from a constant one, or too rough for the grid.")
        return np.asarray(found)


# Ground states

SHIFTED_STEPS, NEWTON_STEPS = 3, 12
RESIDUAL, ROUGHLY = 1e-11, 1e-3
INNER_VECTORS, INNER_CYCLES = 60, 5
KEPT = 2


class EigenvalueError(GeomflowError, ArithmeticError):
    """The ground state was not found to its tolerance."""


class GroundState:
    """The field that belongs to the lowest eigenfunction u > 0 of an operator, ∫u² dV = 1.

    For Perelman's λ: −4Δu + Ru = λu, f = −2 log u (Perelman 2002, §2). Newton's method on (u, λ) starts from
    u = exp(4Δ̄⁻¹(R − R̄)) with the mean Laplacian Δ̄ of the state, right to first order in R, and converges
    quadratically; where it does not, or to another eigenfunction, a few steps of inverse iteration below the spectrum
    pick the ground state from a constant first. Linear systems are solved by GMRES, preconditioned by FFT.

    A pure function of the state: no search starts from an earlier result, so that the last few results can be kept, and
    a rate, its bounds and what is watched share one search at a state, whoever asks first.
    """

    def __init__(self, elliptic: Elliptic, coordinates: Sequence[str], grid: Mesh) -> None:
        from geomflow.symbolic.jets import MetricNodes, metric_nodes

        names, matrix = metric_nodes(tuple(coordinates))
        metric = MetricNodes(tuple(coordinates), matrix)
        leaves = gr.leaves([elliptic.operator])
        jets = [leaf for leaf in leaves if leaf.op == "jet" and leaf.data[0] == elliptic.unknown]
        rows = [f"coefficient_{n}" for n in range(len(jets))]
        image = gr.add(*(gr.jet(row, (0,) * grid.dim) * jet for row, jet in zip(rows, jets, strict=True)))
        outputs = (gr.sqrt(metric.determinant), *gr.gradient(elliptic.operator, jets))
        self.grid = grid
        self.indices: list[tuple[int, ...]] = [jet.data[1] for jet in jets]
        self.geometry = self._compile(coordinates, names, dict(zip(("volume", *rows), outputs, strict=True)))
        self.operator = self._compile(coordinates, (elliptic.unknown, *rows), {"image": image})
        self._recover = self._compile(coordinates, (elliptic.unknown,), {"field": elliptic.recover})
        self._kept: tuple[tuple[bytes, np.ndarray, float], ...] = ()

    def _compile(self, coordinates: Sequence[str], fields: tuple[str, ...], outputs: dict[str, gr.Node]) -> Operator:
        program = Program(tuple(coordinates), fields, (), (), (Stage(tuple(outputs.items())),))
        return discretise(program, self.grid)

    @cached_property
    def symbols(self) -> dict[tuple[int, ...], np.ndarray]:
        """The even symbols of the operator's second derivatives on Fourier modes."""
        return {index: self.grid.derivative_symbol(index).real for index in self.indices if sum(index) == 2}

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """The field, of the grid's shape, at the packed metric y."""
        return np.asarray(self._recover(self.eigenpair(y)[0][None])[0])

    def eigenpair(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """The ground state u > 0 with ∫u² dV = 1, an array that is shared and cannot be written to, and its eigenvalue.

        NaN where √g or the curvature is. Raises EigenvalueError when Newton's method does not converge.
        """
        numbers = y.tobytes()
        for kept, u, value in self._kept:
            if kept == numbers:
                return u, value
        with one_thread_products():
            u, value = self._found(y)
        u.flags.writeable = False
        self._kept = ((numbers, u, value), *self._kept)[:KEPT]
        return u, value

    def _found(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        rows = self.geometry(y)
        if not np.isfinite(rows).all():
            return np.full(self.grid.shape, np.nan), np.nan
        system = _System(self, rows)
        u, value, residual = system.converged(system.guess())
        if residual > RESIDUAL or not u.min() > 0:
            u, value, residual = system.converged(system.lowered())
        if residual > RESIDUAL or np.isnan(residual):
            raise EigenvalueError(f"the ground state was not found: after {NEWTON_STEPS} Newton steps the relative "
                                  f"residual is {residual:.3g}; the metric may be too rough for the grid "
                                  f"{self.grid!r}.")
        return u, value


@lru_cache(maxsize=4)
def ground_state_on(elliptic: Elliptic, coordinates: tuple[str, ...], grid: Mesh) -> GroundState:
    """The one ground state of an operator on a grid, for all that ask for it."""
    return GroundState(elliptic, coordinates, grid)


class _System:
    """The operator A at one metric, with what its linear solves need.

    The mean of √g A over the grid has constant coefficients, and a Fourier mode for an eigenfunction: L, which is zero
    on constants, and a constant. What inverts it, after a factor √g, is the preconditioner.
    """

    def __init__(self, ground: GroundState, rows: np.ndarray) -> None:
        self._ground, self._volume, coefficients = ground, rows[0].copy(), rows[1:]
        self._input = rows
        self._weight = self._volume * (ground.grid.torus.cell_volume / self._volume.size)
        by_index = dict(zip(ground.indices, coefficients, strict=True))
        self._scalar = by_index[(0,) * ground.grid.dim]
        self._mean = float(self._volume.mean())
        self._symbol = np.asarray(sum(float((self._volume * by_index[index]).mean()) * symbol
                                      for index, symbol in ground.symbols.items()))
        self._shift = float(self._scalar.min()) - 1.0
        self._scale = 1.0 + float(np.abs(self._scalar).max()) + float(self._symbol.flat[1]) / self._mean

    def image(self, u: np.ndarray) -> np.ndarray:
        """A u."""
        self._input[0] = u
        return np.asarray(self._ground.operator(self._input)[0])

    def normalised(self, u: np.ndarray) -> np.ndarray:
        """u times a number, so that ∫u² dV = 1 and ∫u > 0."""
        u = u / np.sqrt((self._weight * u**2).sum())
        return u if u.sum() > 0 else -u

    def quotient(self, u: np.ndarray) -> float:
        """∫u A u dV/∫u² dV."""
        return float((self._weight * u * self.image(u)).sum() / (self._weight * u**2).sum())

    def _solved(self, right: np.ndarray, symbol: np.ndarray) -> np.ndarray:
        """`right` divided by `symbol` mode by mode."""
        return np.asarray(scipy.fft.irfftn(scipy.fft.rfftn(right) / symbol, s=right.shape))

    @cached_property
    def _elliptic(self) -> np.ndarray:
        """The symbol of L, and infinity on constants."""
        symbol = self._symbol.copy()
        symbol.flat[0] = np.inf
        return symbol

    def guess(self) -> np.ndarray:
        """The exponential of −L⁻¹[√g(R − R̄)], which solves A u = λu to first order in R."""
        mean = float((self._weight * self._scalar).sum() / self._weight.sum())
        return np.asarray(np.exp(-self._solved(self._volume * (self._scalar - mean), self._elliptic)))

    def lowered(self) -> np.ndarray:
        """A constant after a few inverse iterations below the spectrum."""
        u = np.ones(self._volume.shape)
        for _ in range(SHIFTED_STEPS):
            u = self.normalised(self._lowered_once(u))
        return u

    def _lowered_once(self, right: np.ndarray) -> np.ndarray:
        """(A − shift)⁻¹ right, roughly: the shift lies below the spectrum."""
        shape, size = right.shape, right.size
        symbol = self._symbol + float((self._volume * self._scalar).mean()) - self._shift * self._mean

        def shifted(x: np.ndarray) -> np.ndarray:
            return (self.image(x.reshape(shape)) - self._shift * x.reshape(shape)).ravel()

        def rough(x: np.ndarray) -> np.ndarray:
            return self._solved(self._volume * x.reshape(shape), symbol).ravel()

        found = gmres(LinearOperator((size, size), shifted), right.ravel(), M=LinearOperator((size, size), rough),
                      rtol=ROUGHLY, restart=INNER_VECTORS, maxiter=INNER_CYCLES)[0]
        return np.asarray(found.reshape(shape))

    def converged(self, u: np.ndarray) -> tuple[np.ndarray, float, float]:
        """u and λ after Newton's method, and the residual that it ends with, relative to the size of A u."""
        u = self.normalised(u)
        value, last = self.quotient(u), np.inf
        for _ in range(NEWTON_STEPS):
            residual = self.image(u) - value * u
            last = float(np.abs(residual).max() / (self._scale * np.abs(u).max()))
            if last <= RESIDUAL or not np.isfinite(last):
                break
            u, value = self._newton(u, value, residual)
        return self.normalised(u), value, last

    def _newton(self, u: np.ndarray, value: float, residual: np.ndarray) -> tuple[np.ndarray, float]:
        """One Newton step for A u = λu with u fixed in norm to first order."""
        shape, size = u.shape, u.size
        weighted = (self._weight * u).ravel()
        thick = self._volume * u

        def bordered(x: np.ndarray) -> np.ndarray:
            step, change = x[:-1].reshape(shape), x[-1]
            top = self.image(step) - value * step - change * u
            return np.append(top.ravel(), weighted @ x[:-1])

        def inverse(x: np.ndarray) -> np.ndarray:
            """Of the same with L for √g(A − λ)."""
            top = self._volume * x[:-1].reshape(shape)
            change = -float(top.sum() / thick.sum())
            step = self._solved(top + change * thick, self._elliptic).ravel()
            step += (x[-1] - weighted @ step) / weighted.sum()
            return np.append(step, change)

        right = np.append(-residual.ravel(), 0.0)
        full = (size + 1, size + 1)
        found = gmres(LinearOperator(full, bordered), right, M=LinearOperator(full, inverse), rtol=ROUGHLY,
                      restart=INNER_VECTORS, maxiter=INNER_CYCLES)[0]
        return u + found[:-1].reshape(shape), value + float(found[-1])
