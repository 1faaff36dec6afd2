"""Reports: one page that tells everything about a run, a metric or a study, as a browser shows it without a network."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import browser
import numpy as np
import pytest
from PIL import Image

import geomflow as gf
from geomflow.cli import main
from geomflow.cli.document import as_toml
from geomflow.cli.page import Page, Section, listing, prose
from geomflow.study import STUDIES, Study

RUN = """\
[geometry]
type = "complex torus"
dim = 1

[grid]
n = 16

[state]
potential = '''
cos(2*pi*x)*cos(2*pi*y)/100
+ sin(2*pi*y)/900'''

[flow]
name = "calabi"

[solve]
t1 = 1e-4
save = 3

[output]
pictures = []
"""
CUBIC = """\
[variety]
family = "fermat"
degree = 3

[points]
count = 400

[metric]
degree = 2
"""


class Cubes(Study):
    """A study of five numbers."""

    name, title, question, source = "cubes", "Cubes", "What are five cubes?", "none"

    def cells(self, quick):
        return [{"number": n} for n in range(3 if quick else 5)]

    def measure(self, cell):
        return {"cube": cell["number"] ** 3}

    def conclude(self, rows):
        return {"largest": float(max(row["cube"] for row in rows))}

    def answer(self, findings):
        return f"They go up to {findings.numbers['largest']:g}."

    def draw(self, figure, findings):
        figure.subplots().plot(findings["number"], findings["cube"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Reports of a run, a metric and a study."""
    here = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        Path("bump.toml").write_text(RUN)
        Path("cubic.toml").write_text(CUBIC)
        assert main(["run", "bump.toml", "--html", "run.html"]) == 0
        assert main(["variety", "cubic.toml", "--html", "metric.html"]) == 0
        patch.setitem(STUDIES, "cubes", Cubes)
        assert main(["study", "cubes", "--quick", "--html", "study.html"]) == 0
    return here


def text_of(page: Path) -> str:
    """The words of a page, without what it embeds."""
    return re.sub(r'data:[^"]+|<style>.*?</style>|<script.*?</script>', "", page.read_text(), flags=re.S)


def pictures(page: Path) -> list[np.ndarray]:
    """The images of a page."""
    found = re.findall(r'src="data:image/(?:png|gif);base64,([^"]+)"', page.read_text())
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGB")) for code in found]


def colours(picture: np.ndarray) -> int:
    """How many there are."""
    return len(np.unique(picture.astype(np.int32) @ [1 << 16, 1 << 8, 1]))


@pytest.mark.parametrize(("name", "words"), [
    ("run", ["finished: reached t = 0.0001", "geomflow run bump.toml", "numpy", "SemiImplicit", "energy"]),
    ("metric", ["points that no fit has seen", "geomflow variety cubic.toml --html metric.html", "exactly"]),
    ("study", ["geomflow study cubes --quick", "up to 8", "3 rows.", "table.csv"]),
])
def test_a_report_says_what_was_asked_how_and_what_came(folder, name, words):
    page = folder / f"{name}.html"
    text = html.unescape(text_of(page))
    for word in (*words, gf.__version__, "How to reproduce"):
        assert word in text, word
    assert "<math" in text
    assert not re.search(r"https?://(?!www\.w3\.org/1998/Math)|\\[a-z]|\$", text)
    assert pictures(page)
    for picture in pictures(page):
        assert colours(picture) > 20
    assert page.stat().st_size < 2_000_000


def test_numbers_of_a_study_are_told_in_words_with_errors_and_beside_the_paper(tmp_path, capsys):
    told = {"slope of the distance": "1.997 ± 0.009"}
    facts = {"study": "local-limit", "numbers": {"slope": 1.997, "slope_error": 0.009}, "told": told,
             "compared": "The paper gives no rate."}
    (tmp_path / "numbers.json").write_text(json.dumps(facts))
    (tmp_path / "table.csv").write_text("width\n0.1\n")
    (tmp_path / "figure.png").write_bytes(b"")
    assert main(["show", str(tmp_path), "--html", str(tmp_path / "a.html")]) == 0
    assert "slope of the distance  1.997 ± 0.009" in capsys.readouterr().out
    text = text_of(tmp_path / "a.html")
    assert ">The paper gives no rate.<" in text
    assert "slope_error" not in text


def test_the_configuration_of_a_report_cuts_no_number(folder):
    text = html.unescape(text_of(folder / "run.html"))
    stepper = re.search(r"SemiImplicit\(.*?</td>", text)[0].removesuffix("</td>")
    assert stepper.endswith(", …")
    assert stepper.removesuffix(", …") in str(gf.SemiImplicit())


@pytest.mark.parametrize("where", ["runs/bump", "varieties/cubic"])
def test_a_fresh_process_tells_of_what_is_stored(folder, where):
    done = subprocess.run([sys.executable, "-m", "geomflow", "show", where], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "outcome" in done.stdout


def test_the_file_of_a_report_makes_the_same_run(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (file,) = re.findall(r"<pre><code>(\[geometry\].*?)</code>", (folder / "run.html").read_text(), flags=re.S)
    Path("again.toml").write_text(html.unescape(file))
    assert tomllib.loads(html.unescape(file)) == tomllib.loads(RUN)
    assert main(["run", "again.toml"]) == 0
    first, again = gf.load(folder / "runs/bump/run.zarr"), gf.load("runs/again/run.zarr")
    assert np.array_equal(first.last.values, again.last.values)


def test_show_tells_of_each_and_writes_the_same_report(folder, capsys, tmp_path):
    for name, where in (("run", "runs/bump"), ("metric", "varieties/cubic"), ("study", "studies/cubes")):
        capsys.readouterr()
        target = tmp_path / "new" / f"{name}.html"
        assert main(["show", str(folder / where), "--html", str(target)]) == 0
        assert f"report    {target}" in capsys.readouterr().out
        assert text_of(target) == text_of(folder / f"{name}.html")


def test_a_run_from_python_on_a_circle(tmp_path):
    heat, start = gf.Flow.from_expression("laplacian(u)"), gf.Torus(dim=1).grid(16).scalar("cos(2*pi*x)")
    gf.solve(heat, start, t1=2e-3, save_at=2, store=tmp_path / "a.zarr")
    assert main(["show", str(tmp_path / "a.zarr"), "--html", str(tmp_path / "a.html")]) == 0
    text = text_of(tmp_path / "a.html")
    assert "begun from Python" in text
    assert "Film" in text
    assert "Surface" not in text


@pytest.mark.parametrize("arguments", [["show", "nothing"], ["show", "nothing", "--html", "a.html"]])
def test_where_there_is_nothing_nothing_is_written(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert "there is no stored run" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "message"), [("", "cannot read"), ("[]", "no table"), ("{}", "no table 'settings'"),
                                               ('{"study": "cubes", "numbers": 3}', "no table 'numbers'")])
def test_damaged_numbers_are_named(tmp_path, capsys, text, message):
    (tmp_path / "numbers.json").write_text(text)
    assert main(["show", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_words_in_a_report_are_text():
    page = Page("<a>", "b & c", [Section("D", prose("<script>x</script>")), Section("E", listing("</pre>"))], "")
    assert "<script" not in page.html()
    assert "&lt;a&gt;" in page.html()
    assert page.html().count("</pre>") == 1


@pytest.mark.parametrize("value", ["a", 'a"b\\c', "two\nlines", 'two\n"lines"', "é\u2028\x7f", 1e-5, 3, True, [1, "x"],
                                   [["1", "0"], ["0", "1"]], {"a b": 2}])
def test_tables_are_written_so_that_they_are_read_back(value):
    assert tomllib.loads(as_toml({"t": {"key": value}})) == {"t": {"key": value}}


# in a browser


@pytest.mark.parametrize("name", ["run", "metric", "study"])
def test_a_browser_shows_text_and_no_raw_latex(folder, name):
    text = re.sub(r'data:[^"]+|<script.*?</script>', "", browser.document(folder / f"{name}.html"), flags=re.S)
    assert "<math" in text
    assert not re.search(r"\\(frac|partial|bar|mathrm|sigma)", text)
    if name == "run":  # the surface was drawn, and says when
        assert re.search(r'<output id="surface-at">0</output>', text)


@pytest.mark.parametrize("width", [1400, 400])
def test_a_browser_shows_no_blank_page(folder, width):
    seen = browser.screenshot(folder / "run.html", width, 3000)
    assert seen.shape == (3000, width, 3)
    bands = [colours(band) for band in np.array_split(seen, 6)]
    assert min(bands) > 30, bands
