"""Pages as a browser shows them: Chromium without a window and without the network, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from limits import HANGS
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--proxy-server=127.0.0.1:9",
         "--proxy-bypass-list=<-loopback>", "--virtual-time-budget=2000", "--enable-logging=stderr")


def run(page: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Open a page."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser is installed: looked for {', '.join(NAMES)}")
    profile = f"--user-data-dir={page.parent / '.browser'}"
    return subprocess.run([found, *FLAGS, profile, *more, page.as_uri()], capture_output=True, text=True,
                          timeout=HANGS, check=True)


def document(page: Path) -> str:
    """The document after its scripts have run, none of which may have failed."""
    done = run(page, "--dump-dom")
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def screenshot(page: Path, width: int, height: int) -> np.ndarray:
    """What is seen, (height, width, 3)."""
    target = page.parent / f"{page.stem}-{width}.png"
    run(page, f"--window-size={width},{height}", f"--screenshot={target}")
    return np.asarray(Image.open(target).convert("RGB"))
