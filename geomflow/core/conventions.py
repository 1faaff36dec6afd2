"""Every sign and factor of two, executable.

One sentence fixes how real and complex geometry meet:

    ds² = 2 g_{ab̄} dz^a dz̄^b,   z^a = x^a + i y^a,   a = 1..n,   real dimension d = 2n.

The flat unit metric is therefore g_{ab̄} = ½ δ_ab. Complex matrices `h` below are arrays `(..., n, n)` with
`h[..., a, b]` = g_{ab̄}, the first index holomorphic. Real matrices are arrays `(..., 2n, 2n)` in block
coordinates (x¹, …, xⁿ, y¹, …, yⁿ); `pairs_from_blocks` reorders them to (x¹, y¹, x², y², …).
Spheres have positive curvature and Laplacians are ≤ 0. Nothing here differentiates: second derivatives and
curvatures come in as arrays, so that every function is one line of the table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating] | NDArray[np.complexfloating]

#: Δ_R = 2 Δ_∂ on functions (Kähler metrics only), with Δ_∂ f = g^{ab̄} ∂_a ∂_b̄ f.
REAL_OVER_COMPLEX_LAPLACIAN = 2

#: R = 2 r: the scalar curvature of the real metric over the trace r = g^{ab̄} R_{ab̄}.
REAL_OVER_COMPLEX_SCALAR = 2

#: Hamilton's flow ∂_t g = −2 Ric is ∂_t g_{ab̄} = −2 R_{ab̄}: twice as fast as Kähler–Ricci flow ∂_t g_{ab̄} = −R_{ab̄}.
HAMILTON_OVER_KAHLER_RICCI_SPEED = 2

#: K = 2 ∫ v log v dμ_Ω: the K-energy is twice the entropy, so that its descent in ∫ψψ'dμ_J is Calabi flow
#: ∂_tφ = R − R̄; that of the entropy itself is ∂_tφ = ½(R − R̄).
K_ENERGY_OVER_ENTROPY = 2


def wirtinger(dx: ArrayLike, dy: ArrayLike) -> tuple[Array, Array]:
    """The pair (∂_a f, ∂_ā f) from real derivatives: ∂_a = ½(∂_x − i ∂_y), ∂_ā = ½(∂_x + i ∂_y).

    >>> holomorphic, antiholomorphic = wirtinger(1.0, 1.0j)  # f = z = x + iy
    >>> complex(holomorphic), complex(antiholomorphic)
    ((1+0j), 0j)
    """
    dx, dy = np.asarray(dx), np.asarray(dy)
    return (dx - 1j * dy) / 2, (dx + 1j * dy) / 2


def realify(h: ArrayLike) -> Array:
    """The real metric g_R = 2 [[A, B], [−B, A]] of a Hermitian h = A + iB, in block coordinates.

    The same formula makes the real Ricci tensor of R_{ab̄}.

    >>> realify([[2, 1 + 1j], [1 - 1j, 3]]).tolist()
    [[4.0, 2.0, 0.0, 2.0], [2.0, 6.0, -2.0, 0.0], [0.0, -2.0, 4.0, 2.0], [2.0, 0.0, 2.0, 6.0]]

    The flat unit metric ½ δ becomes the identity:

    >>> bool(np.all(realify(np.eye(2) / 2) == np.eye(4)))
    True
    """
    h = np.asarray(h)
    return np.block([[2 * h.real, 2 * h.imag], [0.0 - 2 * h.imag, 2 * h.real]])


def complexify(g: ArrayLike) -> Array:
    """The Hermitian matrix g_R(∂_a, ∂_b̄) of a real metric in block coordinates.

    It undoes `realify`; of a metric that is not J-invariant it is the J-invariant part.

    >>> h = np.array([[2, 1 + 1j], [1 - 1j, 3]])
    >>> bool(np.all(complexify(realify(h)) == h))
    True
    """
    g = np.asarray(g)
    n = g.shape[-1] // 2
    xx, xy, yx, yy = g[..., :n, :n], g[..., :n, n:], g[..., n:, :n], g[..., n:, n:]
    h: Array = (xx + yy + 1j * (xy - yx)) / 4
    return h


def complex_structure(n: int) -> Array:
    """The matrix of J in block coordinates, acting on columns: J ∂_x = ∂_y, J ∂_y = −∂_x.

    >>> J = complex_structure(2)
    >>> bool(np.all(J @ J == -np.eye(4)))
    True
    >>> g = realify([[2, 1 + 1j], [1 - 1j, 3]])
    >>> bool(np.all(J.T @ g @ J == g))  # a realified metric is J-invariant
    True
    """
    zero, one = np.zeros((n, n)), np.eye(n)
    return np.block([[zero, -one], [one, zero]])


def kahler_form(h: ArrayLike) -> Array:
    """The components ω_ij = g_R(J ∂_i, ∂_j) of ω = i g_{ab̄} dz^a ∧ dz̄^b, in block coordinates.

    >>> kahler_form([[0.5]])  # the flat torus: ω = dx ∧ dy
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    g = realify(h)
    return complex_structure(g.shape[-1] // 2).T @ g


def pairs_from_blocks(n: int) -> NDArray[np.intp]:
    """Positions in block coordinates of (x¹, y¹, x², y², …): `g[np.ix_(p, p)]` reorders a matrix.

    >>> pairs_from_blocks(3)
    array([0, 3, 1, 4, 2, 5])
    """
    return np.arange(2 * n).reshape(2, n).T.reshape(-1)


def volume_density(h: ArrayLike) -> Array:
    """dμ_J / d^{2n}x = 2ⁿ det g_{ab̄} = √det g_R, where dμ_J = ωⁿ/n!.

    >>> h = np.array([[2, 1 + 1j], [1 - 1j, 3]])
    >>> bool(np.isclose(volume_density(h), 16.0)), bool(np.isclose(np.sqrt(np.linalg.det(realify(h))), 16.0))
    (True, True)
    """
    h = np.asarray(h)
    density: Array = 2 ** h.shape[-1] * np.linalg.det(h).real
    return density


def inverse(h: ArrayLike) -> Array:
    """g^{ab̄} as an array [a, b], so that Σ_b g^{ab̄} g_{cb̄} = δ^a_c: the transpose of the matrix inverse.

    >>> h = np.array([[2, 1 + 1j], [1 - 1j, 3]])
    >>> np.round(np.einsum("ab,cb->ac", inverse(h), h), 12).real
    array([[1., 0.],
           [0., 1.]])
    """
    return np.swapaxes(np.linalg.inv(np.asarray(h)), -1, -2)


def complex_trace(h: ArrayLike, tensor: ArrayLike) -> Array:
    """g^{ab̄} T_{ab̄}: Δ_∂ f for T = ∂_a ∂_b̄ f, and r for T = R_{ab̄}.

    On the flat torus f = cos x has Δ_R f = −cos x, so at the origin f_{ab̄} = −¼ and Δ_R f = 2 Δ_∂ f = −1:

    >>> REAL_OVER_COMPLEX_LAPLACIAN * float(complex_trace([[0.5]], [[-0.25]]))
    -1.0
    """
    trace: Array = np.einsum("...ab,...ab->...", inverse(h), np.asarray(tensor)).real
    return trace


def scalar_curvature(h: ArrayLike, ricci: ArrayLike) -> Array:
    """R = 2 g^{ab̄} R_{ab̄}, the scalar curvature of the real metric.

    Fubini–Study on CP¹ has g = (1 + |z|²)^{−2} and R_{ab̄} = 2 g_{ab̄}: the round sphere of radius² ½, so R = 4.

    >>> float(scalar_curvature([[1.0]], [[2.0]]))
    4.0
    """
    return REAL_OVER_COMPLEX_SCALAR * complex_trace(h, ricci)


def ricci_norm_squared(h: ArrayLike, ricci: ArrayLike) -> Array:
    """|Ric|²_R = 2 R_{ab̄} R^{b̄a}.

    An Einstein metric of dimension d = 2 with R = 4 has |Ric|² = R²/d:

    >>> float(ricci_norm_squared([[1.0]], [[2.0]]))
    8.0
    """
    mixed = np.asarray(ricci) @ np.linalg.inv(np.asarray(h))
    square: Array = 2 * np.einsum("...ab,...ba->...", mixed, mixed).real
    return square


def gradient_norm_squared(h: ArrayLike, df: ArrayLike) -> Array:
    """|∇f|²_R = 2 |∂f|² = 2 g^{ab̄} ∂_a f ∂_b̄ f for real f, from `df[..., a]` = ∂_a f.

    >>> holomorphic, _ = wirtinger([3.0], [4.0])  # flat plane, ∇f = (3, 4)
    >>> float(gradient_norm_squared([[0.5]], holomorphic))
    25.0
    """
    df = np.asarray(df)
    square: Array = 2 * np.einsum("...ab,...a,...b->...", inverse(h), df, df.conj()).real
    return square


def density_ratio(h: ArrayLike, reference: ArrayLike) -> Array:
    """v = det g / (κ |Ω|²), where κ makes the mean of v against the measure |Ω|² equal to one.

    `h` are the metrics at equally weighted points `(points, n, n)` and `reference` the values of |Ω|² there.

    >>> v = density_ratio([[[1.0]], [[3.0]]], [1.0, 1.0])
    >>> v
    array([0.5, 1.5])
    """
    determinant, reference = np.linalg.det(np.asarray(h)).real, np.asarray(reference)
    kappa = determinant.mean() / reference.mean()
    ratio: Array = determinant / (kappa * reference)
    return ratio


def entropy(v: ArrayLike, measure: ArrayLike) -> float:
    """∫ v log v dμ_Ω, `measure` being the masses of dμ_Ω at the points: E_F with F = v log v.

    >>> round(entropy([0.5, 1.5], [1.0, 1.0]), 6)
    0.261624
    """
    v = np.asarray(v)
    return float(np.sum(np.asarray(measure) * v * np.log(v)))


def k_energy(v: ArrayLike, measure: ArrayLike) -> float:
    """Mabuchi's K-energy for c₁ = 0, K = 2 ∫ v log v dμ_Ω = 2 ∫ log v dμ_J, by the masses of dμ_Ω at the points.

    It is the "energy" of Calabi and Kähler–Ricci flow, on tori and on varieties, whatever their speed.

    >>> round(k_energy([0.5, 1.5], [1.0, 1.0]), 6)
    0.523248
    """
    return K_ENERGY_OVER_ENTROPY * entropy(v, measure)


def sigma(v: ArrayLike, measure: ArrayLike) -> float:
    """σ = ∫ |v − 1| dμ_Ω / ∫ dμ_Ω by the masses of dμ_Ω at the points: the same for every total mass.

    >>> sigma([0.5, 1.5], [1.0, 1.0]), sigma([0.5, 1.5], [3.0, 3.0])
    (0.5, 0.5)
    """
    measure = np.asarray(measure)
    return float(np.sum(measure * np.abs(np.asarray(v) - 1)) / np.sum(measure))


def mean_trace(h: ArrayLike, chi: ArrayLike) -> float:
    """c = ∫ tr_ω χ dμ_J / ∫ dμ_J of the J-functional, from g_{ab̄} and χ_{ab̄} at equally weighted points.

    It depends on the classes of ω and χ alone. On a torus whose reference form is 1 and with χ = ½:

    >>> mean_trace([[[1.0]]], [[0.5]])
    0.5
    """
    density = volume_density(h)
    return float(np.mean(complex_trace(h, chi) * density) / np.mean(density))


def from_convention_b(h: ArrayLike) -> Array:
    """g_{ab̄} of this table from that of ds² = g_{ab̄} dz^a dz̄^b, ω = (i/2) g dz ∧ dz̄ (flat metric δ_ab).

    >>> from_convention_b([[1.0]])
    array([[0.5]])
    """
    return np.asarray(h) / 2


#: Decay rates of small modes e^{ikx} of the potential on a flat torus, as a function of |k|².
DECAY_RATES: dict[str, Callable[[float], float]] = {
    "kahler-ricci": lambda k2: k2 / 2,
    "hamilton": lambda k2: k2,
    "entropy": lambda k2: k2**2 / 4,
    "k-energy": lambda k2: k2**2 / 2,
    "calabi": lambda k2: k2**2 / 2,
}


def decay_rate(flow: str, k_squared: float) -> float:
    """The rate at which a small mode of wave vector k decays under `flow` on a flat torus.

    ∂φ = log v ("kahler-ricci"), 2 log v ("hamilton"), R/2 ("entropy"), and R ("k-energy", whose descent is "calabi").

    >>> [decay_rate(flow, 4.0) for flow in DECAY_RATES]
    [2.0, 4.0, 4.0, 8.0, 8.0]
    """
    return DECAY_RATES[flow](k_squared)
