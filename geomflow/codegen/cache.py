"""Routines as files: a content-addressed directory of generated sources, beside which Numba keeps machine code.

The name of a file is a digest of its text and of the versions it was generated with, so a file is never
changed: it is right, or it is damaged and written again. Files appear whole or not at all.
"""

from __future__ import annotations

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
    with _lock:
        name = stem(kind, text)
        if name not in _loaded:
            _loaded[name] = _import(name, _file(name, text))
        return _loaded[name]


def renew(module: ModuleType) -> ModuleType:
    """Load a module anew after removing what Numba kept for it: its machine code could not be used."""
    with _lock:
        path = Path(str(module.__file__))
        _remove_machine_code(path)
        name = path.stem
        _loaded[name] = _import(name, path)
        return _loaded[name]


def _file(name: str, text: str) -> Path:
    directory = default_directory()
    try:
        return _filed(directory, name, text)
    except OSError as error:
        refuge = _refuge()
        warnings.warn(f"the routine cache {directory} cannot be written ({error}); using {refuge} for this process. "
                      "Set GEOMFLOW_CACHE to a folder that can be written.", RuntimeWarning, stacklevel=2)
        return _filed(refuge, name, text)


@lru_cache(maxsize=1)
def _refuge() -> Path:
    return Path(tempfile.mkdtemp(prefix="geomflow-"))


def _filed(directory: Path, name: str, text: str) -> Path:
    path = directory / f"{name}.py"
    if not _holds(path, text):
        _write(path, text)
    return path


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    """Write a whole file under another name, then give it its own in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _remove_machine_code(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        os.utime(temporary, (_FIXED_TIME, _FIXED_TIME))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _remove_machine_code(path: Path) -> None:
    for pattern in (f"{path.stem}.*.nbi", f"{path.stem}.*.nbc", f"{path.stem}.*.pyc"):
        for file in (path.parent / "__pycache__").glob(pattern):
            file.unlink(missing_ok=True)


def _import(name: str, path: Path) -> ModuleType:
    full = f"geomflow_routines.{name}"
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    return module
