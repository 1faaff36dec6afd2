"""Settings for every test: pictures go to memory, hypothesis is reproducible."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

collect_ignore_glob = ["typing/*.py"]  # scripts for type checkers, some wrong on purpose

settings.register_profile(
    "geomflow",
    deadline=None,  # the first example of a law compiles a routine
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("geomflow")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def close_figures():
    """Close the figures that a test leaves open."""
    yield
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
