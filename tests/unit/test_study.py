"""Studies: rows that are kept, findings that are written, the command, and the numbers of each study."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from geomflow.cli import main
from geomflow.core.errors import InputError, StoreError
from geomflow.study import STUDIES, Corrections, Locality, Mixing, Study, Width, run_study
from geomflow.study.study import KeptRows, averages
from geomflow.study.width import averaged


@dataclass
class Squares(Study):
    """Squares of whole numbers; counts what it measures, and stops at one of them as if it were killed."""

    name, title, question, source = "squares", "Squares", "What are squares?", "arithmetic"
    stops_at: int | None = None
    measured: list[int] = field(default_factory=list)

    def cells(self, quick):
        return [{"number": n} for n in range(3 if quick else 5)]

    def measure(self, cell):
        if cell["number"] == self.stops_at:
            raise KeyboardInterrupt
        self.measured.append(cell["number"])
        return {"square": cell["number"] ** 2, "powers": np.arange(3.0) ** cell["number"]}

    def conclude(self, rows):
        return {"sum": float(sum(row["square"] for row in rows))}

    def answer(self, findings):
        return f"They sum to {findings.numbers['sum']:g}."

    def draw(self, figure, findings):
        figure.subplots().plot(findings["number"], findings["square"])


def test_rows_that_are_kept_are_not_measured_again(tmp_path):
    first, second = Squares(), Squares()
    found = run_study(first, quick=True, folder=tmp_path)
    again = run_study(second, folder=tmp_path)
    assert (first.measured, second.measured) == ([0, 1, 2], [3, 4])
    assert again["square"].tolist() == [0, 1, 4, 9, 16]
    np.testing.assert_array_equal(again["powers"][:3], found["powers"])


def test_a_study_that_was_killed_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_study(Squares(stops_at=3), folder=tmp_path)
    study = Squares()
    assert run_study(study, folder=tmp_path).numbers == run_study(Squares()).numbers
    assert study.measured == [3, 4]


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04cut"])
def test_a_damaged_row_is_named(tmp_path, content):
    run_study(Squares(), folder=tmp_path)
    path = KeptRows(tmp_path / "rows").path("squares", {"number": 2})
    path.write_bytes(content)
    with pytest.raises(StoreError, match=path.name) as failure:
        run_study(Squares(), folder=tmp_path)
    assert "pickle" not in str(failure.value)
    path.unlink()
    study = Squares()
    run_study(study, folder=tmp_path)
    assert study.measured == [2]


def test_a_row_of_another_cell_and_a_row_that_was_changed_are_not_believed(tmp_path):
    kept = KeptRows(tmp_path)
    for number in (1, 2):
        kept.note("squares", {"number": number}, {"square": number**2, "kind": "whole", "curve": [1.0, np.nan]})
    first, second = (kept.path("squares", {"number": number}) for number in (1, 2))
    found = kept.known("squares", {"number": 2})
    assert (found["square"], found["kind"], set(found)) == (4, "whole", {"square", "kind", "curve"})
    with np.load(second) as file:
        arrays = dict(file)
    np.savez(second, **{name: values + 1 if values.dtype.kind == "i" else values for name, values in arrays.items()})
    with pytest.raises(StoreError, match=r"not what was written.*Remove it"):
        kept.known("squares", {"number": 2})
    second.write_bytes(first.read_bytes())
    with pytest.raises(StoreError, match=r'"number": 1.*and its name is that of.*"number": 2'):
        kept.known("squares", {"number": 2})


def test_rows_depend_on_the_cell_and_on_the_study(tmp_path):
    kept = KeptRows(tmp_path)
    paths = {kept.path(name, cell) for name in ("a", "b") for cell in ({"n": 1}, {"n": 2}, {"n": 1, "m": 1})}
    assert len(paths) == 6
    assert kept.path("a", {"n": 1, "m": 2}) == kept.path("a", {"m": 2, "n": 1})
    assert kept.known("a", {"n": 1}) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="taken"):
        run_study(Squares(), folder=tmp_path / "taken")
    with pytest.raises(StoreError, match="taken"):
        run_study(Squares()).save(tmp_path / "taken")


def test_findings_are_written(tmp_path):
    found = run_study(Squares(), quick=True)
    assert found.save(tmp_path / "out") == tmp_path / "out"
    with open(tmp_path / "out" / "table.csv", newline="") as file:
        assert list(csv.DictReader(file)) == [{"number": str(n), "square": str(n * n)} for n in range(3)]
    assert json.loads((tmp_path / "out" / "numbers.json").read_text())["numbers"] == {"sum": 5.0}
    assert (tmp_path / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "out" / "page.md").read_text()
    for text in ("# Squares", "What are squares?", "They sum to 5.", "geomflow study squares --quick", "| sum | 5 |"):
        assert text in page


def test_findings_are_narrowed_by_settings():
    found = run_study(Squares())
    assert found.where(number=3)["square"].tolist() == [9]
    assert found.columns == ["number", "square"]


def test_the_command_lists_studies(capsys):
    assert main(["study", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told and kind.question in told for name, kind in STUDIES.items())


def test_the_command_refuses_unknown_names(capsys):
    assert main(["study", "locallity"]) == 2
    assert "did you mean 'locality'?" in capsys.readouterr().err
    assert main(["study"]) == 2
    assert "--list" in capsys.readouterr().err


def test_the_command_writes_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(STUDIES, "squares", Squares)
    for _ in range(2):
        assert main(["study", "squares", "--quick", "--out", str(tmp_path / "mine")]) == 0
        assert "They sum to 5." in capsys.readouterr().out
    assert len(list((tmp_path / "mine" / "rows").glob("*.npz"))) == 3


@pytest.mark.parametrize("name", STUDIES)
def test_cells_are_plain_distinct_and_fewer_if_quick(name):
    study = STUDIES[name]()
    quick, full = study.cells(True), study.cells(False)
    for cells in (quick, full):
        assert len({json.dumps(cell, sort_keys=True) for cell in cells}) == len(cells)
    assert len(quick) <= len(full)
    assert study.name == name


def rows_of(study, *chosen):
    """The rows of the quick cells that have the chosen settings."""
    cells = [cell for cell in study.cells(True) if any(pick.items() <= cell.items() for pick in chosen)]
    return [{**cell, **study.measure(cell)} for cell in cells]


@pytest.mark.slow
def test_wide_networks_drift_less_and_stay_nearer():
    rows = rows_of(Width(), {"width": 16, "seed": 0}, {"width": 16, "seed": 1}, {"width": 256, "seed": 0},
                   {"width": 256, "seed": 1})
    for name, exponent in (("noise", -0.5), ("drift", -1), ("distance", -1)):
        _, means, _ = averaged(rows, name)
        assert np.log(means[1] / means[0]) / np.log(16) == pytest.approx(exponent, abs=0.3)
    assert all(0.6 < row["energy_left"] < 0.95 for row in rows)


def test_reach_of_gaussians_and_floor_of_cosine_networks():
    rows = rows_of(Locality(), {"kind": "gaussian"}, {"kind": "relu 1", "neurons": 0},
                   *({"kind": "cosine", "neurons": n, "seed": 0} for n in (100, 1000, 10000)))
    numbers = Locality().conclude(rows)
    for width in (0.025, 0.05, 0.1):
        assert numbers[f"reach_gaussian s={width:g}"] == pytest.approx(4 * np.pi * width**2, rel=1e-4)
    assert numbers["worst_gaussian_width_error"] < 1e-4
    assert numbers["reach_relu 1"] > 0.5
    assert numbers["floor_exponent"] == pytest.approx(-0.5, abs=0.1)
    assert 0.01 / 1.5 < numbers["floor_of_the_largest"] < 0.01 * 1.5


@pytest.mark.slow
def test_mixing_of_components():
    rows = rows_of(Mixing(), {"width": 16, "seed": 1}, {"width": 256, "seed": 1})
    numbers = Mixing().conclude(rows)
    assert numbers["mass_independent_before"] == numbers["mass_independent_after"] == 0
    assert numbers["independent_xy_to_xx"] == pytest.approx(0.5, abs=0.1)
    assert 0 < numbers["mass_shared_before"] < 0.01
    assert numbers["mass_cholesky_before"] > numbers["mass_shared_before"]
    before = next(row["before"] for row in rows if row["model"] == "shared").reshape(3, 3)
    np.testing.assert_allclose(before, before.T, rtol=1e-12)
    cholesky = next(row["before"] for row in rows if row["model"] == "cholesky").reshape(3, 3)
    assert cholesky[0, 2] == 0 < cholesky[0, 1]


def test_the_measure_and_the_index_structure_matter():
    rows = rows_of(Corrections(), {"correction": "a"})
    values = {row["case"]: row["values"] for row in rows}
    np.testing.assert_allclose(values["with"], values["ricci"], rtol=1e-9)
    assert abs(values["without"][-1] / values["ricci"][-1] - 1) == pytest.approx(0.0933, abs=2e-3)
    (row,) = rows_of(Corrections(), {"correction": "b", "case": "without"})
    assert abs(row["values"][-1] / values["ricci"][-1] - 1) == pytest.approx(0.055, abs=2e-3)
    assert row["number"] > 1


def test_growth_is_capped():
    rows = rows_of(Corrections(), {"correction": "d", "wave": 2})
    rates = {row["case"]: row["number"] for row in rows}
    square = (4 * np.pi) ** 2
    assert rates["none"] == pytest.approx(square, rel=1e-4)
    assert rates["gaussian"] == pytest.approx(square * np.exp(-square * 0.09**2 / 2), rel=1e-4)
    assert rates["deturck"] == pytest.approx(-rates["gaussian"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["with", "without"])
def test_off_diagonal_components_run_twice_as_fast_without_the_factor(case):
    rows = rows_of(Corrections(), *({"correction": "c", "case": f"{case} {part}"} for part in ("xx", "xy")))
    assert rows[1]["number"] / rows[0]["number"] == pytest.approx(1 if case == "with" else 2, abs=0.01)


@pytest.mark.parametrize("wrong", ["width", Squares])
def test_what_is_no_study_is_refused(wrong):
    with pytest.raises(InputError, match="takes a study such as"):
        run_study(wrong)


def test_averages_are_over_the_rows_of_each_place_in_order():
    rows = [{"width": 8, "gain": 3.0}, {"width": 4, "gain": 1.0}, {"width": 8, "gain": 5.0}]
    widths, means = averages(rows, "width", "gain")
    assert (widths.tolist(), means.tolist()) == ([4, 8], [1.0, 4.0])
    assert averages(iter(rows), "width", "gain", lambda gains: (min(gains), max(gains)))[1].tolist() == [[1, 1], [3, 5]]
    assert [len(part) for part in averages([], "width", "gain")] == [0, 0]
