"""Things of one kind by the names that run files, the command and messages know."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Generic, TypeVar, cast, final

from geomflow.core.errors import UnknownNameError

T = TypeVar("T")


def loaded(package: str, thing: T | str) -> T:
    """The thing itself, or what "module:Name" names below the package."""
    return cast(T, resolve_name(f"{package}.{thing}")) if isinstance(thing, str) else thing


@final
class Registry(UserDict[str, T], Generic[T]):
    """Things of one kind by name; looking up another name raises UnknownNameError, which names the nearest.

    A thing stands there itself, or as "module:Name" below the `package`, to be loaded when it is asked for.

    Parameters
    ----------
    kind : str
        What the things are, in messages: "flow".
    package : str
        Where modules are looked for.
    entries : mapping
        Things, or where they are, by name.
    """

    def __init__(self, kind: str, package: str, entries: Mapping[str, T | str]) -> None:
        super().__init__(entries)  # type: ignore[arg-type]
        self.kind, self.package = kind, package

    def __missing__(self, name: str) -> T:
        raise UnknownNameError.among(self.kind, name, self)

    def __getitem__(self, name: str) -> T:
        return loaded(self.package, super().__getitem__(name))
