"""Routines as files: a content-addressed directory of generated sources, beside which Numba keeps machine code.

The name of a file is a digest of its text and of the versions it was generated with, so a file is never
changed: it is right, or it is damaged and written again. Files appear whole or not at all. What runs is the text
itself, never a file of Python's own. Machine code is sealed by a digest of its own, because damaged machine code would
not raise an error but crash; it is used only from folders and files that nobody else can change.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import geomflow
from geomflow.core.errors import warn
from geomflow.core.files import in_place_of, own_folder, require_own, user_cache

_lock = threading.RLock()
_loaded: dict[str, ModuleType] = {}
_warned: set[str] = set()
_FIXED_TIME = 946684800
"""Numba compares times of change; files of equal content carry the same one."""


def default_directory() -> Path:
    """$GEOMFLOW_CACHE, or the folder for caches of this platform's user."""
    chosen = os.environ.get("GEOMFLOW_CACHE")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else user_cache()


@lru_cache(maxsize=1)
def versions() -> str:
    """Everything besides its own text that the machine code of a routine depends on."""
    import llvmlite
    import numba

    names = ("building.py", "instructions.py", "threaded.py")
    support = b"".join((Path(__file__).parent / name).read_bytes() for name in names)
    return " ".join((geomflow.__version__, numba.__version__, llvmlite.__version__, sys.version.split()[0],
                     hashlib.blake2b(support, digest_size=8).hexdigest()))


def stem(kind: str, text: str) -> str:
    """The name under which a source is filed."""
    digest = hashlib.blake2b(f"{versions()}\n{text}".encode(), digest_size=12)
    return f"{kind}_{digest.hexdigest()}"


def load(kind: str, text: str) -> ModuleType:
    """The module with this source, from a file that exists on disk; the same module for the same source.

    A directory that cannot be written, or that others can write to, is replaced by a temporary one, with a warning.
    """
    name = stem(kind, text)
    with _lock:
        if name not in _loaded:
            try:
                path = _filed(own_folder(default_directory()), name, text)
                own_folder(path.parent / "__pycache__")
                _loaded[name] = _module(path, text)
            except (OSError, RuntimeError) as error:  # Numba raises RuntimeError where it finds no place to write
                _loaded[name] = _taken_refuge(name, text, error)
        return _loaded[name]


def renew(module: ModuleType, text: str) -> ModuleType:
    """Load a module anew after removing its machine code, which could not be used."""
    path = Path(str(module.__file__))
    with _lock:
        try:
            _remove_machine_code(module)
            _loaded[path.stem] = _module(path, text)
        except OSError as error:
            _loaded[path.stem] = _taken_refuge(path.stem, text, error)
        return _loaded[path.stem]


def move(module: ModuleType, text: str, error: Exception) -> ModuleType:
    """Load a module from a temporary directory, because machine code cannot be kept beside it."""
    name = Path(str(module.__file__)).stem
    with _lock:
        _loaded[name] = _taken_refuge(name, text, error)
        return _loaded[name]


def _taken_refuge(name: str, text: str, error: Exception) -> ModuleType:
    """The module from a temporary directory, its machine code kept in the process alone."""
    from numba.core.caching import NullCache

    message = f"the routine cache {default_directory()} cannot be used ({error}); using {_refuge()} for this process"
    if message not in _warned:
        _warned.add(message)
        warn(f"{message}. Set GEOMFLOW_CACHE to a folder of your own that can be written.", RuntimeWarning)
    module = _module(_filed(_refuge(), name, text), text)
    module.block._cache = NullCache()
    return module


@lru_cache(maxsize=1)
def _refuge() -> Path:
    folder = tempfile.mkdtemp(prefix="geomflow-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


# Sources


def _filed(directory: Path, name: str, text: str) -> Path:
    """The file with this source, written unless it is there and right."""
    path = directory / f"{name}.py"
    if not _holds(path, text.encode()):
        _write(path, text.encode())
    return path


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    """A whole file for this user alone, of the one time of change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_place_of(path) as partial:
        partial.chmod(0o600)
        partial.write_bytes(content)
        os.utime(partial, (_FIXED_TIME, _FIXED_TIME))


def _module(path: Path, text: str) -> ModuleType:
    """The module that a text is, as if it had been imported from its file."""
    full = f"geomflow_routines.{path.stem}"
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    exec(compile(text, str(path), "exec"), module.__dict__)
    module.block._cache = _beside()(module.block.py_func)
    return module


@lru_cache(maxsize=1)
def _beside() -> Any:
    """Numba's cache of one function, always in the folder of its source, whatever $NUMBA_CACHE_DIR says."""
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

    kept = type("Beside", (CompileResultCacheImpl,), {"_locator_classes": [InTreeCacheLocator]})
    return type("RoutineCache", (FunctionCache,), {"_impl_class": kept})


# Machine code


def seal(module: ModuleType) -> None:
    """Note the digest of the machine code that Numba has just written or read."""
    path = Path(str(module.__file__))
    with contextlib.suppress(OSError):
        for file in _machine_code(module):
            file.chmod(0o600)
        digest = _digest(module).encode()
        if digest and not _holds(path.with_suffix(".seal"), digest):
            _write(path.with_suffix(".seal"), digest)


def verify(module: ModuleType) -> None:
    """Remove machine code that is not what was sealed: interrupted, damaged, being replaced, or of someone else's.

    Raises OSError where it is there to stay, or where others can write to its folder.
    """
    folder = _machine_folder(module)
    if folder is None:
        return
    own_folder(folder)
    with contextlib.suppress(OSError):
        require_own(Path(str(module.__file__)).with_suffix(".seal"))
        if _holds(Path(str(module.__file__)).with_suffix(".seal"), _digest(module).encode()):
            return
    _remove_machine_code(module)


def _machine_folder(module: ModuleType) -> Path | None:
    """Where Numba keeps the machine code of a module; None in the refuge, where it keeps none."""
    folder = module.block._cache.cache_path
    return None if folder is None else Path(folder)


def _machine_code(module: ModuleType) -> list[Path]:
    folder = _machine_folder(module)
    return [] if folder is None else sorted(file for file in folder.glob(f"{Path(str(module.__file__)).stem}.*")
                                            if file.suffix in (".nbi", ".nbc"))


def _digest(module: ModuleType) -> str:
    """A digest of all machine code of a source; empty if there is none. Raises OSError where others can change it."""
    total = hashlib.blake2b(digest_size=16)
    found = _machine_code(module)
    for file in found:
        require_own(file)
        total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest() if found else ""


def _remove_machine_code(module: ModuleType) -> None:
    for file in _machine_code(module):
        file.unlink(missing_ok=True)
