"""Every study at its quick size: it is carried out, written and answered."""

from __future__ import annotations

import pytest

from geomflow.study import STUDIES, run_study


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_study_at_its_quick_size(name, tmp_path):
    findings = run_study(STUDIES[name](), quick=True, folder=tmp_path)
    findings.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"rows", "table.csv", "numbers.json", "figure.png", "page.md"}
    assert findings.answer.endswith(".")
    assert "nan" not in findings.page()
    assert not {words for words, _ in findings.study.words.told(findings.numbers)} & set(findings.numbers)
    assert 1 <= len(list(findings.study.words.headlines(findings.numbers))) <= 3
