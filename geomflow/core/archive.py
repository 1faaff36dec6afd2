"""Arrays in .npz files and tables in JSON: written whole or not at all, and believed only after a check."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from geomflow.core.errors import GeomflowError, StoreError
from geomflow.core.files import replacing, write_text

_KIND, _DIGEST = "kind", "digest"
_WORDS = {"f": "real numbers", "c": "complex numbers", "i": "whole numbers", "b": "true or false", "U": "text"}
_ACCEPTED = {"f": "fiu", "c": "cfiu", "i": "iu", "b": "b", "U": "U"}
_Json = TypeVar("_Json", bound=dict[str, Any] | list[Any])
_Made = TypeVar("_Made")


def write(path: str | os.PathLike[str], kind: str, **data: Any) -> None:
    """Write arrays, texts and numbers with what kind of file this is. Raises `StoreError` where it cannot be written.

    An old file at `path` stays whole until the new one is.
    """
    arrays = {_KIND: np.asarray(kind), **{name: np.asarray(value) for name, value in data.items()}}
    try:
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays | {_DIGEST: np.asarray(_digest(arrays))})  # type: ignore[arg-type]
    except OSError as error:
        raise StoreError(f"cannot write '{path}': {error.strerror or error}; choose another place.") from error


@dataclass(frozen=True)
class Archive:
    """The arrays of a file. Each is asked for as what it must be; what is something else raises `StoreError`."""

    path: str
    arrays: Mapping[str, np.ndarray]

    def array(self, name: str, kind: str, *shape: int | None) -> np.ndarray:
        """An array of real "f", complex "c" or whole numbers "i", of that shape (None: any length)."""
        if name not in self.arrays:
            raise self.damaged(f"'{name}' is missing")
        values = self.arrays[name]
        if values.dtype.kind not in _ACCEPTED[kind]:
            raise self.damaged(f"'{name}' must hold {_WORDS[kind]}, not {values.dtype}")
        if len(shape) != values.ndim or any(n not in (None, m) for n, m in zip(shape, values.shape)):
            wanted = ", ".join("any" if n is None else str(n) for n in shape)
            raise self.damaged(f"'{name}' has shape {values.shape}, and ({wanted}) is needed")
        return values

    def numbers(self, name: str, kind: str, *shape: int | None) -> np.ndarray:
        """An array as `array` gives it, with no NaN and no infinity."""
        values = self.array(name, kind, *shape)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = f" at {tuple(bad[0].tolist())}" if values.ndim else ""
            raise self.damaged(f"{len(bad)} of the {values.size} numbers in '{name}' are not finite, the first{place}")
        return values

    def text(self, name: str) -> str:
        """A text."""
        return str(self.array(name, "U"))

    def json(self, name: str, kind: type[_Json]) -> _Json:
        """A list or a table that was written as JSON."""
        try:
            value = json.loads(self.text(name))
        except (ValueError, RecursionError) as error:
            raise self.damaged(f"'{name}' is not JSON ({error})") from None
        if not isinstance(value, kind):
            raise self.damaged(f"'{name}' must be a {'table' if kind is dict else 'list'}, not {str(value)[:60]!r}")
        return value

    def damaged(self, what: str) -> StoreError:
        """The error for this file."""
        return StoreError(f"'{self.path}' is damaged: {what}. Restore it from a copy, or make it again.")

    def require_whole(self) -> None:
        """Raise `StoreError` where the arrays are not those that were written, if the file says which those were."""
        if _DIGEST in self.arrays and self.text(_DIGEST) != _digest(self.arrays):
            raise self.damaged("its content is not what was written (the digest differs)")


@contextmanager
def opened(path: str | os.PathLike[str], kind: str) -> Iterator[Archive]:
    """The content of a file of that kind, to be made into what it stands for.

    Raises `StoreError` for a file that is missing, damaged or of another kind, and where its content cannot be used.
    """
    archive = read(path)
    if kind_of(path, archive) != kind:
        raise StoreError(f"'{path}' is not a file of '{kind}' but of {kind_of(path, archive)!r}.")
    try:
        yield archive
    except StoreError:
        raise
    except (GeomflowError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise archive.damaged(f"its content cannot be used ({type(error).__name__}: {error})") from error
    archive.require_whole()


def kind_of(path: str | os.PathLike[str], archive: Archive | None = None) -> str:
    """What an .npz file says that it holds. Raises `StoreError`."""
    return (archive or read(path)).text(_KIND)


def read(path: str | os.PathLike[str]) -> Archive:
    """The arrays of any .npz file. Raises `StoreError`; objects in it are never made."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return Archive(os.fspath(path), {name: file[name] for name in file.files})
    except Exception as error:  # numpy, zipfile and zlib raise many kinds
        raise StoreError(f"cannot read '{path}': {_reason(error)}.") from error


def register(made: type[_Made], root: type[Any], kind: str, kinds: dict[str, type[_Made]]) -> None:
    """Enter a class among the `kinds` of its root under the kind that it names, if it does.

    Raises `TypeError` where it says neither in `record` what it is made of nor in `from_record` how.
    """
    above = made.__mro__[: made.__mro__.index(root)]
    missing = [name for name in ("record", "from_record") if not any(name in vars(each) for each in above)]
    if kind and missing:
        raise TypeError(f"{made.__name__} names the kind {kind!r} of its files, and lacks {' and '.join(missing)}.")
    if kind:
        kinds[kind] = made


def write_table(path: str | os.PathLike[str], table: Mapping[str, Any]) -> None:
    """Write a table as JSON with a digest of itself, at once or not at all. Raises the `OSError` of what cannot be."""
    write_text(path, json.dumps({**table, _DIGEST: _digest_of_text(table)}, indent=1, ensure_ascii=False) + "\n")


def read_table(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The table that `write_table` wrote. Raises `OSError`, and `ValueError` for what is not what was written.

    A table without a digest is not of this writing, and is taken as it is.
    """
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(table, dict):
        raise ValueError("it is no table")
    if table.pop(_DIGEST, None) not in (None, _digest_of_text(table)):
        raise ValueError("its content is not what was written (the digest differs)")
    return table


def _digest_of_text(table: Mapping[str, Any]) -> str:
    plain = json.dumps({key: value for key, value in table.items() if key != _DIGEST}, sort_keys=True)
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    plain = not isinstance(error, AttributeError) and "pickle" not in str(error)
    return str(error) if plain else "it is no .npz file of plain arrays"


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """A digest of names, types, shapes and bytes."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(set(arrays) - {_DIGEST}):
        values = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {values.dtype.str} {arrays[name].shape}\n".encode())
        total.update(values.tobytes())
    return total.hexdigest()
