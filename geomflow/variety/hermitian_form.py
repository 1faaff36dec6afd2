"""Algebraic Kähler metrics: K = (1/k) log P with P a Hermitian form on monomials."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, triu

from geomflow.core import archive
from geomflow.core.errors import ShapeError, SymmetryError
from geomflow.core.hermitian import unpack
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.threads import each, slices
from geomflow.variety.jets import first_order, log_jets, log_metric, partial_index, second_order
from geomflow.variety.metric import KINDS, PolarisedMetric
from geomflow.variety.routines.forms import features

if TYPE_CHECKING:
    from geomflow.core.archive import Archive
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points

_CHUNK = 256


@final
class HermitianForm(PolarisedMetric, kind="geomflow Hermitian form 2"):
    """K = (1/k) log Σ_mn h_mn z^m z̄^n, all monomials of one multi-degree (k t_1, …, k t_r).

    Raises `ShapeError` and `SymmetryError`; positivity is a matter of
    points, see `geomflow.variety.smallest_eigenvalue`.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    exponents : (M, N) array of int
        The monomials, of one multi-degree.
    form : (M, M) complex array, dense or sparse
        The Hermitian matrix h.
    level : int
        k, as in O(k t).
    report : object, optional
        How a fit that made the form went.
    """

    def __init__(
        self,
        variety: Hypersurface,
        exponents: np.ndarray,
        form: np.ndarray | csr_array,
        level: int,
        report: FitReport | None = None,
    ) -> None:
        self.variety = variety
        self.report = report
        self.exponents = np.ascontiguousarray(exponents, dtype=np.int64)
        self.form = csr_array(form).astype(complex)
        self.form.sort_indices()
        self.level = level
        count = len(self.exponents)
        if self.form.shape != (count, count):
            raise ShapeError(f"the form has shape {self.form.shape}, but there are {count} monomials")
        odd = abs(self.form - self.form.conj().T).max()
        if odd > 1e-10 * abs(self.form).max():
            raise SymmetryError(f"the form is not Hermitian: h and its adjoint differ by {odd:.3g}")

    @cached_property
    def kahler_class(self) -> tuple[float, ...]:
        """t_i = degree in factor i, over k."""
        return tuple(float(self.exponents[0, b].sum()) / self.level for b in self.variety.ambient.blocks)

    def gram(self, points: Points, order: int = 1) -> np.ndarray:
        """(P, rows, rows): P and its mixed derivatives, rows (1, ∂_a) and at order two (1, ∂_a, ∂_a∂_c).

        Parameters
        ----------
        points : Points
            Where; arrays are in their local coordinates, P of them.
        order : int
            0, 1 or 2: up to which derivatives the rows go.
        """
        self.check(points)
        return np.concatenate(each(lambda s: self._gram(points[s], order), slices(len(points), _CHUNK)))

    def _gram(self, points: Points, order: int) -> np.ndarray:
        frame = [_value_frame, first_order, second_order][order](points)
        index = partial_index(self.variety.ambient.size, order)
        out = np.empty((len(points), frame.shape[1] ** 2, 1))
        features(points.coordinates, frame, index, self.exponents, *self._pairs, out)
        return unpack(out[:, :, 0])

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(0, m, n, h_mn) for m <= n, the diagonal halved: one group of pairs."""
        upper = triu(self.form, format="csr")
        size = np.diff(upper.indptr)
        left, right = np.repeat(np.arange(len(size)), size), upper.indices.astype(np.int64)
        return np.zeros_like(left), left, right, np.where(left == right, 0.5, 1.0) * upper.data

    def potential(self, points: Points) -> np.ndarray:
        """K = (1/k) log P at the scaled representatives, (P,)."""
        result: np.ndarray = np.log(self.gram(points, 0)[:, 0, 0].real) / self.level
        return result

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} = (1/k) (P_ab̄/P − P_a P_b̄/P²), shape (P, n, n)."""
        return np.asarray(log_metric(self.gram(points)) / self.level, dtype=complex)

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K up to the fourth, from second derivatives of the monomials."""
        second, third, fourth = log_jets(self.gram(points, 2), self.variety.dim)
        return second / self.level, third / self.level, fourth / self.level

    def record(self) -> dict[str, Any]:
        """Monomials, entries of the form with their places, level and report."""
        form = self.form.tocoo()
        return {"exponents": self.exponents, "row": form.row, "column": form.col, "entry": form.data,
                "level": self.level, **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> HermitianForm:
        """A form on monomials of one degree."""
        exponents = file.array("exponents", "i", None, variety.ambient.size)
        size, entry, level = len(exponents), file.numbers("entry", "c", None), int(file.array("level", "i"))
        row, column = (file.array(name, "i", len(entry)) for name in ("row", "column"))
        form = coo_array((entry, (row, column)), shape=(size, size)).tocsr()
        degrees = np.stack([exponents[:, block].sum(axis=1) for block in variety.ambient.blocks])
        if level < 1 or exponents.min(initial=0) < 0 or np.any(degrees != degrees[:, :1]):
            raise file.damaged("'exponents' and 'level' must be those of monomials of one degree")
        told = archive.kind_of(file.path, file) == cls.kind
        return cls(variety, exponents, form, level, read_report(file) if told else None)

    def __repr__(self) -> str:
        return (
            f"K = (1/{self.level}) log of a Hermitian form with {self.form.nnz} entries on {len(self.exponents)} "
            f"monomials, on the {self.variety}"
        )


#: Files of forms that hold no report.
KINDS["geomflow Hermitian form 1"] = HermitianForm


def _value_frame(points: Points) -> np.ndarray:
    return np.ones((len(points), 1, 1), complex)
