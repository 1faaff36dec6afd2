"""A page for every functional, executed when the documentation is built: docs/functionals/NAME.md.

What stands in a code block of a page is what was run to make the output below it.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from carried_out import WORKERS, is_current, kept_folder, note, write_changed
from sphinx.application import Sphinx

POTENTIAL = 'T.grid(16, scheme="spectral").potential("cos(2*pi*x)*cos(2*pi*y)/200")'
METRIC = 'T.grid(16, scheme="spectral").metric([["1 + cos(2*pi*y)/10", "0"], ["0", "1 + sin(2*pi*x)/10"]])'
METRIC_3 = 'T.grid(12, scheme="spectral").metric([["1 + cos(2*pi*y)/10", 0, 0], [0, 1, 0], [0, 0, 1]])'
BEGIN = "flow = E.gradient_flow()\nstart = {state}\n"
RUN = BEGIN + "sol = gf.solve(flow, start, t1={t1:g})\nprint(sol.outcome)"
REFUSED = BEGIN + "try:\n    gf.solve(flow, start, t1=1e-3)\nexcept gf.GeomflowError as error:\n    print(error)"
REFUSED_W = REFUSED.replace("solve(flow,", 'solve(gf.Descent(flow, parameters={{"tau": 1}}),')
COUPLED = "print(E.gradient_flow().linearisation.verdict)\nprint(gf.functionals.PerelmanF(T).coupled_flow())"
LONGEST = 400
"""Longer formulas stand in lines of their own, which scroll where they are wider than the page."""
NOTHING = "print(E.certify_gradient(lambda use: 0 * use.v))  # the gradient is zero"


@dataclass(frozen=True)
class Page:
    """What a page needs beside the functional: its title, the call that makes it, and what is run at the end."""

    title: str
    call: str
    torus: str
    state: str
    script: str
    t1: float = 0.0
    smooth: bool = True

    @property
    def run(self) -> str:
        """The code of the last section."""
        return self.script.format(state=self.state, t1=self.t1)


def on_metrics(title: str, call: str, script: str, t1: float = 0.0) -> Page:
    """The page of a functional of a metric on a torus of dimension 2."""
    return Page(title, f"gf.functionals.{call}", "gf.Torus(dim=2)", METRIC, script, t1)


def on_potentials(title: str, call: str, script: str, t1: float = 0.0, smooth: bool = True) -> Page:
    """The page of a functional of a potential in complex dimension 1."""
    return Page(title, f"gf.functionals.{call}", "gf.ComplexTorus(dim=1)", POTENTIAL, script, t1, smooth)


PAGES = {
    "volume": on_metrics("Volume", "Volume(T)", RUN, 1.0),
    "einstein-hilbert": Page("Einstein–Hilbert", "gf.functionals.EinsteinHilbert(T)", "gf.Torus(dim=3)", METRIC_3,
                             REFUSED),
    "scalar-squared": on_metrics("Squared scalar curvature", "ScalarSquared(T)", RUN, 2e-4),
    "ricci-squared": on_metrics("Squared Ricci curvature", "RicciSquared(T)", RUN, 2e-4),
    "perelman-f": on_metrics("Perelman's F at a fixed measure", "PerelmanF(T)", REFUSED),
    "perelman-f-coupled": on_metrics("Perelman's F of metric and dilaton", "PerelmanFCoupled(T)", COUPLED),
    "perelman-w": on_metrics("Perelman's W at a fixed measure", "PerelmanW(T)", REFUSED_W),
    "perelman-w-coupled": on_metrics("Perelman's W of metric and dilaton", "PerelmanWCoupled(T)", COUPLED),
    "perelman-lambda": on_metrics("Perelman's λ", "PerelmanLambda(T)", RUN, 0.02),
    "kenergy": on_potentials("Mabuchi's K-energy", "KEnergy(T)", RUN, 5e-4),
    "calabi": on_potentials("Calabi's functional", "Calabi(T)", RUN, 1e-7),
    "j-functional": on_potentials("The J-functional", "JFunctional(T)", RUN, 0.03),
    "aubin-i": on_potentials("Aubin and Yau's I", "AubinI(T)", RUN, 0.02),
    "aubin-j": on_potentials("Aubin and Yau's J", "AubinJ(T)", RUN, 0.03),
    "ding": on_potentials("Ding's functional", "Ding(T)", RUN, 0.03),
    "ef": on_potentials("The ultra-local functionals", 'EF(T, "v*log(v)")', RUN, 1e-3),
    "eg": on_potentials("The two-derivative functionals", 'EG(T, "1/v")', RUN, 1e-5),
    "sigma": on_potentials("The σ-measure", "Sigma(T)", RUN, 5e-5, smooth=False),
    "perelman-kahler": on_potentials("Perelman's F on potentials", "PerelmanKahler(T)", NOTHING),
}


def plain_page(name: str, kind: type) -> Page:
    """The page of a functional without an entry above: its derivation and its flow, without a run."""
    from geomflow.symbolic.functionals import PotentialFunctional

    call = f'gf.functionals.FUNCTIONALS["{name}"](T)'
    space, state = ("ComplexTorus", POTENTIAL) if issubclass(kind, PotentialFunctional) else ("Torus", METRIC)
    return Page(name, call, f"gf.{space}(dim={max(kind.dims[0], 1)})", state, "print(E.gradient_flow())")


class Notebook:
    """Code that is run in one namespace, with what it prints."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}

    def run(self, code: str) -> Iterator[str]:
        """The lines of a page: the code, then its output."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "<page>", "exec"), self.names)
        yield from ("```python", code, "```", "")
        if printed.getvalue():
            yield from ("```text", printed.getvalue().rstrip(), "```", "")


def page(name: str, given: Page, folder: Path) -> Iterator[str]:
    """The lines of the page of one functional."""
    book = Notebook()
    setup = ["import geomflow as gf", "", f"T = {given.torus}", f"E = {given.call}", "print(E.explain())"]
    first = list(book.run("\n".join(setup)))
    functional = book.names["E"]
    yield from (f"# {given.title}", "", f"`{name}`: {prose(type(functional))}", "", "## Derivation", "", *first)
    yield "The Euler operator on jets, a second and independent derivation, must agree:"
    yield from ("", *book.run("print(E.certify())"), "## Gradient flows", "")
    yield from flows(functional)
    yield from ("## Running it", "", *(escaped(remark) + "\n" for remark in functional.remarks))
    yield from book.run(given.run)
    if "sol" in book.names:
        draw(book.names["sol"], folder / f"{name}.png", given.smooth)
        yield from (f"![The energy of {name} along the run]({name}.png)", "", IDENTITY if given.smooth else CORNER)


QUICK = "This page was built without its derivation and its run; `geomflow derive` and `make html` do both."
IDENTITY = """\
Full: the energy. Dashed: its first value less the integral of `sol["dissipation"]`, as the identity
$\\dot E = -\\lVert\\mathrm{grad}\\,E\\rVert^2$ has it (for what descends, $c E$)."""
CORNER = """\
The dissipation identity is not drawn: the gradient jumps across $\\{v = 1\\}$, its Dirichlet norm is infinite, and the
number `sol["dissipation"]` grows with the grid. The energy falls all the same."""


def flows(functional: Any) -> Iterator[str]:
    """The equation and the linear rates in every metric that the functional offers."""
    from geomflow.core.errors import InputError

    for metric in functional.metrics:
        yield from (f"### In the metric `{metric}`", "")
        try:
            flow = functional.gradient_flow(metric)
        except InputError as refusal:
            yield from (escaped(f"Not offered: {refusal}"), "")
            continue
        linear = flow.linearisation
        yield from ("$$", flow.latex(), "$$", "", f"{rates(linear)} {escaped(linear.verdict)}", "")


def rates(linear: Any) -> str:
    """The rates of plane waves at the flat metric, for a page."""
    import sympy

    if len(linear.unknowns) == 1:
        rate = sympy.latex(linear.polynomial).replace("|k|", r"\lvert k\rvert")
        return f"A small plane wave $e^{{ik\\cdot x}}$ decays at the rate ${rate}$."
    found = linear.rates((1,) + (0,) * (len(linear.coordinates) - 1))
    told = {sympy.latex(rate): times for rate, times in found.items()}
    begin = "Small plane waves of $\\lvert k\\rvert = 1$ change at these rates (multiplicities), positive ones grow:"
    if max(map(len, told)) <= LONGEST:
        return f"{begin} {', '.join(f'${rate}$ ({times})' for rate, times in told.items())}."
    shown = "\n\n".join(f"$$\n{rate} \\quad ({times})\n$$" for rate, times in told.items())
    return f"{begin}\n\n{shown}\n\n"


def prose(kind: type) -> str:
    """The docstring of a class as Markdown."""
    return escaped(inspect.cleandoc(kind.__doc__ or ""))


def escaped(text: str) -> str:
    """Text with markup taken literally, except for code in backticks."""
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([\\*_|<>\[\]{}$^~])", r"\\\1", p) for p in pieces)


def draw(sol: Any, path: Path, smooth: bool) -> None:
    """Write the picture of the energy along a run."""
    from geomflow.plot import save
    from geomflow.plot.style import styled

    save(styled(energy_figure)(sol, smooth), path)


def energy_figure(sol: Any, smooth: bool) -> Any:
    """The energy along a run; for smooth functionals beside its first value less the integral of the dissipation."""
    import matplotlib.pyplot as plt
    from scipy.integrate import cumulative_trapezoid

    times, energy = sol.monitor_times, sol["energy"]
    figure, axes = plt.subplots(figsize=(6, 3))
    axes.plot(times, energy, label="energy")
    axes.set(xlabel="time $t$", ylabel="energy")
    if smooth:
        predicted = energy[0] - cumulative_trapezoid(sol["dissipation"], times, initial=0.0)
        axes.plot(times, predicted, "k--", linewidth=1, label="from the dissipation")
        axes.legend()
    return figure


INTRODUCTION = """\
# Functionals

A functional $E$ of a metric or of a Kähler potential is varied exactly; its gradient flow
$\\partial_t u = -c\\,\\mathrm{grad}\\,E$ is derived, never typed in. Every page below was executed when this
documentation was built: the definition, the steps of the variation, the flow in each metric that is offered, the rates
of plane waves, and a short run with its energy. The factor $c$ is 1 except for Perelman's functionals, which the
literature ascends at twice their gradient: $c = -2$. [Notation](../notation.md) says how operators are written in text.

Sums and rational multiples of functionals are functionals. One of your own is a line of text,
[a worked example](../gallery/functionals/your_own_functional.rst); [run files](../howto/functional.md) and
`geomflow derive` take all of them by name.

| name | functional | metrics |
|---|---|---|
"""
TIMES = """
## Time to derive

Processor seconds to vary a functional twice, by structure and by the Euler operator on jets, and to decide that the two
agree; measured when this page was built. The dimension is complex for functionals of a potential.

| functional | 1 | 2 | 3 | 4 |
|---|---|---|---|---|
"""


def index(times: dict[str, str]) -> Iterator[str]:
    """The lines of the index, with a row of times for each name; none in quick builds."""
    yield INTRODUCTION.rstrip()
    for name, given in PAGES.items():
        made = example(name, given)
        metrics = ", ".join(f"`{m}`" for m in made.metrics)
        yield f"| `{name}` | [{given.title}]({name}.md): {escaped(made.definition)} | {metrics} |"
    if times:
        yield TIMES.rstrip()
        yield from times.values()
    yield from ("", "```{toctree}", ":hidden:", "", *PAGES, "```")


def times_of(name: str, given: Page) -> str:
    """The row of a functional in the table of times."""
    dims = example(name, given).dims
    return f"| `{name}` | {' | '.join(seconds(name, dim) if dim in dims else '' for dim in (1, 2, 3, 4))} |"


def example(name: str, given: Page, torus: Any = None) -> Any:
    """The functional of a page, over its own torus unless another is given."""
    import geomflow as gf

    return eval(given.call, {"gf": gf, "T": eval(given.torus, {"gf": gf}) if torus is None else torus})


def seconds(name: str, dim: int) -> str:
    """The processor seconds to derive and certify a functional in one dimension."""
    from geomflow.flow.registry import torus_of

    functional = example(name, PAGES[name], torus_of(name, dim))
    start = time.process_time()
    if not functional.certify():
        raise RuntimeError(f"{name} was not certified in dimension {dim}")
    return f"{time.process_time() - start:.3f}"


def made(name: str, given: Page) -> Path:
    """The folder with the page of a functional, its picture and its times, kept while what it was made by stays."""
    folder = kept_folder("functionals") / name
    if not is_current(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "page.md").write_text("\n".join(page(name, given, folder)) + "\n", encoding="utf-8")
        (folder / "times").write_text(times_of(name, given), encoding="utf-8")
        note(folder, Path(__file__))
    return folder


def write_pages(app: Sphinx) -> None:
    """Write a page for each functional; quick builds show those that are kept."""
    from geomflow.symbolic.functionals import FUNCTIONALS

    if not set(PAGES) <= set(FUNCTIONALS):
        raise RuntimeError(f"pages without a functional: {set(PAGES) - set(FUNCTIONALS)}")
    PAGES.update({name: plain_page(name, kind) for name, kind in FUNCTIONALS.items() if name not in PAGES})
    folder, quick = Path(app.srcdir) / "functionals", app.tags.has("quick")
    folder.mkdir(exist_ok=True)
    kept = {name: kept_folder("functionals") / name for name in PAGES}
    if not quick:
        with ProcessPoolExecutor(WORKERS, get_context("spawn")) as workers:
            kept = dict(zip(PAGES, workers.map(made, PAGES, PAGES.values()), strict=True))
    for name, given in PAGES.items():
        told = f"# {given.title}\n\n`{name}`: {prose(type(example(name, given)))}\n\n{QUICK}\n"
        if is_current(kept[name]):
            told = (kept[name] / "page.md").read_text(encoding="utf-8")
            for path in kept[name].glob("*.png"):
                shutil.copy(path, folder / path.name)
        write_changed(folder / f"{name}.md", told)
    times = {name: (kept[name] / "times").read_text(encoding="utf-8") for name in PAGES if is_current(kept[name])}
    write_changed(folder / "index.md", "\n".join(index(times)) + "\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before any is read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
