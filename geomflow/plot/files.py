"""Pictures as files, of the kind that the name ends in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.files import replacing
from geomflow.plot.style import styled

ENDINGS = (".png", ".svg", ".pdf")
FILMS = (".webm", ".gif", ".mp4")


@styled
def save(picture: Any, path: str | Path) -> Path:
    """Write a picture to a file, .png, .svg or .pdf, and close it; the same picture gives the same file.

    Colours over planes are pixels in .svg and .pdf too, all else is lines and text. Returns the path.
    Raises `InputError` for another ending and for what is no picture.

    Parameters
    ----------
    picture : Axes, array of Axes or Figure
        What a function of `gf.plot` returned, or a picture of one's own.
    path : path
        Ending in .png, .svg or .pdf; replaced at once or not at all.
    """
    import matplotlib.pyplot as plt

    path = Path(path)
    ending = require_ending(path, ENDINGS, "a picture")
    figure = _figure(picture)
    # without dates the file depends on the picture alone
    metadata: dict[str, Any] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[ending]
    with replacing(path) as partial:
        figure.savefig(partial, format=ending[1:], metadata=metadata)
    plt.close(figure)
    return path


def png(picture: Any, dpi: int, transparent: bool = False) -> bytes:
    """A picture as the bytes of a PNG, and close it.

    Parameters
    ----------
    picture : Axes, array of Axes or Figure
        What a function of `gf.plot` returned, or a picture of one's own.
    dpi : int
        Pixels an inch.
    transparent : bool
        Without a background.
    """
    import matplotlib.pyplot as plt

    figure, out = _figure(picture), io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, transparent=transparent)
    plt.close(figure)
    return out.getvalue()


def require_ending(path: Path, endings: tuple[str, ...], what: str) -> str:
    """The ending of a name, in small letters. Raises `InputError` unless it is one of these."""
    ending = path.suffix.lower()
    if ending not in endings:
        raise InputError(f"{what} is written as {', '.join(endings[:-1])} or {endings[-1]}, and '{path.name}' is none")
    return ending


def _figure(picture: Any) -> Any:
    """The figure of axes, of an array of them, or itself."""
    from matplotlib.figure import Figure

    first = picture.flat[0] if isinstance(picture, np.ndarray) and picture.size else picture
    figure = first if isinstance(first, Figure) else getattr(first, "figure", None)
    if figure is None:
        raise InputError(f"a picture is what a function of gf.plot returns, and {picture!r} is none")
    return figure
