"""One reader for metrics of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import StoreError
from geomflow.fits import (
    ComponentFlow,
    Exponential,
    OverlapKernel,
    component_network,
    frozen_fit,
    kernel_metric,
    learned_kernel,
    phi_metric,
    save_frozen,
)
from geomflow.fits.load import READERS
from geomflow.kernels import FubiniStudyGaussian
from geomflow.variety import Points, sample_patch

CUBIC = gf.Fermat(3)
POINTS = CUBIC.sample(300, seed=1)
PATCH = sample_patch(CUBIC, 100, seed=1, patch=0, elim=1)


def component_flow():
    return ComponentFlow(PATCH, FubiniStudyGaussian(0.4), steps=3).run(progress=False)


def learned():
    return frozen_fit(learned_kernel(POINTS, width=4, steps=2, tries=1, progress=False), POINTS, progress=False)


MADE = {
    "geomflow metric 1": lambda: gf.algebraic_metric(CUBIC, 2, POINTS),
    "geomflow phi-network 1": lambda: phi_metric(CUBIC, POINTS, hidden=(4,), steps=(3, 1), progress=False),
    "geomflow component-network 1": lambda: component_network(PATCH, hidden=(4,), epochs=1, progress=False),
    "geomflow component metric 1": component_flow,
    "geomflow kernel metric 1": lambda: kernel_metric(POINTS, OverlapKernel(Exponential(1.0))),
    "geomflow frozen features 1": learned,
}


@pytest.fixture(scope="module", params=[*READERS, "points"])
def kept(request, tmp_path_factory):
    """Something, the file that keeps it, and what reads it."""
    kind, path = request.param, tmp_path_factory.mktemp("kept") / "kept.npz"
    if kind == "points":
        POINTS.save(path)
        return POINTS, path, Points.load
    metric = MADE[kind]()
    save = save_frozen if "frozen" in kind else type(metric).save
    save(metric, path)
    return metric, path, gf.load_metric


def test_metrics_of_every_kind_come_back(kept):
    made, path, load = kept
    again = load(path)
    assert type(again) is type(made)
    if load is gf.load_metric:
        assert np.array_equal(again.at(PATCH), made.at(PATCH))


#: What may be missing, and what may hold NaN and have any number of rows.
OPTIONAL, FREE = {"line", "off_variety", "points_line", "points_off_variety"}, {"history"}


def damaged(name, values):
    """Values that cannot stand for those of that name, whatever their sum of bits."""
    yield "missing", None
    if name in FREE:
        yield "short", values[:, 1:]
    elif values.dtype.kind == "U":
        yield "other", np.asarray("[1]" if str(values).startswith("{") else "{}")
        yield "broken", np.asarray("[1, {")
    else:
        yield "text", np.asarray("1")
        if values.ndim:
            yield "short", values[:-1]
            yield "flat", values[..., None]
        if values.dtype.kind in "fc" and values.size:
            bad = values.copy()
            bad.flat[values.size // 2] = np.nan
            yield "nan", bad


def test_whatever_is_damaged_in_a_file_is_refused(kept, tmp_path):
    """Each array in turn is dropped, cut, made NaN or made another: `StoreError`, with the checksum taken away."""
    _, path, load = kept
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "digest"}
    np.savez(tmp_path / "all.npz", **arrays)
    load(tmp_path / "all.npz")
    for name, values in arrays.items():
        for what, bad in damaged(name, values):
            if (name in OPTIONAL and what == "missing") or (name, what) == ("labels", "short"):
                continue
            np.savez(tmp_path / "bad.npz", **{k: v for k, v in {**arrays, name: bad}.items() if v is not None})
            with pytest.raises(StoreError):
                load(tmp_path / "bad.npz")
                pytest.fail(f"'{name}' was read though {what}")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot read"):
        gf.load_metric(tmp_path / "none.npz")
    POINTS.save(tmp_path / "points.npz")
    with pytest.raises(StoreError, match="holds no metric"):
        gf.load_metric(tmp_path / "points.npz")
