"""Every error that geomflow raises on purpose, and the one way in which it warns.

Each class is a `GeomflowError` and also the builtin that a user would catch. A message says what
happened, with its numbers, where, and what to change.
"""

from __future__ import annotations

import difflib
import reprlib
import sys
import warnings
from collections.abc import Collection, Hashable, Iterable


class GeomflowError(Exception):
    """Base of all errors raised on purpose by geomflow."""


class InputError(GeomflowError, ValueError):
    """A value given by the user cannot be used."""


class ExpressionError(InputError):
    """A mathematical expression cannot be read."""


class UnknownFunctionError(ExpressionError):
    """An expression calls a function that geomflow does not know."""


class ShapeError(InputError):
    """An array, matrix or grid has the wrong shape."""


class GridTooSmallError(ShapeError):
    """A grid has fewer points along an axis than the stencil reaches."""


class SymmetryError(InputError):
    """A matrix that must be symmetric or Hermitian is not."""


class PositivityError(InputError):
    """A metric or a density that must be positive is not."""


class NotFiniteError(InputError):
    """A value is NaN or infinite."""


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """A question for the nearest of the `known` names, or all of them after `otherwise` where none is near.

    None is near that is over twice as long.
    """
    choices = sorted(set(known))
    likely = [choice for choice in choices if len(choice) <= 2 * len(name)]
    close = difflib.get_close_matches(name, likely, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"{otherwise}: {', '.join(choices)}."


class UnknownNameError(GeomflowError, LookupError):
    """A name is not among the known ones."""

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """The error for an unknown `name`, naming the nearest of the `known` ones."""
        return cls(f"unknown {what} '{name}'; {nearest(name, known, 'choose one of')}")


def require_known(what: str, name: object, known: Collection[str]) -> None:
    """Raise `UnknownNameError` unless `name` is among the `known` ones; `what` it names, for the message."""
    if not isinstance(name, Hashable) or name not in known:
        raise UnknownNameError.among(what, reprlib.repr(name) if not isinstance(name, str) else name, known)


class IllPosedError(InputError):
    """A flow grows without bound at short wave lengths."""


class MemoryLimitError(GeomflowError, MemoryError):
    """A computation would need more memory than there is; said before any is taken."""


class RoutineError(GeomflowError, RuntimeError):
    """A routine could not be generated or compiled."""


class ConvergenceError(GeomflowError, ArithmeticError):
    """An iteration did not come to what it looks for."""


class StoreError(GeomflowError, OSError):
    """A stored run cannot be written or read."""


class MissingExtraError(GeomflowError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, package: str, extra: str) -> MissingExtraError:
        """The error for a missing `package`, naming the extra that brings it."""
        return cls(f"this needs the package '{package}', which is not installed: pip install 'geomflow[{extra}]'")


_BETWEEN = ("geomflow", "contextlib", "functools", "importlib")
"""Where frames lie that are no user's: this package, and what calls its context managers and cached properties."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that led here: the innermost one outside of this package, however deep the warning stands."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame = frame.f_back
    place = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__", "<unknown>")
    warnings.warn_explicit(message, category, *place, frame.f_globals.setdefault("__warningregistry__", {}))
