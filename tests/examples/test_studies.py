"""Every study at its quick size: it is carried out, written and answered.

Where GEOMFLOW_STUDIES names a folder, the rows stay there for the documentation.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geomflow.study import STUDIES, run_study


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_study_at_its_quick_size(name, tmp_path):
    folder = Path(os.environ.get("GEOMFLOW_STUDIES", tmp_path)) / name
    findings = run_study(STUDIES[name](), quick=True, folder=folder)
    findings.save(folder)
    assert {path.name for path in folder.iterdir()} == {"rows", "table.csv", "numbers.json", "figure.png", "page.md"}
    assert findings.answer.endswith(".")
    assert "nan" not in findings.page()
