"""Nothing on disk is believed: a damaged store gives the numbers that were written, or a StoreError."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from problems import Heat

import geomflow as gf
from geomflow.core.errors import StoreError
from geomflow.flow import Store, load, solve
from geomflow.io.datasets import to_xarray

DAMAGES = 210
PLAIN = Heat(8)


def watched(t, state):
    """A monitor that is not a number at first, which is no damage."""
    return -np.nan if t < 0.005 else t


OPTIONS = {"save_at": 4, "stepper": "rk4", "monitors": {"watched": watched}}
KEPT = {"seed": 3, "configuration": {"a": [1.5]}}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run that was cut off after its third kept state, on disk, and the numbers in it."""
    path = tmp_path_factory.mktemp("stored") / "run.zarr"
    solve(PLAIN.flow(), None, 0.02, store=Store(path, every=0, **KEPT), max_steps=16, **OPTIONS)
    return path, told(path)


def told(path):
    """Everything that a store tells."""
    sol = load(path)
    numbers = [sol.times, sol.monitor_times, *(sol.states.packed(i) for i in range(len(sol.states)))]
    numbers += [sol.monitors[name] for name in sorted(sol.monitors)]
    words = [sol.description, sol.recipe, sol.outcome, sol.steps, sol.rejected, sol.rate_evaluations]
    return [a.tobytes() for a in numbers[:-1]] + [str(numbers[-1])], words


def flip(path, random):
    bits = bytearray(path.read_bytes())
    place = int(random.integers(8 * len(bits)))
    bits[place // 8] ^= 1 << place % 8
    path.write_bytes(bits)


def zero(path, random):
    path.write_bytes(bytes(path.stat().st_size))


def shorten(path, random):
    path.write_bytes(path.read_bytes()[: int(random.integers(path.stat().st_size))])


def lose(path, random):
    path.unlink()


def swap(path, random):
    """Another file of the store in its place, of the same name where there is one: another chunk, or older metadata."""
    root = next(p for p in path.parents if p.suffix == ".zarr")
    others = sorted(p for p in root.rglob("*") if p.is_file() and p != path)
    array = path.parts[len(root.parts)]
    alike = [p for p in others if p.parts[len(root.parts)] == array and p.name != "zarr.json"] or others
    path.write_bytes(alike[int(random.integers(len(alike)))].read_bytes())


def test_a_damaged_store_is_never_silently_wrong(stored, tmp_path):
    """Bits, lengths, chunks and metadata anywhere in a store, one damage at a time."""
    path, right = stored
    random = np.random.default_rng(20)
    files = sorted(p for p in path.rglob("*") if p.is_file())
    refused = []
    for n in range(DAMAGES):
        victim = files[n % len(files)]
        before = victim.read_bytes()
        damage = (flip, flip, shorten, lose, swap, zero)[int(random.integers(6))]
        damage(victim, random)
        try:
            assert told(path) == right, (damage.__name__, victim)
        except StoreError as error:
            refused.append(str(error))
        finally:
            victim.parent.mkdir(exist_ok=True)
            victim.write_bytes(before)
    assert told(path) == right
    assert len(refused) > DAMAGES // 3
    assert all("damaged" in said or "no stored run" in said for said in refused)


@pytest.mark.parametrize("array", ["time", "monitors/time", "monitors/mean", "monitors/watched", "state", "x",
                                   "checksums/state", "checkpoint"])  # fmt: skip
def test_every_array_is_covered(stored, tmp_path, array):
    """One bit of the numbers themselves: written as zarr writes them, so that only a checksum can tell."""
    import zarr

    path = tmp_path / "run.zarr"
    shutil.copytree(stored[0], path)
    names = [f"checkpoint/{n}" for n in range(3)] if array == "checkpoint" else [array]
    for name in names:
        numbers = zarr.open_array(path / name, mode="r+")
        values = numbers[...]
        values[np.isfinite(values)] = np.nextafter(values[np.isfinite(values)], np.inf)
        numbers[...] = values
    with pytest.raises(StoreError, match=f"the array '{array}"):
        told(path)
    with pytest.raises(StoreError, match=f"the array '{array}"):
        to_xarray(path)
    with pytest.raises(StoreError, match=f"the array '{array}"):
        solve(PLAIN.flow(), None, 0.02, store=path, resume=True, **OPTIONS)


def test_the_metadata_are_covered(stored, tmp_path):
    path = tmp_path / "run.zarr"
    shutil.copytree(stored[0], path)
    text = (path / "zarr.json").read_text()
    for old, new in [('"seed": 3', '"seed": 4'), ("RK4", "RK5"), ('"a": [1.5]', '"a": [2.5]'), ("u_xx", "u_yy")]:
        assert old in text
        (path / "zarr.json").write_text(text.replace(old, new, 1))
        with pytest.raises(StoreError, match=r"damaged: zarr\.json is not what was written"):
            load(path)


def test_states_are_told_apart(stored, tmp_path):
    """A state that belongs to another time is whole, and wrong."""
    path = tmp_path / "run.zarr"
    shutil.copytree(stored[0], path)
    chunks = sorted((path / "state" / "c").iterdir())[:2]
    for chunk, name in zip(chunks, ("b", "a"), strict=True):
        chunk.rename(path / name)
    (path / "a").rename(chunks[0])
    (path / "b").rename(chunks[1])
    with pytest.raises(StoreError, match="the state 0 of the array 'state' is not what was written"):
        list(load(path).states)


def test_what_a_state_needs_is_covered(tmp_path):
    T = gf.ComplexTorus(1)
    phi = T.grid(8).potential("cos(2*pi*x)/100", reference=[["1 + cos(2*pi*x)/4"]])
    path = tmp_path / "run.zarr"
    gf.solve(gf.KahlerRicciFlow(), phi, 1e-4, store=path)
    chunk = next(p for p in (path / "given" / "reference" / "c").rglob("*") if p.is_file())
    chunk.unlink()
    with pytest.raises(StoreError, match="the array 'given/reference'"):
        load(path)


def test_a_store_without_checksums_is_refused_by_name(stored, tmp_path):
    path = tmp_path / "run.zarr"
    shutil.copytree(stored[0], path)
    text = (path / "zarr.json").read_text()
    (path / "zarr.json").write_text(text.replace('"format": 2', '"format": 1', 1))
    with pytest.raises(StoreError, match=r"has format 1.*no checksums"):
        load(path)
