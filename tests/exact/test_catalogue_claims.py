"""Every claim of the catalogue is decided, in several dimensions."""

import pytest

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.symbolic import catalogue

CASES = [(name, {}) for name in catalogue.names()] + [
    ("flat-torus", {"dim": 4}),
    ("round-sphere", {"dim": 1}),
    ("round-sphere", {"dim": 3}),
    ("round-sphere", {"dim": 4}),
    ("hyperbolic-space", {"dim": 4}),
    ("cylinder", {"sphere_dim": 3, "flat_dim": 2}),
    ("fubini-study", {"dim": 2}),
    ("fubini-study", {"dim": 3}),
    ("calabi", {"dim": 2}),
    ("calabi", {"dim": 4}),
    ("bryant", {"dim": 4}),
]


@pytest.mark.parametrize("name, parameters", CASES, ids=lambda value: str(value))
def test_claims_are_true(name, parameters):
    entry = catalogue.get(name, **parameters)
    assert entry.verified
    assert all(entry.verified.values()), entry.verified


@pytest.mark.parametrize("name", catalogue.names())
def test_entries_describe_themselves(name):
    entry = catalogue.get(name)
    assert entry.name == name
    assert entry.source
    assert str(entry).startswith(entry.title)
    assert "$" in entry._repr_latex_()


def test_names_are_found_in_several_spellings_and_unknown_ones_are_refused():
    assert catalogue.get("Fubini_Study").name == "fubini-study"
    with pytest.raises(UnknownNameError, match="did you mean 'kerr'"):
        catalogue.get("ker")
    with pytest.raises(InputError, match="n >= 2"):
        catalogue.get("calabi", dim=1)


@pytest.mark.parametrize("name", ["round-sphere", "cylinder", "fubini-study"])
def test_what_shrinks_dies_at_the_stated_time(name):
    entry = catalogue.get(name)
    last = entry.known.flow.subs(catalogue.TIME, entry.known.extinction)
    assert last[0, 0] == 0
