"""How docstrings become pages: formulas in Unicode are mathematics, sections are fields, all other signs are text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_ext"))

formulas = pytest.importorskip("formulas")
plain_docstrings = pytest.importorskip("plain_docstrings")
glossary_terms = pytest.importorskip("glossary_terms")


@pytest.mark.parametrize(("text", "tex"), [
    ("∂_t g_ij = −2 R_ij", r"\partial _{t} g_{ij} = -2 R_{ij}"),
    ("Γ^k_ij", r"Γ^{k}_{ij}"),
    ("g_{ab̄}", r"g_{a\bar{b}}"),
    ("∇_i∇_jf", r"\nabla _{i}\nabla _{j}f"),
    ("√det g dx²", r"\sqrt{\operatorname{det} g}\, dx^{2}"),
    ("R − R̄", r"R - \bar{R}"),
    ("Σ_p w_p|1 − v_p|", r"\sum _{p} w_{p}|1 - v_{p}|"),
    ("e^(−x/2)", "e^{-x/2}"),
])  # fmt: skip
def test_formulas_become_tex(text, tex):
    assert formulas.tex(text) == tex


@pytest.mark.parametrize(("text", "found"), [
    ("Calabi flow ∂φ/∂t = R − R̄, on a torus.", ["∂φ/∂t = R − R̄"]),
    ("A σ of 3 points (of g_ij too).", ["σ", "g_ij"]),
    ("The σ-measure of kahler_class in `t1` is a Ricci–DeTurck one of shape (*grid, d).", []),
    ("A grid of n = 3 a side.", ["n = 3"]),
    ("J = ∂f/∂θ, (p, outputs).", ["J = ∂f/∂θ"]),
    ("K = Σ t_i (t_i = 1 unless given), F(v)dμ, P invariant.", ["K = Σ t_i", "t_i = 1", "F(v)dμ"]),
])  # fmt: skip
def test_formulas_are_found_in_prose(text, found):
    import unicodedata

    pieces = list(formulas.pieces(text))
    assert unicodedata.normalize("NFC", "".join(piece for _, piece in pieces)) == text
    assert [unicodedata.normalize("NFC", piece) for formula, piece in pieces if formula] == found


def test_sections_of_fields_stay_and_what_is_said_in_them_is_text():
    text = "Sum of |x|.\n\nParameters\n----------\n*args : (*grid, d) array\n    Names_ of `x`.\n\nSource: eq. (2)."
    assert plain_docstrings.converted(text.splitlines()) == [
        "Sum of \\ :math:`|x|`\\ .", "", "Parameters", "----------", "*args : (\\*grid, d) array",
        "    Names\\_ of ``x``\\ .", "", "", "", "Source: eq. (2).", "",
    ]  # fmt: skip


def test_every_word_of_the_glossary_is_explained_by_the_package():
    entries = list(glossary_terms.entries())
    assert len(entries) > 60
    assert [term for term, meaning, _ in entries if len(meaning) < 10] == []
