"""Dask without its log on the terminal: what matters comes as an error of ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, Dask does not warn that inputs are large: that they travel once is what is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
        yield


@contextmanager
def unlogged() -> Iterator[None]:
    """Within it, nothing that Dask logs in this process is written."""
    import distributed  # noqa: F401  (it sets its handlers up)

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    handlers = [handler for name in names for handler in logging.getLogger(name).handlers]
    levels = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in zip(handlers, levels):
            handler.setLevel(level)
