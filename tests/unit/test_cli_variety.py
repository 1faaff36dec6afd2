"""The commands quintic and variety: what they keep, what they say, and one message on bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import refused

import geomflow as gf
import geomflow.variety as gv
from geomflow.cli import main
from geomflow.cli.task import Task
from geomflow.cli.variety import quintic_tables
from geomflow.fits import ladder
from geomflow.variety.points import ARRAYS

CUBIC = """\
[variety]
family = "dwork"
degree = 3
psi = "1/2"

[points]
count = 600

[metric]
degree = 2

[measure]
curvature = 40
euler = 200

[output]
pictures = []
"""


@pytest.fixture
def curve(here):
    """A folder with the file of a variety."""
    Path("curve.toml").write_text(CUBIC)
    return here


def numbers(folder: str) -> dict:
    return json.loads((Path(folder) / "numbers.json").read_text())


def test_variety_keeps_what_it_found(curve, capsys):
    assert main(["variety", "curve.toml"]) == 0
    told = capsys.readouterr().out
    for word in ("degree 1:", "degree 2: 3 parameters", "σ ", "κ ", "volume", "R  ", "Euler", "curve/metric.npz"):
        assert word in told
    kept = numbers("varieties/curve")
    metric = gf.load_metric("varieties/curve/metric.npz")
    unseen = gv.load_points("varieties/curve/unseen.npz")
    assert kept["measures"]["sigma"]["value"] == pytest.approx(float(gv.sigma(metric, unseen)), rel=1e-12)
    assert kept["measures"]["sigma"]["error"] == pytest.approx(gv.sigma(metric, unseen).error, rel=1e-9)
    assert kept["measures"]["kappa"]["value"] == pytest.approx(float(gv.kappa(metric, unseen)), rel=1e-12)
    assert kept["measures"]["volume"]["exact"] == pytest.approx(3 * np.pi)
    curvature = gv.scalar_curvature(metric, unseen[:40])
    assert kept["measures"]["scalar_curvature"]["largest_modulus"] == pytest.approx(np.abs(curvature).max(), rel=1e-9)
    assert kept["measures"]["euler_number"]["exact"] == 0
    assert [rung["degree"] for rung in kept["rungs"]] == [[1], [2]]
    points = gv.load_points("varieties/curve/points.npz")
    assert len(points) == len(unseen) == 600
    assert not np.array_equal(points.coordinates, unseen.coordinates)


def test_nothing_is_overwritten_unless_resumed(curve, capsys):
    assert main(["variety", "curve.toml"]) == main(["variety", "curve.toml"]) == 0
    assert Path("varieties/curve-2/metric.npz").exists()
    assert "--resume" in refused(capsys, "variety", "curve.toml", "--out", "varieties/curve")
    assert "nothing to resume" in refused(capsys, "variety", "curve.toml", "--out", "new", "--resume")
    Path("curve.toml").write_text(CUBIC.replace("600", "500"))
    message = refused(capsys, "variety", "curve.toml", "--out", "varieties/curve", "--resume")
    assert "points.count = 600, and now 500" in message


def test_a_kept_metric_is_gone_on_from(curve, capsys):
    main(["variety", "curve.toml"])
    before = numbers("varieties/curve")
    Path("curve.toml").write_text(CUBIC.replace("degree = 2", "degree = 4"))
    capsys.readouterr()
    assert main(["variety", "curve.toml", "--resume"]) == 0
    told = capsys.readouterr().out
    assert "resumed   degree 2" in told
    assert told.count("\nfit ") == 1
    after = numbers("varieties/curve")
    assert after["rungs"][:2] == before["rungs"]
    assert after["measures"]["sigma"]["value"] < 0.1 * before["measures"]["sigma"]["value"]
    assert gf.load_metric("varieties/curve/metric.npz").level == 4
    assert main(["variety", "curve.toml", "--resume"]) == 0  # the same degree: measured again
    assert "\nfit " not in capsys.readouterr().out
    Path("curve.toml").write_text(CUBIC)
    assert "holds a metric of degree 4" in refused(capsys, "variety", "curve.toml", "--resume")


KEPT = CUBIC.replace("count = 600", 'file = "kept/points.npz"')


@pytest.fixture
def kept(curve):
    """Points in a folder below that of the run file, which is not the one of the command."""
    Path("kept").mkdir()
    points = gv.Dwork("1/2", 3).sample(500, seed=2)
    points.save("kept/points.npz")
    Path("curve.toml").write_text(KEPT)
    return points


def test_points_of_a_file_are_fitted_on(kept, monkeypatch):
    folder = Path.cwd()
    monkeypatch.chdir("/")
    assert main(["variety", str(folder / "curve.toml"), "--out", str(folder / "found")]) == 0
    points, unseen = (gv.load_points(folder / "found" / name) for name in ("points.npz", "unseen.npz"))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(points, name), getattr(kept, name))
    assert len(unseen) == 500
    assert not set(unseen.line) & set(points.line)  # none of the points fitted on, whichever seed gave those
    by_hand = gf.fits.algebraic_metric(kept.variety, 2, kept, start=gf.fits.algebraic_metric(kept.variety, 1, kept))
    np.testing.assert_array_equal(gf.load_metric(folder / "found/metric.npz").at(unseen), by_hand.at(unseen))


def test_a_run_on_kept_points_goes_on_with_the_same_points_only(kept, capsys):
    assert main(["variety", "curve.toml"]) == 0
    Path("kept/points.npz").rename("elsewhere.npz")
    Path("curve.toml").write_text(KEPT.replace("kept/points", "elsewhere"))
    assert main(["variety", "curve.toml", "--resume"]) == 0
    Path("curve.toml").write_text(KEPT)
    replace(kept, weights=kept.weights * (1 + 1e-15)).save("kept/points.npz")
    assert "points.file" in refused(capsys, "variety", "curve.toml", "--resume")
    Path("curve.toml").write_text(CUBIC.replace("600", "500"))
    assert "points.file" in refused(capsys, "variety", "curve.toml", "--resume")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("[metric]", "count = 500\n[metric]", ("line 9", "points.count", "points.file")),
        ("[metric]", "seed = 2\n[metric]", ("line 9", "points.seed", "points.file")),
        ("psi = \"1/2\"", "psi = 2", ("line 7", "3/2*z0*z1*z2", "6*z0*z1*z2")),
        ("family = \"dwork\"\ndegree = 3\npsi = \"1/2\"", 'polynomial = "a^3+b^3+c^3-3/2*a*b*c"',
         ("(z0 : z1 : z2)", "(a : b : c)")),
        ("kept/points.npz", "points.npz", ("line 7", "no such file")),
        ("kept/points.npz", "kept", ("line 7", "is a directory")),
        ("kept/points.npz", "curve.toml", ("line 7", "no .npz file")),
        ("kept/points.npz", "none.npz", ("line 7", "holds no points")),
        ("degree = 2", "degree = 60", ("line 7", "under-determined")),
        ('"kept/points.npz"', "3", ("line 7", "takes text")),
    ],
)
def test_points_that_cannot_be_fitted_on(kept, capsys, old, new, words):
    assert old in KEPT
    kept[:0].save("none.npz")
    Path("curve.toml").write_text(KEPT.replace(old, new, 1))
    message = refused(capsys, "variety", "curve.toml")
    for word in words:
        assert word in message
    assert not Path("varieties/curve").exists()


def test_kept_numbers_are_not_believed(curve, capsys):
    assert main(["variety", "curve.toml"]) == 0
    path = Path("varieties/curve/numbers.json")
    sigma = str(numbers("varieties/curve")["rungs"][0]["sigma"])
    path.write_text(path.read_text().replace(sigma, "0.5", 1))
    assert "not what was written" in refused(capsys, "variety", "curve.toml", "--resume")


def test_an_interruption_keeps_the_degrees_that_are_done(curve, capsys, monkeypatch):
    real = gf.fits.algebraic_metric

    def interrupted(variety, degree, points, **options):
        if degree == (2,):
            raise KeyboardInterrupt
        return real(variety, degree, points, **options)

    monkeypatch.setattr(ladder, "algebraic_metric", interrupted)
    assert main(["variety", "curve.toml"]) == 130
    assert [rung["degree"] for rung in numbers("varieties/curve")["rungs"]] == [[1]]
    monkeypatch.undo()
    monkeypatch.chdir(curve)
    assert main(["variety", "curve.toml", "--resume"]) == 0
    assert [rung["degree"] for rung in numbers("varieties/curve")["rungs"]] == [[1], [2]]


@pytest.mark.parametrize(
    "table, kind",
    [
        ('kind = "balanced"\ndegree = 2', "HermitianForm"),
        ('kind = "fubini-study"\nclass = [2]', "FubiniStudy"),
        ('degree = 2\nfunctional = "v*log(v)"\nsymmetry = false\nladder = []', "HermitianForm"),
    ],
)
def test_kinds_of_metric(curve, table, kind):
    Path("curve.toml").write_text(CUBIC.replace("degree = 2", table))
    assert main(["variety", "curve.toml"]) == 0
    assert type(gf.load_metric("varieties/curve/metric.npz")).__name__ == kind


def test_a_network(curve, capsys):
    table = 'kind = "network"\nhidden = [4]\nwork = 1\nfunctional = "sigma"'
    Path("curve.toml").write_text(CUBIC.replace("degree = 2", table).replace("pictures = []", 'pictures = ["fit"]'))
    assert main(["variety", "curve.toml"]) == 0
    assert "held-out points" in capsys.readouterr().out
    metric = gf.load_metric("varieties/curve/metric.npz")
    unseen = gv.load_points("varieties/curve/unseen.npz")
    sigma = numbers("varieties/curve")["measures"]["sigma"]["value"]
    assert sigma == pytest.approx(float(gv.sigma(metric, unseen)), rel=1e-9)
    assert main(["variety", "curve.toml", "--resume"]) == 0
    assert numbers("varieties/curve")["measures"]["sigma"]["value"] == pytest.approx(sigma, rel=1e-9)
    Path("curve.toml").write_text(CUBIC.replace("degree = 2", table.replace("[4]", "[5]")))
    assert "metric.hidden = [4], and now [5]" in refused(capsys, "variety", "curve.toml", "--resume")


def test_pictures_are_drawn(curve):
    Path("curve.toml").write_text(CUBIC.replace("[output]\npictures = []\n", ""))
    assert main(["variety", "curve.toml"]) == 0
    drawn = {path.name for path in Path("varieties/curve").glob("*.png")}
    assert drawn == {"sigma.png", "fit.png", "histograms.png", "slices.png"}


def test_quintic(curve, capsys):
    assert main(["quintic", "--degree", "4", "--points", "4000", "--no-pictures", "--out", "mine"]) == 0
    assert "4,000 unseen" in capsys.readouterr().out
    metric = gf.load_metric("mine/metric.npz")
    assert gv.sigma(metric, gv.Fermat(5).sample(4000, seed=9)) < 7e-3


def test_quintic_climbs_for_as_long_as_it_may(curve, capsys):
    assert main(["quintic", "--psi", "1/2", "--work", "0.001", "--points", "500", "--no-pictures"]) == 0
    told = capsys.readouterr().out
    assert "degree 2:" in told
    assert "stopped   degree 4 is not expected" in told
    assert "5/2*z0*z1*z2*z3*z4" in told


def test_a_climb_ends_where_points_do(curve, capsys):
    Path("curve.toml").write_text(
        CUBIC.replace("degree = 2", "degree = 30\nladder = [2, 4, 20, 25]\nwork = 60").replace("600", "60")
    )
    assert main(["variety", "curve.toml"]) == 0
    told = capsys.readouterr().out
    assert "degree 4:" in told
    assert "has more parameters than there are points" in told


def test_arguments_of_quintic_become_a_task():
    from geomflow.cli import parser

    args = parser().parse_args(["quintic", "--degree", "6", "--work", "9", "--curvature", "--psi", "i/2"])
    assert quintic_tables(args) == {
        "variety": {"family": "dwork", "psi": "i/2"},
        "points": {"count": 20_000, "seed": 1},
        "metric": {"degree": 6, "ladder": [2, 4], "work": 9.0},
        "measure": {"curvature": 2000, "euler": 0},
    }


@pytest.mark.parametrize(
    "old, new, words",
    [
        ('psi = "1/2"', "psi = 1", ("line 2", "singular", "(1 : 1 : 1)")),
        ('psi = "1/2"', 'psy = "1/2"', ("line 4", "did you mean 'psi'")),
        ('psi = "1/2"', "psi = [1]", ("line 4", "variety.psi takes")),
        ('psi = "1/2"', 'psi = "a"', ("line 2", "unknown name 'a'")),
        ('"dwork"', '"dwrk"', ("line 2", "did you mean 'dwork'")),
        ('"dwork"', '"fermat"', ("line 4", "does not go with the family 'fermat'")),
        ('family = "dwork"', 'polynomial = "x^3"\nfamily = "dwork"', ("one of polynomial and family", "both")),
        ('family = "dwork"\ndegree = 3\npsi = "1/2"', "", ("neither",)),
        ('family = "dwork"\ndegree = 3\npsi = "1/2"', 'polynomial = "x^4+y^4+z^4"', ("line 2", "first Chern class")),
        ('family = "dwork"\ndegree = 3\npsi = "1/2"', 'polynomial = "x^3+y^2"', ("line 2", "not homogeneous")),
        ("[variety]", "[varieties]", ("line 1", "did you mean 'variety'")),
        ("count = 600", "count = 0", ("line 7", "points.count is 0")),
        ("count = 600", "count = 2", ("line 7", "under-determined")),
        ("degree = 2", "degree = 0", ("line 10", "whole number >= 1")),
        ("degree = 2", "degree = [2, 2]", ("line 10", "one for each factor")),
        ("degree = 2", "hidden = [9]", ("line 10", "'network'")),
        ("degree = 2", 'kind = "network"\ndegree = 2', ("line 11", "'algebraic' and 'balanced'")),
        ("degree = 2", 'kind = "network"', ("line 10", "under-determined")),
        ("degree = 2", "ladder = [9]", ("line 10", "rise to 8")),
        ("degree = 2", "work = -1", ("line 10", "positive")),
        ("degree = 2", 'kind = "network"\nwork = -1', ("line 11", "positive")),
        ("degree = 2", "seconds = 9", ("line 10", "unknown key in [metric] 'seconds'")),
        ("degree = 2", 'kind = "balanced"\nwork = 9', ("line 11", "'algebraic' and 'network'")),
        ("degree = 2", 'kind = "algebra"', ("line 10", "did you mean 'algebraic'")),
        ("degree = 2", "hidden = [3]", ("line 10", "'network'")),
        ("degree = 2", 'functional = "-v^2"', ("line 10", "must be positive",)),
        ("curvature = 40", "curvature = -1", ("line 13", "measure.curvature is -1")),
        ("pictures = []", 'pictures = ["sgma"]', ("line 17", "did you mean 'sigma'")),
        (CUBIC, "[variety\n", ("not valid TOML",)),
    ],
)
def test_bad_input_is_one_message(curve, capsys, old, new, words):
    assert old in CUBIC
    Path("curve.toml").write_text(CUBIC.replace(old, new, 1))
    message = refused(capsys, "variety", "curve.toml")
    for word in words:
        assert word in message
    assert not (curve / "varieties" / "curve").exists()


@pytest.mark.parametrize(
    "argv, word",
    [
        (["--psi", "1"], "singular"),
        (["--degree", "0"], "the degree is 0"),
        (["--degree", "10", "--points", "30"], "under-determined"),
        (["--seed", "-1"], "points.seed is -1"),
        (["--work", "0"], "positive"),
        (["--psi", "1/"], "column"),
    ],
)
def test_bad_arguments_are_one_message(curve, capsys, argv, word):
    assert word in refused(capsys, "quintic", *argv)


def test_a_place_that_cannot_be_written_to(curve, capsys):
    assert "not a directory" in refused(capsys, "variety", "curve.toml", "--out", "curve.toml/inside")
    assert "no such file" in refused(capsys, "variety", "missing.toml")


def test_pictures_of_fits_need_fits(curve, capsys):
    text = CUBIC.replace("degree = 2", 'kind = "fubini-study"').replace("pictures = []", 'pictures = ["sigma"]')
    Path("curve.toml").write_text(text)
    assert "there is no picture 'sigma'" in refused(capsys, "variety", "curve.toml")


def test_the_ladder():
    task = Task.of({"variety": {"family": "fermat"}, "metric": {"degree": 10}})
    assert task.degrees(task.variety()) == [(1,), (2,), (3,), (5,), (10,)]
    balanced = Task.of({"variety": {"family": "fermat"}, "metric": {"kind": "balanced", "degree": 3, "ladder": [1, 2]}})
    assert balanced.degrees(balanced.variety()) == [(1,), (2,), (3,)]


@pytest.mark.slow
def test_the_quintic_of_degree_ten(curve, capsys):
    assert main(["quintic", "--degree", "10", "--points", "20000", "--curvature", "--euler"]) == 0
    measures = numbers("varieties/quintic")["measures"]
    assert measures["sigma"]["value"] < 1e-4
    chi = measures["euler_number"]
    assert abs(chi["value"] + 200) < 3 * chi["error"]
    assert measures["scalar_curvature"]["mean_modulus"]["value"] < 0.05


PRODUCT = """\
[variety]
polynomial = "y0^2*(x0^3+x1^3+x2^3) + y1^2*(x0^3+2*x1^3+4*x2^3)"
ambient = [2, 1]
coordinates = ["x0", "x1", "x2", "y0", "y1"]
[points]
count = 700
[metric]
kind = "algebraic"
degree = 2
class = [1, 2]
[output]
pictures = []
"""


@pytest.mark.parametrize(("new", "kahler_class", "degree"), [
    ('"algebraic"\ndegree = 1\nclass = [1, 2]', [1, 2], [1, 2]),
    ('"algebraic"\ndegree = [1, 2]', None, [1, 2]),
    ('"algebraic"\ndegree = 2\nclass = [0.5, 1]', [0.5, 1], [1, 2]),
    ('"balanced"\ndegree = 1\nclass = [1, 2]', [1, 2], [1, 2]),
    ('"network"\nwork = 1\nhidden = [5]\nclass = [1, 2.5]', [1, 2.5], None),
    ('"fubini-study"\nclass = [0.3, 2]', [0.3, 2], None),
])
def test_every_kind_of_metric_has_a_class(curve, capsys, new, kahler_class, degree):
    (curve / "product.toml").write_text(PRODUCT.replace('"algebraic"\ndegree = 2\nclass = [1, 2]', new))
    assert main(["variety", "product.toml"]) == 0, capsys.readouterr().err
    found = numbers("varieties/product")
    assert found["settings"]["metric.class"] == kahler_class
    assert [rung["degree"] for rung in found["rungs"]] == ([] if degree is None else [degree])
    volume, (first, second) = found["measures"]["volume"], kahler_class or degree
    assert volume["exact"] == pytest.approx(np.pi**2 / 2 * (2 * first**2 + 6 * first * second))
    assert abs(volume["value"] - volume["exact"]) < 5 * volume["error"]


def test_a_metric_of_another_class_is_not_gone_on_from(curve, capsys):
    (curve / "product.toml").write_text(PRODUCT.replace("degree = 2", "degree = 1"))
    assert main(["variety", "product.toml"]) == 0
    (curve / "product.toml").write_text(PRODUCT.replace("class = [1, 2]", "class = [2, 1]"))
    assert "metric.class" in refused(capsys, "variety", "product.toml", "--resume")


@pytest.mark.parametrize(("old", "new", "ladder"), [
    ("", "", [(1, 2), (2, 4)]),
    ("degree = 2", "degree = [3, 6]", [(1, 2), (2, 4), (3, 6)]),
    ("degree = 2", "degree = 4\nladder = [1, 3]", [(1, 2), (3, 6), (4, 8)]),
    ("degree = 2\nclass = [1, 2]", "degree = [4, 6]\nladder = [1, 2]", [(2, 3), (4, 6)]),
    ("class = [1, 2]", "class = [0.5, 1]", [(1, 2)]),
    ("class = [1, 2]", "class = [2, 4]", [(2, 4), (4, 8)]),
])
def test_ladders_stay_in_the_class(curve, old, new, ladder):
    (curve / "product.toml").write_text(PRODUCT.replace(old, new))
    task = Task.read(curve / "product.toml")
    assert task.degrees(task.variety()) == ladder


@pytest.mark.parametrize(("old", "new", "words"), [
    ("[1, 2]", "[1, 2, 3]", ["line 10", "one positive number for each factor"]),
    ("[1, 2]", "[1, 0]", ["line 10", "one positive number for each factor"]),
    ("[1, 2]", "[0.3, 1]", ["line 9", "no line bundle"]),
    ("degree = 2", "degree = [2, 3]", ["line 9", "no whole multiple"]),
])
def test_classes_that_do_not_exist_are_one_message(curve, capsys, old, new, words):
    (curve / "product.toml").write_text(PRODUCT.replace(old, new))
    said = refused(capsys, "variety", "product.toml")
    assert all(word in said for word in words)
