"""Things of one kind by the names that run files, the command and messages know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from pkgutil import resolve_name
from typing import Any, Generic, TypeVar, cast, final

from geomflow.core.errors import UnknownNameError

T = TypeVar("T")


def loaded(package: str, thing: T | str) -> T:
    """The thing itself, or what "module:Name" names below the package."""
    return cast(T, resolve_name(f"{package}.{thing}")) if isinstance(thing, str) else thing


@final
class Registry(MutableMapping[str, T], Generic[T]):
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
        self.kind, self._package, self._entries = kind, package, dict(entries)

    def __getitem__(self, name: str) -> T:
        if name not in self._entries:
            raise UnknownNameError.among(self.kind, name, self)
        return loaded(self._package, self._entries[name])

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except UnknownNameError:
            return default

    def __setitem__(self, name: str, thing: T) -> None:
        self._entries[name] = thing

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
