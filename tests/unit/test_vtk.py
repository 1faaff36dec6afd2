"""Fields and runs as files of VTK, read back by what is written in them."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError, MissingExtraError


def read(path):
    """The extent and the arrays of a .vts, by name: raw after an underscore, each behind its length in bytes."""
    raw = path.read_bytes()
    start = raw.index(b'<AppendedData encoding="raw">')
    head = ET.fromstring(raw[:start] + b"</VTKFile>")
    data = raw[raw.index(b"_", start) + 1 :]
    found = {}
    for entry in head.iter("DataArray"):
        place = int(entry.get("offset"))
        length = int.from_bytes(data[place : place + 8], "little")
        found[entry.get("Name")] = np.frombuffer(data[place + 8 : place + 8 + length])
    return next(head.iter("Piece")).get("Extent"), found


def test_a_field_stands_where_it_is_on_a_skew_torus(tmp_path):
    pytest.importorskip("pyevtk")
    phi = gf.ComplexTorus(dim=1, modulus=0.5 + 1j).grid(8).potential("cos(2*pi*y)/200")
    path = gf.export.vtk(phi, tmp_path / "phi.vts")
    extent, arrays = read(path)
    assert (path.name, extent) == ("phi.vts", "0 8 0 8 0 0")
    points = arrays.pop("points").reshape(-1, 3)
    assert points.max(axis=0) == pytest.approx([1.5, 1, 0])
    name, curvature = phi.component_names[0], "scalar curvature"
    for found, expected in ((arrays[name], phi.values), (arrays[curvature], phi.scalar().values)):
        np.testing.assert_array_equal(found.reshape(9, 9).T[:8, :8], expected)


def test_a_run_is_a_series_in_time(tmp_path):
    pytest.importorskip("pyevtk")
    start = gf.Torus(dim=1).grid(8).scalar("cos(2*pi*x)")
    sol = gf.solve(gf.Flow.from_expression("laplacian(u)"), start, t1=0.01, save_at=3)
    series = ET.parse(gf.export.vtk(sol, tmp_path / "heat")).getroot()
    entries = list(series.iter("DataSet"))
    assert [float(entry.get("timestep")) for entry in entries] == pytest.approx(list(sol.times))
    assert all((tmp_path / entry.get("file")).exists() for entry in entries)


def test_what_vtk_does_not_know_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("pyevtk")
    with pytest.raises(InputError, match="three dimensions, and this torus has 4"):
        gf.export.vtk(gf.ComplexTorus(dim=2).grid(8).potential(0), tmp_path / "phi")
    with pytest.raises(InputError, match="is neither"):
        gf.export.vtk(3, tmp_path / "three")
    monkeypatch.setitem(sys.modules, "pyevtk.vtk", None)
    with pytest.raises(MissingExtraError, match=r"geomflow\[vtk\]"):
        gf.export.vtk(gf.Torus(dim=1).grid(8).scalar(0), tmp_path / "u")
