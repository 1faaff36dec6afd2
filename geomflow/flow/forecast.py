"""How long it takes to make an equation ready, from the size of its graph: said first where it is over a minute."""

from __future__ import annotations

from functools import lru_cache

from geomflow.core import graph as gr
from geomflow.core.program import Program
from geomflow.core.progress import announce

START = 0.5
"""Seconds that every equation takes."""

PER_OPERATION = 5e-3
"""Processor seconds for each operation of the rates and the stages that they stand on, to differentiate them and to
compile rates, bounds of their spectrum and monitors: measured by `python -m benchmarks.compile_times`."""

LONG = 60.0
"""Seconds that nobody waits for without a word."""


def operations(program: Program) -> int:
    """How many operations the rates of a program and its inner stages have."""
    return sum(len(gr.schedule(stage.nodes)) for stage in program.stages)


def forecast(program: Program) -> float:
    """About how many seconds of one processor a program takes until it runs for the first time."""
    return START + PER_OPERATION * operations(program)


@lru_cache(maxsize=32)
def foretell(program: Program) -> None:
    """Say once, where somebody looks, that a program will take more than a minute."""
    seconds = forecast(program)
    if seconds > LONG:
        announce(f"An equation of {operations(program):,} operations: deriving and compiling takes about "
                 f"{seconds / 60:.0f} min the first time; what is compiled is kept.")
