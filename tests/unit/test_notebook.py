"""What notebooks show: small tables that are whole HTML, pictures that are not blank, mathematics in LaTeX."""

from __future__ import annotations

import base64
import html.parser
import io
import re

import numpy as np
import pytest
import sympy
from PIL import Image

import geomflow as gf
from geomflow.core.notebook import Markup, card, table, written
from geomflow.field.state import SHOWN
from geomflow.plot.things import thumbnail
from geomflow.symbolic.show import MOST_LINES, mathml

T = gf.ComplexTorus(dim=1)
PLANE = gf.Torus(dim=2)
PHI = T.grid(16).potential("cos(2*pi*x)*cos(2*pi*y)/100")
G = PLANE.grid(16).metric([["1 + cos(2*pi*y)/5", "0"], ["0", "1"]])


@pytest.fixture(scope="module")
def sol():
    return gf.solve(gf.KahlerRicciFlow(), PHI, t1=0.01, save_at=3)


@pytest.fixture(scope="module")
def points():
    return gf.Fermat(3).sample(300, seed=1)


class Tags(html.parser.HTMLParser):
    """Checks that tags are closed in order, and collects what is between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ("img", "mspace"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


def images(text: str) -> list[np.ndarray]:
    """The pictures in HTML."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA")) for code in found]


def test_states_show_their_ranges_and_a_picture():
    for state, name in ((PHI, "phi"), (G, "g_xx"), (PLANE.grid(8).scalar("x*0 + sin(2*pi*y)"), "f")):
        text = state._repr_html_()
        assert re.search(rf"^{name}$", Tags(text).text, re.M), text
        (picture,) = images(text)
        assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 20


def test_a_tensor_of_many_components_is_cut():
    text = Tags(PLANE.grid(8).metric().riemann()._repr_html_()).text
    assert text.count("from ") == SHOWN
    assert f"and {16 - SHOWN} more components" in text


def test_a_solution_shows_its_outcome_in_words_and_both_ends(sol):
    text = sol._repr_html_()
    assert str(sol.outcome) in Tags(text).text
    assert all(name in text for name in sol.monitors)
    (picture,) = images(text)
    assert picture.shape[1] > 1.8 * picture.shape[0]
    assert sol.outcome.message in Tags(sol.outcome._repr_html_()).text


def test_a_solution_draws_its_monitors(sol):
    assert len(sol.plot("energy")) == 1
    assert len(sol.plot()) == len(gf.plot.monitors(sol))
    with pytest.raises(gf.GeomflowError, match="monitor"):
        sol.plot("enrgy")


def test_varieties_points_and_metrics_on_them(points):
    variety = points.variety
    assert "z+0+3+++z+1+3+++z+2+3+=+0" in Tags(variety._repr_html_()).text.replace("\n", "+")  # in MathML
    assert len(images(points._repr_html_())) == 1
    metric = gf.algebraic_metric(variety, degree=2, points=points)
    assert f"{metric.report.sigma:.6g}" in Tags(metric._repr_html_()).text
    assert "Fubini–Study" in Tags(gf.FubiniStudy(variety)._repr_html_()).text


def test_kernels_functionals_and_flows():
    assert "0.2" in Tags(gf.GaussianKernel(0.2)._repr_html_()).text
    energy = gf.functionals.KEnergy(T)
    for thing in (energy, energy.gradient_flow(), gf.RicciFlow(gauge="deturck"),
                  gf.KernelFlow(energy, gf.GaussianKernel(0.3))):
        text = thing._repr_html_()
        Tags(text)
        assert "<math" in text
        assert "\\" not in text


def test_what_is_shown_is_escaped_and_brings_no_colours_and_no_script(sol):
    shown = card("<b>", [("<i>", "<script>"), ("m", Markup("<em>x</em>"))])
    assert "<script>" not in shown
    assert "<em>x</em>" in shown
    assert not re.search("color|<script", PHI._repr_html_().partition("<img")[0] + table([("a", sol.outcome)]))


def test_a_picture_that_cannot_be_drawn_is_left_out(points):
    assert thumbnail(3) is None
    assert thumbnail(points[:0]) is None
    assert thumbnail(gf.FubiniStudy(points.variety)) is None


def test_values_in_short():
    assert written(np.float64(1 / 3)) == "0.333333"
    assert written({"a": 1.0, "b": [1, 2]}) == "a = 1, b = 1, 2"
    assert written("x" * 1000).endswith("(1,000 characters)")


# LaTeX


SPHERE = gf.Metric("theta phi", [["1", "0"], ["0", "sin(theta)^2"]])
PROJECTIVE = gf.KahlerMetric.from_potential("z1 z2", "log(1 + abs(z1)^2 + abs(z2)^2)")


def test_curvature_is_listed_where_it_is_not_zero():
    assert SPHERE.riemann.latex() == (
        r"\begin{aligned}R^{\theta}_{\phi \theta \phi} &= \sin^{2}{\left(\theta \right)}\\ "
        r"R^{\phi}_{\theta \theta \phi} &= -1\end{aligned}")
    assert r"\Gamma^{\phi}_{\theta \phi} &= " in SPHERE.christoffel.latex()
    assert r"\Gamma^{\phi}_{\phi \theta}" not in SPHERE.christoffel.latex()
    assert gf.Metric("x y", [["1", "0"], ["0", "1"]]).riemann.latex() == "R^{l}_{k i j} = 0"
    assert SPHERE.riemann == sympy.ImmutableDenseNDimArray(SPHERE.riemann)


def test_curvature_of_kahler_metrics_has_barred_indices():
    text = PROJECTIVE.riemann.latex()
    assert text.count("&=") == 16
    assert r"R_{z_{1} \bar{z}_{1} z_{2} \bar{z}_{2}} &= " in text


def test_long_lists_are_cut_in_notebooks_alone():
    metric = gf.Metric("t x y z", [["-1", "0", "0", "0"], ["0", "a(t, x)^2", "0", "0"], ["0", "0", "b(t, x, y)^2", "0"],
                                   ["0", "0", "0", "c(t, x, y)^2"]], functions="a b c")
    whole = metric.riemann_lower.latex()
    assert whole.count("&=") > MOST_LINES
    assert f"and {whole.count('&=') - MOST_LINES} more" in metric.riemann_lower._repr_latex_()


def test_a_bar_is_set_over_its_letter_and_other_accents_stay():
    assert mathml(r"\bar R") == '<math><mover><mi>R</mi><mo stretchy="false">¯</mo></mover></math>'
    assert mathml(r"g_{a\bar b}").count("<mover><mi>b</mi>") == 1
    assert '<mover accent="true">' in mathml(r"\hat f")


@pytest.mark.parametrize("thing", [SPHERE, SPHERE.ricci, SPHERE.riemann, SPHERE.chart, PROJECTIVE.ricci_form,
                                   gf.functionals.KEnergy(T), gf.CalabiFlow(), gf.catalogue.get("round-sphere"),
                                   gf.catalogue.ansatz("join", p=2).reduce(gf.RicciFlow(normalised=True))],
                         ids=lambda thing: type(thing).__name__)
def test_every_exact_object_has_latex_that_browsers_can_set(thing):
    text = thing.latex()
    assert text.strip("$") in thing._repr_latex_()
    assert "\\" not in Tags(mathml(text)).text
