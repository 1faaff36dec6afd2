"""What an object is, as plain data: equal in every process for equal objects, and different where anything differs.

Dataclasses are described by their fields, arrays by their numbers, functions by their code and by what they reach,
other objects by what would rebuild them. A new field of a class is part of its content by itself. A class whose content
is less than that, or another thing, says so in a method `__content__`, which returns it.
"""

from __future__ import annotations

import dataclasses
import dis
import hashlib
import sys
from collections.abc import Mapping, Set
from functools import cached_property, partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

KIND = "is"
"""The key under which the content of an object names its class."""

OPAQUE = "cannot be compared"
"""The key in the content of what has none."""

_SMALL = 16
_AS_WRITTEN = (complex, bytes, range, slice, np.longdouble, np.clongdouble)
_GENERATED = {"__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__", "__replace__"}


def content(value: Any) -> Any:
    """The content of an object as text, numbers, lists and dictionaries, which JSON can hold."""
    return _Reader().read(value)


class _Reader:
    """Walks an object; what is being read already is named and not walked again."""

    def __init__(self) -> None:
        self._open: list[int] = []

    def read(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float) and type(value) in (int, float):
            return value
        if type(value) in _AS_WRITTEN:
            return {KIND: _name(type(value)), "written": repr(value)}
        if isinstance(value, np.generic):
            return self.read(value.item()) if value.dtype.kind in "biufU" else self.read(np.asarray(value))
        if id(value) in self._open:
            return {KIND: _name(type(value)), "again": len(self._open) - self._open.index(id(value))}
        self._open.append(id(value))
        try:
            return self._walk(value)
        finally:
            self._open.pop()

    def _walk(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return _array(value)
        if isinstance(value, type):
            return self._class(value)
        if hasattr(value, "__content__"):
            return {KIND: _name(type(value)), **self._items(value.__content__())}
        if isinstance(value, Mapping):
            return self._items(value)
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return [self.read(item) for item in value]
        if isinstance(value, Set):
            return sorted((self.read(item) for item in value), key=repr)
        if callable(value) and (found := self._callable(value)) is not None:
            return found
        return self._object(value)

    def _items(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        return {key if isinstance(key, str) else repr(key): self.read(item) for key, item in values.items()}

    def _object(self, value: Any) -> Any:
        kind = {KIND: _name(type(value)), **self._own_class(type(value))}
        if dataclasses.is_dataclass(value):
            return kind | {f.name: self.read(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, ModuleType):
            return {KIND: "module", "name": value.__name__}
        if any(_package(base) == "sympy" for base in type(value).__mro__):
            return kind | {"expression": sys.modules["sympy"].srepr(value)}
        return kind | self._rebuilt(value)

    def _rebuilt(self, value: Any) -> dict[str, Any]:
        """What `copy` and `pickle` would make an object anew from."""
        try:
            make, arguments, *rest = value.__reduce_ex__(2)
        except Exception:  # objects that cannot be copied raise many kinds
            return {OPAQUE: _name(type(value))}
        state = rest[0] if rest else None
        if isinstance(state, dict):
            cached = {name for kind in type(value).__mro__ for name, item in vars(kind).items()
                      if isinstance(item, cached_property)}
            state = {name: item for name, item in state.items() if name not in cached}
        plain = getattr(make, "__module__", "") == "copyreg"
        parts = {} if plain else {"make": make, "arguments": arguments}
        parts |= state if isinstance(state, dict) else {} if state is None else {"state": state}
        more = {"items": [list(items) for items in rest[1:3] if items]} if any(rest[1:3]) else {}
        return self._items({**parts, **more})

    def _callable(self, value: Any) -> Any:
        if isinstance(value, partial):
            return {KIND: "partial", **self._items({"of": value.func, "to": value.args, "with": value.keywords})}
        if isinstance(value, MethodType):
            return {KIND: "method", "name": value.__name__, "of": self.read(value.__self__),
                    "function": self.read(value.__func__)}
        if isinstance(value, BuiltinFunctionType | np.ufunc):
            owner = getattr(value, "__self__", None)
            return {KIND: "function", "name": value.__name__,
                    "of": None if owner is None or isinstance(owner, ModuleType) else self.read(owner)}
        inner = getattr(value, "__wrapped__", None) or getattr(value, "py_func", None)
        if inner is not None and not isinstance(value, FunctionType):
            return self.read(inner)
        return self._function(value) if isinstance(value, FunctionType) else None

    def _function(self, value: FunctionType) -> dict[str, Any]:
        """A function by its name where a package defines it, else by its code; with all that it reaches."""
        known = _is_installed(value.__module__)
        own = {} if known else {"code": _code(value.__code__), "python": "{}.{}".format(*sys.version_info)}
        cells = dict(zip(value.__code__.co_freevars, value.__closure__ or (), strict=True))
        inner = {name: cell.cell_contents for name, cell in cells.items() if not _is_empty(cell)}
        reached = {} if known else {name: value.__globals__[name] for name in _globals(value.__code__)
                                    if name in value.__globals__}
        parts = {"defaults": value.__defaults__, "keywords": value.__kwdefaults__, "inner": inner, "outer": reached}
        name = f"{value.__module__}.{value.__qualname__}" if known else value.__qualname__
        return {KIND: "function", "name": name, **own, **self._items({k: v for k, v in parts.items() if v})}

    def _class(self, kind: type) -> dict[str, Any]:
        return {KIND: "class", "name": _name(kind), **self._own_class(kind)}

    def _own_class(self, kind: type) -> dict[str, Any]:
        """The methods of a class that is the user's own: its name alone does not say what it does."""
        if id(kind) in self._open[:-1]:
            return {}
        found: dict[str, Any] = {}
        self._open.append(id(kind))
        for base in kind.__mro__:
            if not _is_installed(_package(base)):
                found |= {f"{base.__qualname__}.{name}": self.read(item) for name, item in _defined(base).items()}
        self._open.pop()
        return {"methods": found} if found else {}


def _defined(kind: type) -> dict[str, Any]:
    """What the body of a class defines, but for what dataclasses generate."""
    made = _GENERATED if dataclasses.is_dataclass(kind) else set()
    found: dict[str, Any] = {}
    for name, item in vars(kind).items():
        function = getattr(item, "fget", None) or getattr(item, "func", None) or getattr(item, "__func__", None) or item
        if isinstance(function, FunctionType):
            if name not in made:
                found[name] = function
        elif not name.startswith("_"):
            found[name] = item
    return found


def _array(value: np.ndarray) -> Any:
    if value.dtype.kind == "O":
        return {KIND: "array", "shape": list(value.shape), "objects": [repr(item) for item in value.flat]}
    if value.size <= _SMALL and value.dtype.kind in "biuf" and value.dtype.char != "g":
        return {KIND: "array", "type": str(value.dtype), "values": value.tolist()}
    digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return {KIND: "array", "type": str(value.dtype), "shape": list(value.shape), "sha256": digest}


def _code(code: CodeType) -> str:
    """The digest of what a function does, without where it stands."""
    digest = hashlib.sha256(code.co_code)
    for constant in code.co_consts:
        digest.update(_constant(constant).encode())
    digest.update(repr((code.co_names, code.co_freevars, code.co_argcount)).encode())
    return digest.hexdigest()


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return _code(value)
    return repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value)


def _globals(code: CodeType) -> list[str]:
    """The names that a function looks for outside of itself."""
    inner = [name for constant in code.co_consts if isinstance(constant, CodeType) for name in _globals(constant)]
    own = [step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    return sorted({*own, *inner})


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


def _package(kind: type) -> str:
    """Where a class is defined; one made by a library as it runs, of no module, where that which it extends is."""
    return next(base.__module__ for base in kind.__mro__ if base.__module__).partition(".")[0]


def _is_installed(module: str | None) -> bool:
    """Whether a module belongs to this package, to Python or to what was installed, whose versions are on record."""
    top = (module or "").partition(".")[0]
    if top in ("geomflow", "builtins") or (top in sys.stdlib_module_names and top != "__main__"):
        return True
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _name(kind: type) -> str:
    return kind.__qualname__


def differences(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Where two contents differ: (path, old, new), the smallest parts that do."""
    if isinstance(old, dict) and isinstance(new, dict) and old.get(KIND) == new.get(KIND):
        keys = [*old, *(key for key in new if key not in old)]
        return [found for key in keys
                for found in differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [found for i, (a, b) in pairs for found in differences(a, b, f"{path}[{i}]")]
    same = old == new or (old != old and new != new)
    return [] if same and isinstance(old, bool) == isinstance(new, bool) else [(path, old, new)]


def opaque(found: Any, path: str = "") -> list[str]:
    """The paths of the parts of a content that cannot be compared."""
    if isinstance(found, dict):
        if OPAQUE in found:
            return [path]
        return [p for key, item in found.items() for p in opaque(item, f"{path}.{key}" if path else key)]
    if isinstance(found, list):
        return [p for i, item in enumerate(found) for p in opaque(item, f"{path}[{i}]")]
    return []


def in_words(found: Any) -> str:
    """A content in a few words, for a message."""
    if isinstance(found, dict) and found.get(KIND) == "array":
        return str(found["values"]) if "values" in found else f"an array of shape {tuple(found['shape'])}"
    if isinstance(found, dict) and KIND in found:
        name = found.get("name", found[KIND])
        plain = [f"{key}={in_words(item)}" for key, item in found.items()
                 if key != KIND and isinstance(item, int | float | str | None)]
        return f"{found[KIND]} {name}" if "name" in found else f"{name}({', '.join(plain)})"
    text = repr(found)
    return text if len(text) <= 80 else text[:77] + "..."
