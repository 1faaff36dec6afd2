"""Files that describe a run or a variety: TOML, checked whole against what is declared of it, before any computation.

A file is declared once, as a class of tables, whose fields are keys: their types say what each takes, their annotations
what it means, and the docstring of a table what that says. An unknown key is an error that names the nearest known one,
a value of another kind an error that says what the key takes. Both say in which line.
"""

from __future__ import annotations

import json
import math
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo

from geomflow.cli.terminal import LARGEST_WHOLE, shown
from geomflow.core.errors import GeomflowError, InputError, UnknownNameError
from geomflow.core.numbers import real_number

LONGEST_FILE = 4_000_000

Whole = Annotated[int, Meta(title="a whole number", ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
Number = Annotated[int | float, Meta(title="a number")]
Text = Annotated[str, Meta(title="text in quotes")]
Switch = Annotated[bool, Meta(title="true or false")]
Wholes = Annotated[list[Whole], Meta(title="a list of whole numbers")]
Numbers = Annotated[list[Number], Meta(title="a list of numbers")]
Texts = Annotated[list[Text], Meta(title="a list of texts in quotes")]
Entries = Annotated[list[Number | Text], Meta(title="a list of these")]
Matrix = Annotated[list[list[Number | Text]], Meta(title="a list of rows, each a list of expressions in quotes")]
NumberMatrix = Annotated[list[list[Number]], Meta(title="a list of rows, each a list of numbers")]
Value = Number | Text | Switch | Entries | Matrix
Parameters = Annotated[
    dict[str, Number | Text | Switch | list[Number | Text | list[Number | Text]]],
    Meta(title="a table of numbers and texts"),
]
Formulas = Annotated[dict[str, Number | Text], Meta(title="a table of expressions in quotes, by name")]

D = TypeVar("D", bound="Table")


def says(meaning: str) -> Meta:
    """What a key means, as an annotation of its type."""
    return Meta(description=meaning)


class Table(msgspec.Struct, frozen=True):
    """A table of a file, or the file itself as the table of its tables. What is not given is None."""

    def given(self) -> dict[str, Any]:
        """What is given, by key; tables without keys are left out."""
        own = {field.encode_name: getattr(self, field.name) for field in keys_of(type(self)).values()}
        found = {key: value.given() if isinstance(value, Table) else value
                 for key, value in {**own, **self.further_options()}.items()}
        return {key: value for key, value in found.items() if value is not None and value != {}}

    others: ClassVar[Any] = None
    """What keys that are not declared hold, which are then kept in `further`: values of a kind, or tables of one
    declaration; None where there are no such keys."""

    def further_options(self) -> Mapping[str, Any]:
        """The keys that are not declared."""
        found: Mapping[str, Any] = getattr(self, "further", {})
        return found


class OpenTable(Table, frozen=True, kw_only=True):
    """A table with further keys, which belong to whatever the table names and are checked there."""

    others: ClassVar[Any] = Value
    further: dict[str, Any] = {}


def keys_of(table: type[Table]) -> dict[str, FieldInfo]:
    """The declared keys of a table, or the tables of a file, by the name that they have there."""
    return {field.encode_name: field for field in msgspec.structs.fields(table) if field.name != "further"}


def is_required(key: FieldInfo) -> bool:
    """Whether a key must be given."""
    return key.default is msgspec.NODEFAULT and key.default_factory is msgspec.NODEFAULT


def meaning_of(key: FieldInfo) -> str:
    """What a key means."""
    return str(next(meta.description for meta in key.type.__metadata__ if meta.description))


def phrase_of(kind: Any) -> str:
    """What a value of a kind is called.

    >>> phrase_of(Whole | Wholes | None)
    'a whole number or a list of whole numbers'
    """
    return _title(kind) or " or ".join(map(phrase_of, _alternatives(kind)))


def table_of(key: FieldInfo) -> type[Table]:
    """The declaration of a table from its field in the declaration of a file."""
    found: type[Table] = _alternatives(key.type)[0]
    return found


def as_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables as the text of a file that says them.

    >>> print(as_toml({"grid": {"n": [64, 32]}, "flow": {"name": "ricci", "forced": False}}))
    [grid]
    n = [64, 32]
    <BLANKLINE>
    [flow]
    name = "ricci"
    forced = false
    """
    return "\n\n".join("\n".join([f"[{name}]", *(f"{_key(key)} = {_toml(value)}" for key, value in table.items())])
                       for name, table in tables.items())


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _toml(value: Any) -> str:
    """A value in TOML, whose texts are written as in JSON."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)} = {_toml(part)}' for key, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and "\n" in value and not re.search(r'["\\]|[^\n -~\u00a0-\uffff]', value):
        return f'"""\n{value}"""'
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_document(path: Path, declared: type[D]) -> D:
    """What a file says.

    Raises `InputError` where the file cannot be read, is not TOML, or holds a value of the wrong kind, and
    `UnknownNameError` for a key that does not exist.
    """
    return parse_document(read_text(path), str(path), declared)


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Errors of what stands at a place of a file begin with it."""
    try:
        yield
    except GeomflowError as error:
        raise type(error)(f"{place}: {error}") from error


def read_text(path: Path) -> str:
    """The text of a file. Raises `InputError` where it cannot be read, or is too long to have been written by hand."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_FILE + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the run file '{path}': {_reason(error)}") from error
    if len(text.encode()) > LONGEST_FILE:
        raise InputError(f"cannot read the run file '{path}': it has more than {LONGEST_FILE:,} bytes")
    return text


def parse_document(text: str, source: str, declared: type[D]) -> D:
    """What a text says; `source` is its name for messages. Raises what `read_document` does."""
    try:
        document = tomllib.loads(text, parse_float=_held)
    except RecursionError:
        raise InputError(f"{source} is nested too deeply: no value of a run file takes lists in more than two "
                         "levels") from None
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except ValueError as error:  # that of a number of more digits than Python reads is no TOMLDecodeError
        raise InputError(f"{source} is not valid TOML: {error}") from error
    return checked(document, text, source, declared)


def checked(document: Mapping[str, Any], text: str, source: str, declared: type[D]) -> D:
    """A document as what is declared, or its first fault: an unknown or missing key, or a value of the wrong kind.

    `text` is what the document was read from, to find lines in; `source` its name for messages.
    Raises `UnknownNameError` for an unknown table or key and `InputError` for the others.
    """
    tables, found = keys_of(declared), {}
    for name, content in document.items():
        place = f"{source}{line_of(text, name)}"
        if name not in tables:
            raise UnknownNameError(f"{place}: {UnknownNameError.among('table', name, tables)}")
        if not isinstance(content, dict):
            raise InputError(f"{place}: '{name}' is a table; write [{name}] on a line of its own and its keys below")
        found[name] = _checked_table(name, content, table_of(tables[name]), text, source)
    for name, field in tables.items():
        if is_required(field) and name not in found:
            raise InputError(f"{source}: the table [{name}] is missing; it says {table_of(field).__doc__}")
    return declared(**found)


def _checked_table(name: str, content: Mapping[str, Any], declared: type[Table], text: str, source: str) -> Table:
    """One table, or its first fault."""
    keys, others = keys_of(declared), declared.others
    further: dict[str, Any] = {}
    for key, value in content.items():
        place = f"{source}{line_of(text, name, key)}"
        if key not in keys and (others is None or (is_table(others) and not isinstance(value, dict))):
            raise UnknownNameError(f"{place}: {UnknownNameError.among(f'key in [{name}]', key, keys)}")
        if key not in keys and is_table(others):
            further[key] = _checked_table(f"{name}.{key}", value, others, text, source)
            continue
        kind = keys[key].type if key in keys else others
        if not _accepts(kind, value):
            raise InputError(f"{place}: {name}.{key} takes {phrase_of(kind)}, and {shown(value)} was given")
        if key not in keys:
            further[key] = value
    for key, field in keys.items():
        if is_required(field) and key not in content:
            raise InputError(f"{source}{line_of(text, name)}: [{name}] needs the key '{key}': {meaning_of(field)}")
    found = {field.name: content[key] for key, field in keys.items() if key in content}
    return declared(**found) if others is None else declared(**found, further=further)


def is_table(kind: Any) -> bool:
    """Whether a value of this kind is a table with keys of its own."""
    return isinstance(kind, type) and issubclass(kind, Table)


def _accepts(kind: Any, value: Any) -> bool:
    """Whether a value is of one of the kinds, and double precision holds its numbers."""
    return any(_is(value, each) for each in _alternatives(kind)) and _held_throughout(value)


def _is(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _held_throughout(value: Any) -> bool:
    if isinstance(value, list | dict):
        return all(map(_held_throughout, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) <= sys.float_info.max or value in (math.inf, -math.inf)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The kinds of which a value is one."""
    if _title(kind):
        return (kind,)
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    found = get_args(plain) if get_origin(plain) in (Union, UnionType) else (plain,)
    return tuple(each for each in found if each is not NoneType)


def _title(kind: Any) -> str | None:
    return next((meta.title for meta in getattr(kind, "__metadata__", ()) if meta.title), None)


def line_of(text: str, table: str, key: str | None = None) -> str:
    """Where a table, or a key in it, stands in TOML text: ", line 12", or nothing if it is not found.

    What stands in a table that is written in one line is found there.

    >>> line_of("[grid]\\nn = 64\\n[flow]\\nname = 'ricci'", "flow", "name")
    ', line 4'
    >>> line_of("[state]\\nf = {scalar = '0'}", "state.f", "scalar")
    ', line 2'
    """
    wanted = table if key is None else f"{table}.{key}"
    found, best = "", -1
    for number, path in _written(text):
        if (path == wanted or wanted.startswith(f"{path}.")) and len(path) > best:
            found, best = f", line {number}", len(path)
    return found


def _written(text: str) -> Iterator[tuple[int, str]]:
    """The lines that begin a table or give a key, each with the whole name of it."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if bare.startswith("["):
            current = bare.strip("[] ").split("]")[0].strip()
            yield number, current
        elif "=" in bare and not bare.startswith("#"):
            name = bare.split("=")[0].strip().strip("\"'")
            yield number, f"{current}.{name}" if current else name


def _held(written: str) -> float:
    """The number with a point or an exponent, which must not vanish or overflow on the way."""
    short = written if len(written) <= 40 else f"{written[:40]}…"
    try:
        exact = Decimal(written)
    except InvalidOperation:  # an exponent of more digits than decimals have room for
        raise InputError(f"{short} has an exponent beyond those of double precision (-324 to 308)") from None
    return real_number(exact, short)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"it is not text in UTF-8 (byte {error.start})"
