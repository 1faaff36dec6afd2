"""Routines as files: a content-addressed directory of generated sources, beside which Numba keeps machine code.

The name of a file is a digest of its text and of the versions it was generated with, so a file is never
changed: it is right, or it is damaged and written again. Files appear whole or not at all. Machine code is
sealed by a digest of its own, because damaged machine code would not raise an error but crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
import warnings
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import geomflow

_lock = threading.RLock()
_loaded: dict[str, ModuleType] = {}
_FIXED_TIME = 946684800
"""Numba compares times of change; files of equal content carry the same one."""


def default_directory() -> Path:
    """$GEOMFLOW_CACHE, or the folder for caches of this platform's user."""
    chosen = os.environ.get("GEOMFLOW_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "geomflow"


@lru_cache(maxsize=1)
def versions() -> str:
    """Everything besides its own text that the machine code of a routine depends on."""
    import llvmlite
    import numba

    support = b"".join((Path(__file__).parent / name).read_bytes() for name in ("mathematics.py", "calls.py"))
    return " ".join((geomflow.__version__, numba.__version__, llvmlite.__version__, sys.version.split()[0],
                     hashlib.blake2b(support, digest_size=8).hexdigest()))


def stem(kind: str, text: str) -> str:
    """The name under which a source is filed."""
    digest = hashlib.blake2b(f"{versions()}\n{text}".encode(), digest_size=12)
    return f"{kind}_{digest.hexdigest()}"


def load(kind: str, text: str) -> ModuleType:
    """The module with this source, from a file that exists on disk; the same module for the same source.

    A directory that cannot be written is replaced by a temporary one, with a warning.
    """
    name = stem(kind, text)
    with _lock:
        if name not in _loaded:
            try:
                _loaded[name] = _import(_filed(default_directory(), name, text))
            except (OSError, RuntimeError) as error:  # Numba raises RuntimeError where it finds no place to write
                _warn(error)
                _loaded[name] = _import(_filed(_refuge(), name, text))
        return _loaded[name]


def renew(module: ModuleType) -> ModuleType:
    """Load a module anew after removing its machine code, which could not be used."""
    path = Path(str(module.__file__))
    with _lock:
        with contextlib.suppress(OSError):
            _remove_machine_code(path)
        _loaded[path.stem] = _import(path)
        return _loaded[path.stem]


def move(module: ModuleType, error: Exception) -> ModuleType:
    """Load a module from a temporary directory, because machine code cannot be written beside it."""
    path = Path(str(module.__file__))
    with _lock:
        _warn(error)
        _loaded[path.stem] = _import(_filed(_refuge(), path.stem, path.read_text(encoding="utf-8")))
        return _loaded[path.stem]


def _warn(error: Exception) -> None:
    warnings.warn(f"the routine cache {default_directory()} cannot be used ({error}); using {_refuge()} for this "
                  "process. Set GEOMFLOW_CACHE to a folder that can be written.", RuntimeWarning, stacklevel=4)


@lru_cache(maxsize=1)
def _refuge() -> Path:
    return Path(tempfile.mkdtemp(prefix="geomflow-"))


# Sources


def _filed(directory: Path, name: str, text: str) -> Path:
    """The file with this source, written unless it is there and right."""
    path = directory / f"{name}.py"
    if not _holds(path, text.encode()):
        if path.exists():
            _remove_machine_code(path)
        _write(path, text.encode())
    return path


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    """Write a whole file under another name, then give it its own in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.utime(temporary, (_FIXED_TIME, _FIXED_TIME))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _import(path: Path) -> ModuleType:
    full = f"geomflow_routines.{path.stem}"
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    return module


# Machine code


def seal(module: ModuleType) -> None:
    """Note the digest of the machine code that Numba has just written or read."""
    path = Path(str(module.__file__))
    digest = _digest(path).encode()
    with contextlib.suppress(OSError):
        if digest and not _holds(path.with_suffix(".seal"), digest):
            _write(path.with_suffix(".seal"), digest)


def verify(module: ModuleType) -> None:
    """Remove machine code that is not what was sealed: interrupted, damaged or being replaced."""
    path = Path(str(module.__file__))
    if not _holds(path.with_suffix(".seal"), _digest(path).encode()):
        with contextlib.suppress(OSError):
            _remove_machine_code(path)


def _machine_code(path: Path) -> list[Path]:
    return sorted(file for file in (path.parent / "__pycache__").glob(f"{path.stem}.*")
                  if file.suffix in (".nbi", ".nbc"))


def _digest(path: Path) -> str:
    """A digest of all machine code of a source; empty if there is none."""
    total = hashlib.blake2b(digest_size=16)
    found = False
    for file in _machine_code(path):
        with contextlib.suppress(OSError):
            total.update(file.name.encode() + file.read_bytes())
            found = True
    return total.hexdigest() if found else ""


def _remove_machine_code(path: Path) -> None:
    for file in _machine_code(path):
        file.unlink(missing_ok=True)
