"""A quantity over two axes of a torus as a surface that turns, a few kilobytes of a page: numbers and a script."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.notebook import Markup
from geomflow.plot.heatmap import drawn_axes
from geomflow.plot.moments import telling_times
from geomflow.plot.quantities import drawable, scale_of
from geomflow.plot.style import diverging
from geomflow.plot.things import quick_quantity

if TYPE_CHECKING:
    from geomflow.flow import Solution

MOST_POINTS, MOST_TIMES = 48, 40


def surface(sol: Solution[Any]) -> Markup:
    """The states of a run over two axes of a torus, to be turned by hand, with a slider for the time."""
    times = telling_times(sol, MOST_TIMES)
    shown = [quick_quantity(sol.states[i]) for i in times]
    scale = scale_of(item for item, _ in shown)
    low, high = scale.ends
    grid = drawable(sol.states[0]).grid
    axes = drawn_axes(grid)
    frames = [_reduced(item.values.reshape([grid.shape[axis] for axis in axes])) for item, _ in shown]
    data = {
        "shape": frames[0].shape,
        "frames": [_coded(255 * np.clip((np.nan_to_num(f, nan=low) - low) / (high - low), 0, 1)) for f in frames],
        "times": [f"{sol.times[i]:.4g}" for i in times],
        "lattice": grid.torus.directions[np.ix_(axes, axes)].tolist(),
        "colours": _colours(),
    }
    name = shown[0][1]
    words = (f"{name} over the fundamental cell, as height and colour, from {low:.4g} to {high:.4g} (the height is not "
             "to scale: a graph, no embedding). Drag to turn.")
    return Markup(
        f'<figure style="margin:0"><canvas id="surface-canvas" width="1000" height="680" role="img" '
        f'aria-label="{name}, a surface that turns"></canvas><br><input id="surface-time" type="range" min="0" '
        f'value="0" max="{len(times) - 1}" aria-label="time"><figcaption><small>t = <output id="surface-at"></output>. '
        f'{words}</small></figcaption></figure>'
        f'<script type="application/json" id="surface-data">{json.dumps(data)}</script>'
        f"<script>{_SCRIPT}</script>")


def _reduced(values: np.ndarray) -> np.ndarray:
    """At most so many points an axis, closed up at the far edges."""
    steps = tuple(slice(None, None, -(-n // MOST_POINTS)) for n in values.shape)
    return np.pad(values[steps], ((0, 1), (0, 1)), mode="wrap")


def _coded(values: np.ndarray) -> str:
    return base64.b64encode(np.round(values).astype(np.uint8).tobytes()).decode()


def _colours() -> str:
    return _coded(255 * diverging()(np.linspace(0, 1, 256))[:, :3])


_SCRIPT = """
(() => {
  const by = name => document.getElementById(name), data = JSON.parse(by("surface-data").textContent);
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const frames = data.frames.map(bytes), colours = bytes(data.colours), [n, m] = data.shape, [e, f] = data.lattice;
  const canvas = by("surface-canvas"), pen = canvas.getContext("2d"), slider = by("surface-time");
  const far = Math.max(Math.hypot(e[0] + f[0], e[1] + f[1]), Math.hypot(e[0] - f[0], e[1] - f[1]));
  const size = 0.62 * canvas.width / far;
  let turn = -0.6, tilt = 0.75, turning = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  function draw() {
    const heights = frames[slider.value], c = Math.cos(turn), s = Math.sin(turn), places = [];
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
      const a = i / (n - 1) - 0.5, b = j / (m - 1) - 0.5, x = a * e[0] + b * f[0], y = a * e[1] + b * f[1];
      const depth = size * (x * s + y * c), height = (heights[i * m + j] / 255 - 0.5) * 0.3 * canvas.width;
      places.push([canvas.width / 2 + size * (x * c - y * s),
                   canvas.height / 2 - height * Math.cos(tilt) + depth * Math.sin(tilt), depth]);
    }
    const cells = [];
    for (let i = 0; i < n - 1; i++) for (let j = 0; j < m - 1; j++) {
      const k = i * m + j, corners = [k, k + m, k + m + 1, k + 1];
      cells.push([corners.reduce((sum, q) => sum + places[q][2], 0), corners]);
    }
    cells.sort((a, b) => a[0] - b[0]);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const [, corners] of cells) {
      const value = Math.round(corners.reduce((sum, q) => sum + heights[q], 0) / 4);
      pen.fillStyle = pen.strokeStyle = `rgb(${colours.slice(3 * value, 3 * value + 3).join(",")})`;
      pen.beginPath();
      corners.forEach(q => pen.lineTo(places[q][0], places[q][1]));
      pen.closePath(); pen.fill(); pen.stroke();
    }
    by("surface-at").textContent = data.times[slider.value];
  }
  function step() { if (turning) { turn += 0.004; draw(); requestAnimationFrame(step); } }
  canvas.addEventListener("pointerdown", event => { turning = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", event => {
    if (!event.buttons) return;
    turn += event.movementX / 150; tilt = Math.min(1.5, Math.max(0.1, tilt + event.movementY / 150)); draw();
  });
  slider.addEventListener("input", draw);
  draw(); step();
})();
"""
