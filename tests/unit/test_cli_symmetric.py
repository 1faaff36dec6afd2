"""`geomflow run` for metrics with symmetry: what their files say, and what is said of files that are wrong."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from commands import refused
from problems import same

import geomflow as gf
from geomflow import plot
from geomflow.cli import main
from geomflow.cli.run import Prepared, read_run_file
from geomflow.cli.symmetric_file import SymmetricFile, make_ansatz
from geomflow.plot.files import png

ROOT = Path(__file__).parents[2]
SPHERE = """\
[ansatz]
name = "sphere"
n = 2

[grid]
n = 16

[state]
chi = 1
psi = "sin(x)*(1 + sin(x)^2/5)"

[flow]
name = "ricci"

[solve]
t1 = 0.01

[output]
pictures = []
"""
OWN = SPHERE.replace('name = "sphere"\nn = 2\n', '''\
coordinates = "x theta1 theta2"
ranges = {x = [0, "pi"], theta1 = [0, "pi"]}
periods = {theta2 = "2*pi"}
metric = [["chi(x)^2", 0, 0], [0, "psi(x)^2", 0], [0, 0, "psi(x)^2*sin(theta1)^2"]]
unknowns = "chi psi"
ends = "pole:psi"
''')
SU2 = """\
[ansatz]
name = "su2"
[state]
A = 1
B = 2
C = "3"
[flow]
name = "ricci"
normalised = true
[solve]
t1 = 0.01
[output]
pictures = []
"""


def prepared(text: str) -> Prepared:
    """A run file, read and bound."""
    Path("run.toml").write_text(text)
    return Prepared.of(read_run_file(Path("run.toml")))


pytestmark = pytest.mark.usefixtures("here")


def test_a_run_is_kept_resumed_and_told(capsys):
    Path("ball.toml").write_text(SPHERE.replace("t1 = 0.01", "t1 = 0.01\nmax_steps = 3"))
    assert main(["run", "ball.toml"]) == 130
    told = capsys.readouterr().out
    for words in ("dpsi/dt = -1/psi + ", "psi from 0.", "rosenbrock", "after max_steps = 3 steps"):
        assert words in told
    Path("ball.toml").write_text(SPHERE.replace("0.01", "0.02"))
    assert main(["run", "ball.toml", "--resume"]) == 0
    state = gf.catalogue.ansatz("sphere", n=2).grid(16).state(chi="1", psi="sin(x)*(1 + sin(x)^2/5)")
    kept = gf.load("runs/ball/run.zarr")
    assert same(kept, gf.solve(gf.RicciFlow(), state, 0.02))
    stored = json.loads(Path("runs/ball/run.zarr/zarr.json").read_text())["attributes"]["geomflow"]
    assert stored["configuration"]["ansatz"] == {"name": "sphere", "n": 2}
    assert main(["show", "runs/ball", "--html", "ball.html"]) == 0
    assert "curvature_max" in capsys.readouterr().out
    assert "psi = &quot;sin(x)*(1 + sin(x)^2/5)&quot;" in Path("ball.html").read_text()


def test_monitors_are_drawn_unless_told_otherwise(capsys):
    Path("group.toml").write_text(SU2.replace("[output]\npictures = []\n", ""))
    assert main(["run", "group.toml"]) == 0
    assert sorted(path.name for path in Path("runs/group").iterdir()) == ["monitors.png", "run.zarr"]


def test_events_end_a_run(capsys):
    """The normalised round sphere is steady; the free one goes beyond |Rm| = √12/r² = 50 in its last step."""
    round_ = SPHERE.replace("*(1 + sin(x)^2/5)", "").replace("t1 = 0.01", "t1 = 1")
    Path("still.toml").write_text(round_.replace('"ricci"', '"ricci"\nnormalised = true') + "[events]\nsteady = 1e-8\n")
    assert main(["run", "still.toml"]) == 0
    assert gf.load("runs/still/run.zarr").outcome.kind == "steady"
    Path("dying.toml").write_text(round_ + "[events]\ncurvature = 50\n")
    main(["run", "dying.toml"])
    dying = gf.load("runs/dying/run.zarr")
    assert dying.outcome.kind == "singular"
    assert dying["riemann_max"][-2] < 50 <= dying["riemann_max"][-1]
    assert dying["riemann_max"] == pytest.approx(np.sqrt(12) / (1 - 4 * dying.monitor_times), rel=1e-8)


def test_surfaces_and_profiles_are_drawn_where_there_are_some(capsys):
    drawn = 'pictures = ["embedding", "profile.svg", "film"]'
    Path("ball.toml").write_text(SPHERE.replace("pictures = []", drawn))
    assert main(["run", "ball.toml"]) == 0
    found = sorted(path.name for path in Path("runs/ball").iterdir())
    assert found == ["embedding.png", "film.gif", "profile.svg", "run.zarr"]
    Path("group.toml").write_text(SU2.replace("pictures = []", drawn))
    assert main(["run", "group.toml"]) == 2
    assert "unknown picture 'embedding'" in capsys.readouterr().err


@pytest.mark.parametrize("text, sections, drawn", [
    (SPHERE, ("Unknowns", "Surface of revolution"), (plot.monitors, plot.profile, plot.embedding)),
    (SU2, ("Unknowns",), (plot.monitors, plot.profile)),
])
def test_a_report_shows_unknowns_and_surfaces(text, sections, drawn):
    Path("run.toml").write_text(text)
    assert main(["run", "run.toml", "--html", "run.html"]) == 0
    page, sol = Path("run.html").read_text(), gf.load("runs/run/run.zarr")
    assert [name for name in ("Unknowns", "Surface of revolution") if f">{name}</h2>" in page] == [*sections]
    shown = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    wanted = [png(np.ravel(draw(sol))[0].figure, 130) for draw in drawn]
    assert [base64.b64decode(code) for code in shown] == wanted
    assert "that a picture could show" not in page


def test_a_metric_of_ones_own_is_the_one_of_the_catalogue():
    own, known = prepared(OWN), prepared(SPHERE)
    assert own.state.grid == known.state.grid
    assert own.state.distance(known.state) == 0


@pytest.mark.parametrize(
    ("ansatz", "wanted"),
    [
        ('name = "product"\nspheres = [2, 3]\nflat = 1',
         lambda: gf.catalogue.ansatz("product", spheres=(2, 3), flat=1)),
        ('name = "bianchi"\ntype = "VI"\nh = "-1/4"', lambda: gf.catalogue.ansatz("bianchi", type="VI", h="-1/4")),
        ('name = "sphere-circle"', lambda: gf.catalogue.ansatz("sphere-circle")),
        ('coordinates = ["x", "y"]\nmetric = [["A", 0], [0, "exp(2*x)*A"]]\nunknowns = "A"',
         lambda: gf.Ansatz(gf.Metric("x y", [["A", 0], [0, "exp(2*x)*A"]], "A"))),
        ('coordinates = "x y z"\nperiods = {y = 1, z = 1}\nranges = {x = [0, 1]}\nends = ["pole:u", "mirror"]\n'
         'unknowns = "c u"\nmetric = [["c(x)^2", 0, 0], [0, "u(x)^2/4/pi^2", 0], [0, 0, 1]]',
         lambda: gf.Ansatz(gf.Metric(gf.Chart("x y z", ranges={"x": (0, 1)}, periods={"y": 1, "z": 1}),
                                     [["c(x)^2", 0, 0], [0, "u(x)^2/4/pi^2", 0], [0, 0, 1]], functions="c u"),
                           "c u", gf.Interval(0, 1, ("pole:u", "mirror")))),
        ('coordinates = "x y"\nperiods = {x = 1}\nranges = {y = [0, 1]}\nends = {y = "mirror"}\nunknowns = "u"\n'
         'metric = [["u(x, y)^2", 0], [0, "u(x, y)^2"]]',
         lambda: gf.Ansatz(gf.Metric(gf.Chart("x y", ranges={"y": (0, 1)}, periods={"x": 1}),
                                     [["u(x, y)^2", 0], [0, "u(x, y)^2"]], functions="u"), "u",
                           {"x": gf.Circle(1), "y": gf.Interval(0, 1, "mirror")})),
    ],
)  # fmt: skip
def test_ansaetze_are_what_they_would_be_in_python(ansatz, wanted):
    text = f"[ansatz]\n{ansatz}\n" + SPHERE[SPHERE.index("[grid]"):]
    Path("run.toml").write_text(text)
    file = read_run_file(Path("run.toml"))
    assert isinstance(file, SymmetricFile)
    assert make_ansatz(file.ansatz) == wanted()


@pytest.mark.parametrize(
    ("flow", "wanted"),
    [
        ('name = "ricci"\ngauge = "deturck"', gf.RicciFlow(gauge="deturck")),
        ('name = "ricci"\ngauge = "arclength"\nnormalised = true', gf.RicciFlow("arclength", True)),
        ('name = "expression"\nrate = "-2*Ric + a*g"\na = 0.5', gf.Flow.from_expression({"g": "-2*Ric + a*g"}, a=0.5)),
        ('name = "expression"\nrate.g = "T - 2*Ric"\nwhere = {T = "-R*g/9"}',
         gf.Flow.from_expression({"g": "T - 2*Ric"}, where={"T": "-R*g/9"})),
    ],
)  # fmt: skip
def test_flows_are_what_they_would_be_in_python(flow, wanted):
    run = prepared(SPHERE.replace('name = "ricci"', flow))
    rate, other = np.empty_like(run.problem.y0), np.empty_like(run.problem.y0)
    run.problem.rate(0.0, run.problem.y0, rate)
    wanted.bind(run.state).rate(0.0, run.problem.y0, other)
    assert np.array_equal(rate, other)
    assert np.isfinite(rate).all()


def test_a_descent_is_kept_resumed_and_told(capsys):
    """∫ (R² + a) dV, a = 1/2, which falls."""
    text = SU2.replace('"ricci"\nnormalised = true', '"gradient"\ndensity = "R^2 + a"\nparameters = {a = 0.5}')
    Path("fall.toml").write_text(text.replace("t1 = 0.01", "t1 = 0.01\nmax_steps = 3"))
    assert main(["run", "fall.toml"]) == 130
    assert "reduced   dA/dt = " in capsys.readouterr().out
    Path("fall.toml").write_text(text.replace("t1 = 0.01", "t1 = 0.02"))
    assert main(["run", "fall.toml", "--resume"]) == 0
    ansatz = gf.catalogue.ansatz("su2")
    functional = ansatz.functional("R^2 + a", parameters={"a": 0.5})
    kept = gf.load("runs/fall/run.zarr")
    assert same(kept, gf.solve(functional.gradient_flow(), ansatz.state(A=1, B=2, C=3), 0.02))
    assert (np.diff(kept["energy"]) < 0).all()
    assert kept["energy"][0] == pytest.approx(functional(ansatz.state(A=1, B=2, C=3)), rel=1e-14)


@pytest.mark.parametrize("name, density", [("scalar-squared", "R^2"), ("ricci-squared", "Ric2")])
def test_functionals_by_name_are_those_of_their_densities(name, density):
    """Varied over tori and reduced, or varied on the ansatz."""
    group = SU2.replace("normalised = true\n", "")
    runs = [prepared(group.replace('"ricci"', f'"gradient"\n{key} = "{value}"'))
            for key, value in (("functional", name), ("density", density))]
    rates = [np.empty_like(run.problem.y0) for run in runs]
    for run, rate in zip(runs, rates, strict=True):
        run.problem.rate(0.0, run.problem.y0, rate)
    assert np.abs(rates[0]).max() > 0.1
    assert rates[0] == pytest.approx(rates[1], rel=1e-12)


def test_stencils_are_asked_for_by_their_order():
    text = SPHERE.replace('"sphere"', '"sphere-circle"').replace("sin(x)*(1 + sin(x)^2/5)", "2 + cos(x)/5")
    assert prepared(text.replace("n = 16", "n = 16\norder = 4")).state.grid.basis.order == 4
    assert prepared(text).state.grid.basis.order is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"sphere"', '"spere"', "[ansatz]: unknown ansatz 'spere'; did you mean 'sphere'"),
        ("n = 2\n", "m = 2\n", "unknown parameter of the ansatz 'sphere' 'm'"),
        ('name = "sphere"\n', "", "[ansatz] takes one of name and metric, and neither was given"),
        ("n = 2\n", 'n = 2\nunknowns = "psi"\n', "ansatz.unknowns is of a metric of your own, and name = \"sphere\""),
        ("[ansatz]", '[geometry]\ntype = "torus"\ndim = 1\n[ansatz]', "unknown table 'geometry'"),
        ("[grid]\nn = 16\n", "", "the table [grid] is missing: the unknowns depend on x; say how many points"),
        ("n = 16", "n = 16\nscheme = 'spectral'", "line 7: unknown key in [grid] 'scheme'"),
        ("n = 16", "n = 16\norder = 3", "[grid]: "),
        ("chi = 1\n", "", "[state]: the unknown 'chi' has no value: give one for each of chi, psi"),
        ("chi = 1", "chi = 1\nphi = 2", "[state]: unknown unknown 'phi'"),
        ("chi = 1", "chi = [1]", "state.chi takes a number or text in quotes"),
        ("chi = 1", 'chi = "2"', "[state]: at x = 0 the orbits close with 0.5 of the slope"),
        ('"ricci"', '"calabi"', "is a flow of Kähler metrics, and nothing says that this one is"),
        ('"ricci"', '"gradient"', "[flow]: the gradient flow of a functional needs its density, such as"),
        ('"ricci"', '"gradient"\ndensity = "Rich"', "[flow]: "),
        ('"ricci"', '"gradient"\ndensity = "Ric"', "[flow]: "),
        ('"ricci"', '"gradient"\ndensity = "R"\nkeep = "volume"', "unknown key of gradient flows of metrics with "
         "symmetry 'keep'"),
        ('"ricci"', '"gradient"\nfunctional = "ricci-squared"\nforced = true', "metrics with symmetry 'forced'"),
        ('"ricci"', '"gradient"\nfunctional = "ricci-squares"', "[flow]: unknown functional 'ricci-squares'; did you"),
        ('"ricci"', '"gradient"\nfunctional = "perelman-lambda"', "ansatz"),
        ('"ricci"', '"expression"\nrate = "-2*Rich"', "Rich"),
        ('"ricci"', '"expression"\nrate.h = "-2*Ric"', "unknown field in flow.rate 'h'"),
        ("pictures = []", 'pictures = ["heatmap"]', "unknown picture 'heatmap'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(capsys, old, new, message):
    assert old in SPHERE
    Path("ball.toml").write_text(SPHERE.replace(old, new, 1))
    assert message in refused(capsys, "run", "ball.toml")
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('unknowns = "chi psi"\n', "", "[ansatz] needs the key 'unknowns' beside its metric"),
        ('coordinates = "x theta1 theta2"\n', "", "[ansatz] needs the key 'coordinates' beside its metric"),
        ('ends = "pole:psi"\n', "", "the unknowns depend on x, and nothing says where it lies: give ranges = {x ="),
        ("x = [0, \"pi\"], ", "", "the unknowns depend on x, and nothing says where it lies"),
        ('ends = "pole:psi"', 'ends = "pol"', "[ansatz]: unknown end of an interval 'pol'"),
        ('ends = "pole:psi"', 'ends = ["pole:psi"]', "[ansatz]: an interval has two ends"),
        ('ends = "pole:psi"', 'ends = {y = "pole:psi"}', "unknown coordinate in ansatz.ends 'y'"),
        ('ends = "pole:psi"', 'ends = {theta1 = "pole:psi"}', "the unknowns depend on x, and nothing says where"),
        ('ends = "pole:psi"', 'ends = "pole:psi"\nend = "pole"', "unknown key in [ansatz] 'end'; did you mean 'ends'"),
        ('ends = "pole:psi"', 'ends = "pole:psi"\nname = "sphere"', "[ansatz] takes one of name and metric, and both"),
        ('unknowns = "chi psi"', 'unknowns = "chi phi"', "[ansatz]: "),
        ('"chi(x)^2"', '"chi(r)^2"', "[ansatz]: "),
        ("[grid]", "[grids]", "unknown table 'grids'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_metric_of_ones_own_is_said(capsys, old, new, message):
    assert old in OWN
    Path("ball.toml").write_text(OWN.replace(old, new, 1))
    assert message in refused(capsys, "run", "ball.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[state]", "[grid]\nn = 8\n[state]", "[grid] gives points along coordinates, and the unknowns are numbers"),
        ('name = "su2"', 'coordinates = "x y"\nmetric = [["A", 0], [0, "B"]]\nunknowns = "A B"\nends = {x = "pole"}',
         "ends are those of a coordinate of unknowns that has a range and no period, and x is none"),
        ("A = 1", 'A = "x"', "[state]: "),
        ("A = 1", "A = -1", "[state]: 'A' is -1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_numbers_is_said(capsys, old, new, message):
    Path("group.toml").write_text(SU2.replace(old, new, 1))
    assert message in refused(capsys, "run", "group.toml")


def test_the_example_is_the_pinch_that_is_known():
    """The waist, ψ at π/2, is 1/5 at t = 0.05110279603, which other points and another gauge give too."""
    run = Prepared.of(read_run_file(ROOT / "examples" / "symmetry" / "neckpinch.toml"))
    last = gf.solve(run, run.state, 0.05110279603).last
    assert last.at("psi", [np.pi / 2])[0] == pytest.approx(0.2, abs=1e-9)


SURGERY = """
[ansatz]
name = "sphere"

[grid]
n = 48

[state]
chi = "1"
psi = "sin(x)*sqrt(1 - 19/20*sin(x)^2)"

[flow]
name = "ricci"

[solve]
t1 = 0.03
rtol = 1e-6
save = 6

[surgery]
radius = 0.15
ratio = 1
points = 64

[output]
pictures = ["embedding"]
"""


def test_a_run_goes_on_as_pieces(capsys):
    Path("neck.toml").write_text(SURGERY)
    assert main(["run", "neck.toml"]) == 0
    told = capsys.readouterr().out
    assert "surgery at t = " in told
    assert "piece 1" in told
    sol = gf.load("runs/neck/run.zarr")
    assert [run.outcome.kind.value for run in sol.runs.values()] == ["singular", "finished", "finished"]
    assert sol.cuts[0].radius == pytest.approx(0.15, rel=1e-4)
    assert main(["run", "neck.toml", "--out", "runs/neck", "--resume"]) == 0


def test_what_is_wrong_with_surgery_is_said(capsys):
    for old, new, message in [("radius = 0.15", "radius = 0.5", "[surgery]: the neck has radius 0.2236"),
                              ("radius = 0.15", "", "radius"), ("ratio = 1", "ratio = -1", "must be positive")]:
        Path("neck.toml").write_text(SURGERY.replace(old, new, 1))
        assert message in refused(capsys, "run", "neck.toml")


CONTRACTION = """
[ansatz]
name = "momentum"
n = 2
k = 1

[grid]
n = 24

[state]
F = "(y-a)*(b-y)/(b-a)"
a = 0.2
b = 3

[flow]
name = "kahler-ricci"

[solve]
t1 = 0.16
rtol = 1e-5

[contraction]
factor = 4
points = 40

[output]
pictures = ["monitors", "profile"]
"""


def test_a_run_goes_on_after_a_contraction(capsys):
    Path("curve.toml").write_text(CONTRACTION)
    assert main(["run", "curve.toml"]) == 0
    told = capsys.readouterr().out
    assert "contraction at t = " in told
    sol = gf.load("runs/curve/run.zarr")
    assert [run.outcome.kind.value for run in sol.runs.values()] == ["singular", "finished"]
    assert sol.pieces[0].last.grid.shape == (40,)
    assert main(["run", "curve.toml", "--out", "runs/curve", "--resume"]) == 0


def test_what_is_wrong_with_contractions_is_said(capsys):
    for old, new, message in [("factor = 4", "factor = 0.5", "[contraction]: a divisor contracts"),
                              ("k = 1", "k = 2", "slope"), ("[contraction]", "[surgery]", "radius"),
                              ("[output]", "[surgery]\nradius = 0.1\n[output]", "no metric has both"),
                              ("factor = 4", "width = 4", "width")]:
        Path("curve.toml").write_text(CONTRACTION.replace(old, new, 1))
        assert message in refused(capsys, "run", "curve.toml")
