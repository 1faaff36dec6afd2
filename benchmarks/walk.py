"""Which files of the house a run passes through, statement by statement, each file when it is first called.

python -m benchmarks.walk torus|quintic
"""

from __future__ import annotations

import inspect
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import geomflow as gf

ROOT = Path(gf.__file__).parent
WALKS = {
    "torus": [
        "T = gf.ComplexTorus(dim=1)",
        'phi = T.grid(32).potential("cos(2*pi*x) * cos(2*pi*y) / 200")',
        "flow = gf.functionals.KEnergy(T).gradient_flow()",
        "sol = gf.solve(flow, phi, t1=1e-5)",
        "print(sol.outcome)",
    ],
    "quintic": [
        "X = gf.Fermat(5)",
        "points = X.sample(2000, seed=1)",
        "metric = gf.algebraic_metric(X, 4, points)",
        "print(gf.sigma(metric, points))",
    ],
}


class Trace:
    """The files that are called into, in order, each with the first function called there."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Note a call; the bodies of modules and classes are none."""
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(f"{ROOT}/"):
            self.first.setdefault(Path(code.co_filename).relative_to(ROOT).as_posix(), code.co_qualname)


def walk(name: str) -> list[tuple[str, dict[str, str]]]:
    """Each statement of a walk, with the files that it passes in order. All modules are loaded before."""
    for module in pkgutil.walk_packages(gf.__path__, "geomflow."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    names: dict[str, Any] = {"gf": gf}
    found = []
    for statement in WALKS[name]:
        trace = Trace()
        sys.setprofile(trace)
        try:
            exec(statement, names)
        finally:
            sys.setprofile(None)
        found.append((statement, trace.first))
    return found


def main() -> None:
    """Print one walk."""
    for statement, files in walk(sys.argv[1]):
        print(f"\n{statement}")
        for path, function in files.items():
            print(f"    {path:<44}{function}")


if __name__ == "__main__":
    main()
