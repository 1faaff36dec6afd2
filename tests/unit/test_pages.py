"""What the pages of the documentation are made with, and that their check finds what is wrong."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from geomflow.core.errors import ExpressionError
from geomflow.study import STUDIES
from geomflow.symbolic.show import converted

DOCS = Path(__file__).parents[2] / "docs"
sys.path[:0] = [str(DOCS), str(DOCS / "_ext")]

check_pages = pytest.importorskip("check_pages")
needs_browser = pytest.mark.skipif(not check_pages.browser(), reason="no Chromium is installed")
WORDS = "A page has some words, so that nobody can say of it that it is empty."


def site(folder: Path, **articles: str) -> Path:
    """A site of small pages, each an article."""
    for name, article in articles.items():
        text = f"<html><head><meta charset=utf-8></head><body><article>{article}</article></body></html>"
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


def test_a_right_site_has_no_faults(tmp_path):
    right = f'<p id="here">{WORDS} <code>gf.solve</code>, <code>geomflow.flow.RK4</code>, <code>gf.NAME</code></p>'
    link = f'<p>{WORDS} <a href="one.html#here">there</a> <a href="https://example.org">elsewhere</a></p>'
    assert list(check_pages.faults_of_files(site(tmp_path, one=right, two=link))) == []


@pytest.mark.parametrize(("article", "fault"), [
    ("<p>Nothing.</p>", "it is empty"),
    (f"{WORDS} <a href='two.html'>two</a>", "two.html leads nowhere"),
    (f"{WORDS} <a href='#three'>three</a>", "#three leads to no place of one.html"),
    (f"{WORDS} <img src='https://example.org/badge.svg'>", "loads https://example.org/badge.svg from the network"),
    (f"{WORDS} <code>gf.solv(flow)</code>", "there is no gf.solv"),
    (f"{WORDS} <dt>run(<em>states: ~numpy.ndarray</em>)</dt>", "shows ~numpy.ndarray"),
    (f"{WORDS} <pre>&lt;Axes: xlabel='steps'&gt;</pre>", "shows <Axes"),
])  # fmt: skip
def test_faults_are_found_in_the_files(tmp_path, article, fault):
    assert list(check_pages.faults_of_files(site(tmp_path, one=article))) == [f"one.html: {fault}"]


@needs_browser
def test_faults_are_found_in_the_browser(tmp_path):
    folder = site(
        tmp_path,
        right=f"{WORDS} <math><msup><mi>x</mi><mn>2</mn></msup></math> <code>\\frac</code> costs $5",
        raw=f"{WORDS} \\(x\\) and $\\alpha$",
        lost=f"{WORDS} <img src='lost.png'>",
        wide=f"{WORDS} <div style='width: 900px'>wide</div>",
    )
    found = [fault.split("file:")[0] for fault in check_pages.faults_in_browser(folder)]
    assert sorted(found) == [
        "lost.html: the picture ", "raw.html: shows $\\alpha$", "raw.html: shows \\(", "raw.html: shows \\)",
        "wide.html: is 908 pixels wide in a window of 400",
    ]  # fmt: skip


def test_mathematics_becomes_mathml():
    mathml = pytest.importorskip("mathml")
    pytest.importorskip("math_core")
    assert mathml.told("x^2", False, None) == "<math><msup><mi>x</mi><mn>2</mn></msup></math>"
    assert mathml.typeset("<p>$x$, <code>$x$</code></p>") == "<p><math><mi>x</mi></math>, <code>$x$</code></p>"
    assert '<span class="eqno">(2.7)</span>' in mathml.displayed(r"a = b \tag{2.7}", None)
    with pytest.raises(ExpressionError, match="is no formula: Error: Duplicate"):
        converted("x^2^3")


def test_signatures_can_be_read():
    plain_signatures = pytest.importorskip("plain_signatures")
    assert plain_signatures.readable("(a: ~typing.Any = <class 'numpy.float64'>, b: dict = <factory>)") == (
        "(a: ~typing.Any = float64, b: dict = ...)")


def test_headings_of_the_gallery_are_below_its_title():
    parts = sorted((DOCS.parent / "examples").glob("*/GALLERY_HEADER.rst"))
    assert parts
    assert {path.read_text(encoding="utf-8").splitlines()[1][0] for path in parts} == {"-"}


@pytest.mark.parametrize("folder", sorted((DOCS / "full_size").iterdir()), ids=lambda folder: folder.name)
def test_numbers_of_kept_studies_have_words(folder):
    facts = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    study = STUDIES[facts["study"]]()
    told = dict(study.words.told(facts["numbers"]))
    assert all(study.words.of(name) for name in facts["numbers"] if not name.endswith(("_error", "_low", "_high")))
    assert len(told) == sum(not name.endswith(("_error", "_low", "_high")) for name in facts["numbers"])
    assert len(list(study.words.headlines(facts["numbers"]))) == 3
    assert facts["answer"] in (folder / "page.md").read_text(encoding="utf-8")


def test_published_points_far_from_the_curves_are_said_to_be():
    numbers = json.loads((DOCS / "full_size" / "figure3" / "numbers.json").read_text(encoding="utf-8"))["numbers"]
    said = STUDIES["figure3"]().compared(numbers)
    assert "do not lie on the curve" in said
    assert "between 5.9 times and 27 times c/d" in said


def test_what_a_study_found_is_kept_while_the_files_it_loaded_stay(tmp_path, monkeypatch):
    carried_out = pytest.importorskip("carried_out")
    monkeypatch.setattr(carried_out, "PACKAGE", tmp_path)
    (tmp_path / "loaded.py").write_text("1")
    (tmp_path / "depends.json").write_text(json.dumps({"loaded.py": carried_out.digest(tmp_path / "loaded.py")}))
    assert carried_out.is_current(tmp_path)
    (tmp_path / "loaded.py").write_text("2")
    assert not carried_out.is_current(tmp_path)
    assert not carried_out.is_current(tmp_path / "nowhere")


def test_what_a_command_says_depends_on_what_stood_before_it(tmp_path):
    ran_commands = pytest.importorskip("ran_commands")
    first = ran_commands.key_of(tmp_path, "quintic")
    assert ran_commands.key_of(tmp_path, "quintic --resume") != first
    (tmp_path / "left.txt").write_text("by an earlier command")
    assert ran_commands.key_of(tmp_path, "quintic") != first
    (tmp_path / "left.txt").unlink()
    assert ran_commands.key_of(tmp_path, "quintic") == first


def test_names_of_other_packages_have_addresses():
    outside_names = pytest.importorskip("outside_names")
    assert outside_names.address("sympy.core.expr.Expr").endswith("#sympy.core.expr.Expr")
    assert outside_names.address("collections.abc.Mapping").endswith("#collections.abc.Mapping")
    assert outside_names.address("geomflow.Expr") is None
    assert outside_names.address("float") is None


def test_the_reference_forgets_no_name():
    """Every public name of a floor stands on its page, by name or among the rest."""
    pages = {"flow": "flow", "field": "field", "symbolic.functionals": "functionals", "codegen": "codegen",
             "variety": "variety", "fits": "fits", "plot": "plot", "distribute": "distribute"}
    for floor, page in pages.items():
        text = (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8")
        assert f".. names:: geomflow.{floor}\n   :rest:" in text
    for floor in ("kernels", "networks", "tangent"):
        text = (DOCS / "reference" / f"{floor}.md").read_text(encoding="utf-8")
        names = importlib.import_module(f"geomflow.{floor}").__all__
        assert [name for name in names if name not in text.split() and f"geomflow.{floor}.{name}" not in text] == []


def test_cells_of_a_notebook_are_compared_with_the_script(tmp_path):
    run_notebooks = pytest.importorskip("run_notebooks")
    pytest.importorskip("sphinx_gallery")
    (tmp_path / "one.py").write_text('"""\nTitle\n=====\n"""\n\nx = 1\n\n# %%\n# Words.\nprint(x)\n')
    cells = [{"cell_type": "code", "source": [text]} for text in ("%matplotlib inline", "x = 1", "print(x)")]
    (tmp_path / "one.ipynb").write_text(json.dumps({"cells": cells}))
    assert list(run_notebooks.faults(tmp_path, everything=False)) == []
    (tmp_path / "one.ipynb").write_text(json.dumps({"cells": cells[:-1]}))
    assert list(run_notebooks.faults(tmp_path, everything=False)) == ["one.ipynb: its code is not that of its script"]


def test_a_cell_that_draws_and_shows_nothing_is_found(tmp_path):
    run_notebooks = pytest.importorskip("run_notebooks")
    nbformat, _ = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    shown = "import geomflow as gf\nu = gf.Torus(dim=2).grid(8).scalar('cos(2*pi*x)')\ngf.plot.heatmap(u)"
    kept = "gf.plot.save(gf.plot.heatmap(u).figure, 'a.png')\nimport matplotlib.pyplot as plt; plt.close('all')"
    cells = [nbformat.v4.new_code_cell(text) for text in (shown, "gf.plot.heatmap(u)", kept)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
    (fault,) = run_notebooks.execute(tmp_path / "one.ipynb")
    assert "plt.close" in fault
