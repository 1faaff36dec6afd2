"""The house in numbers: files, lines, imports, long functions (docstrings apart), circles, what runs and fits load.

python -m benchmarks.house
"""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import grimp
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import geomflow

LONG = (50, 60)
#: Floors of which a run on a torus needs nothing, and those of which an algebraic fit does not.
STRANGERS = ("variety", "networks", "kernels", "tangent", "fits", "study", "plot")
FORMS = ("networks", "kernels", "tangent", "study", "plot")
TORUS = """
import geomflow as gf
start = gf.Torus(dim=2).grid(16, order=4).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])
assert gf.solve(gf.RicciFlow(), start, t1=1e-4).outcome.kind == "finished"
"""
FIT = """
import geomflow as gf
X = gf.Fermat(3)
gf.algebraic_metric(X, degree=1, points=X.sample(100, seed=1))
"""
LOADED = """
import sys
print(*sorted(name for name in sys.modules if name.startswith("geomflow")))
"""


def sources(root: Path) -> list[Path]:
    """The files of a package, with the stubs that list the public names of its floors."""
    return sorted(path for ending in ("py", "pyi") for path in root.rglob(f"*.{ending}"))


def code_lines(text: str, tree: ast.AST) -> int:
    """Lines with code on them: neither blank, nor of comments and docstrings alone."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {k for token in tokens if token.type not in layout for k in range(token.start[0], token.end[0] + 1)}
    alone = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    told = [value for value in alone if isinstance(value, ast.Constant)]
    return len(lines - {k for text in told for k in range(text.lineno, (text.end_lineno or text.lineno) + 1)})


def import_lines(tree: ast.AST) -> int:
    """Lines that import statements take."""
    kinds = ast.Import | ast.ImportFrom
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in ast.walk(tree) if isinstance(node, kinds))


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every function with its number of lines, decorators included and the docstring not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            text = node.body[0] if ast.get_docstring(node) is not None else None
            told = 0 if text is None else (text.end_lineno or text.lineno) - text.lineno + 1
            yield node.name, (node.end_lineno or node.lineno) - first + 1 - told


def circles() -> list[list[str]]:
    """Modules that import each other in a loop, imports inside functions counted, those for type checkers not."""
    graph = grimp.build_graph("geomflow", exclude_type_checking_imports=True, cache_dir=None)
    names = sorted(graph.modules)
    place = {name: k for k, name in enumerate(names)}
    pairs = [(place[a], place[b]) for a in names for b in graph.find_modules_directly_imported_by(a) if b in place]
    rows, columns = zip(*pairs, strict=True)
    matrix = coo_array(([1] * len(pairs), (rows, columns)), shape=(len(names),) * 2)
    _, labels = connected_components(matrix, directed=True, connection="strong")
    groups = defaultdict(list)
    for name, label in zip(names, labels, strict=True):
        groups[label].append(name)
    return [group for group in groups.values() if len(group) > 1]


def loaded_by(code: str, floors: Iterable[str] = STRANGERS) -> tuple[list[str], list[str]]:
    """The modules of the package that a script has loaded, and those of them on floors that it should not need."""
    done = subprocess.run([sys.executable, "-c", code + LOADED], capture_output=True, text=True, check=True)
    names = done.stdout.splitlines()[-1].split()
    return names, [name for name in names if name.split(".")[1:2] and name.split(".")[1] in floors]


def elsewhere(package: Path) -> int:
    """The numbers of another package `geomflow`, by this script in a process of its own."""
    paths = os.pathsep.join([str(package.resolve().parent), str(Path(__file__).parent)])
    return subprocess.call([sys.executable, "-m", "house"], env={**os.environ, "PYTHONPATH": paths})


def main() -> int:
    """Print all numbers."""
    if sys.argv[1:]:
        return elsewhere(Path(sys.argv[1]))
    files = sources(Path(geomflow.__file__).parent)
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    lines = sum(len(text.splitlines()) for text in texts.values())
    code = sum(code_lines(text, trees[path]) for path, text in texts.items())
    imports = sum(import_lines(tree) for tree in trees.values())
    sizes = [size for tree in trees.values() for _, size in functions(tree)]
    loops, (loaded, strange), (fit, odd) = circles(), loaded_by(TORUS), loaded_by(FIT, FORMS)
    rows: dict[str, object] = {
        "files": len(files), "lines": lines, "lines a file": f"{lines / len(files):.0f}",
        "lines of code (no docstrings, comments, blank lines)": code,
        "share of import lines": f"{imports / lines:.1%}",
        **{f"functions over {limit} lines": sum(size > limit for size in sizes) for limit in LONG},
        "circles": len(loops), "files in circles": sum(map(len, loops)),
        "modules that a run on a torus loads": len(loaded),
        f"of them {', '.join(STRANGERS)}": len(strange),
        "modules that an algebraic fit loads": len(fit), f"of them {', '.join(FORMS)}": len(odd),
    }  # fmt: skip
    for name, value in rows.items():
        print(f"{name:<64}{value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
