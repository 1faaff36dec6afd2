"""Formulas as docstrings have them, in Unicode, found in prose and made into TeX.

`∂_t g_ij = −2 R_ij` becomes `\\partial_{t} g_{ij} = -2 R_{ij}`. In prose a formula is a run of words that can stand in
one (letters, numbers, functions, operators) with a sign among them that stands nowhere else (a Greek letter, =, ∂).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

SIGNS = {
    "−": "-", "·": r"\cdot ", "×": r"\times ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "≈": r"\approx ",
    "~": r"\sim ", "∂": r"\partial ", "∇": r"\nabla ", "Δ": r"\Delta ", "∫": r"\int ", "Σ": r"\sum ", "Π": r"\prod ",
    "∞": r"\infty ", "⟨": r"\langle ", "⟩": r"\rangle ", "‖": r"\Vert ", "→": r"\to ", "←": r"\leftarrow ",
    "∈": r"\in ", "∘": r"\circ ",
    "½": r"\tfrac12 ", "¼": r"\tfrac14 ", "±": r"\pm ", "∧": r"\wedge ", "⊗": r"\otimes ", "%": r"\%", "#": r"\#",
    "&": r"\&", ">=": r"\ge ", "<=": r"\le ", "$": r"\$", "…": r"\dots ", "...": r"\dots ", "*": r"{*}",
}  # fmt: skip
MARKS = {"\u0304": "bar", "\u0305": "bar", "\u0302": "hat", "\u0303": "tilde", "\u0307": "dot", "\u0308": "ddot"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀⁿᵏ", "0123456789+-()Tnk", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼ", "0123456789+-ij", strict=True))
FUNCTIONS = {
    "log", "exp", "det", "max", "min", "cos", "sin", "tan", "tanh", "arccos", "arg", "argmin", "tr", "dim", "Re", "Im",
    "grad", "div", "Vol", "Ric",
}  # fmt: skip
NAMES = {"FS", "max", "min"}
MARK = "[\u0302-\u0308]"
ABOVE, BELOW = "".join(RAISED), "".join(LOWERED)
PLAIN = rf"[^\W_{ABOVE}{BELOW}]{MARK}*"
LETTER = rf"(?:{PLAIN}|∂{MARK}*)"
GROUP = r"\{[^{}]*\}|\((?:[^()]|\([^()]*\))*\)|\|[^|]*\|"
TOKENS = re.compile(
    rf"(?P<space> {{3,}})|(?P<script>\*\*|[_^])"
    rf"(?P<base>{GROUP}|[−-]?\d+|(?<=[∂∇]_){LETTER}|(?<=∂'_){LETTER}|∂\u0304?|(?<=d\^)d(?=x)|(?:{PLAIN})+|\*)"
    rf"|√(?P<under>(?:det ?|tr ?)?(?:{GROUP}|d?{LETTER}))"
    rf"|(?P<raised>[{ABOVE}]+(?:/[{ABOVE}]+)?)|(?P<lowered>[{BELOW}]+)"
    rf"|(?P<word>[A-Za-z]{{2,}})(?![A-Za-z]|{MARK})|(?P<marked>{LETTER}(?<={MARK}))"
    r"|(?P<star>(?<=[^\W\d_])\*(?!\*))|\.\.\.|[<>]=|."
)
SURE = re.compile(rf"[∂∇Σ∫√‖⟨⟩=≤≥≈∈→←±½¼∞·Α-Ωα-ω{ABOVE}{BELOW}]|[<>]=|{MARK}|[^\W\d_]'*[_^]|\|\w+\|")
BARRED = re.compile(r"[–`\"@]|->|==|__|\w\.[a-z]|^\w{3,}=|=[A-Z][a-z]")
SCRIPT = re.compile(r"(\*\*|[_^])(\{[^{}]*\}|\([^()]*\)|\w+)")
OPERATOR = re.compile(r"[−+=≤≥≠≈·×/<>~≪≫→←∈-]+$")
ARTICLES = {"a", "A", "I", ""}


def pieces(prose: str) -> Iterator[tuple[bool, str]]:
    """Text and formulas, in their order, each with whether it is a formula."""
    words = re.split("( )", unicodedata.normalize("NFD", prose))
    runs: list[tuple[bool, list[str]]] = []
    for word in words:
        possible = can_stand(word) or (word == " " and bool(runs) and runs[-1][0])
        if not runs or runs[-1][0] != possible or re.search(r"[.;:]$", runs[-1][1][-1]):
            runs.append((possible, []))
        runs[-1][1].append(word)
    for possible, run in runs:
        yield from bounded(run) if possible else [(False, "".join(run))]


def can_stand(word: str) -> bool:
    """Whether a word of prose can be a part of a formula."""
    letters = re.findall("[A-Za-z]{2,}", SCRIPT.sub(" ", word))
    long = [each for each in letters if each not in FUNCTIONS and not re.fullmatch("d[A-Za-z]", each)]
    return bool(word.strip()) and not long and not BARRED.search(word)


def bounded(words: list[str]) -> Iterator[tuple[bool, str]]:
    """A run of words without the articles, stops and single parentheses at its ends, which are text."""
    first, last = 0, len(words)
    while first < last and article(words, first, 2):
        first += 1
    while last > first and article(words, last - 1, -2):
        last -= 1
    formula = "".join(words[first:last])
    core = re.sub(r"[.,;:]+$", "", formula) if not formula.endswith("...") else formula
    start = 1 if core.startswith("(") and core.count("(") > core.count(")") else 0
    end = len(core) - 1 if core.endswith(")") and core.count(")") > core.count("(") else len(core)
    core = core[start:end]
    if core.count("(") > core.count(")"):
        core = core[: core.rindex("(")]
    core = re.sub(r",( [A-Za-z])?$", "", core.rstrip(" ,;"))
    place = sum(map(len, words[:first])) + start
    text = "".join(words)
    yield False, text[:place]
    even = all(core.count(left) == core.count(right) for left, right in ("()", "[]", "{}"))
    yield even and bool(SURE.search(whole(core))), core
    rest = text[place + len(core) :]
    yield from bounded(re.split("( )", rest)) if core and SURE.search(whole(rest)) else [(False, rest)]


def article(words: list[str], at: int, way: int) -> bool:
    """Whether the word is an article, or nothing, and no letter of a formula beside an operator."""
    beside = words[at + way] if 0 <= at + way < len(words) else ""
    return words[at].strip() in ARTICLES and not OPERATOR.match(beside)


def tex(formula: str) -> str:
    """One line of a formula in TeX."""
    text = unicodedata.normalize("NFD", formula)
    result = "".join(token(found) for found in TOKENS.finditer(whole(text)))
    return re.sub(r"^(\\? )+|(\\? )+$", "", re.sub(r"(?<=[\w})]) (?=d[a-zA-Zμ])", r"\\, ", result))


def whole(text: str) -> str:
    """Text in which ≠ and ∉, which decompose into a sign and a stroke, are whole again."""
    return text.replace("=\u0338", "≠").replace("∈\u0338", "∉")


def token(found: re.Match[str]) -> str:
    """The TeX of one piece."""
    match found.lastgroup:
        case "space":
            return r"\qquad "
        case "base":
            sign = "^" if found["script"] != "_" else "_"
            return f"{sign}{{{index(found['base'])}}}"
        case "under":
            return rf"\sqrt{{{tex(inner(found['under']))}}}"
        case "raised":
            return "^{" + "".join(RAISED.get(c, c) for c in found["raised"]) + "}"
        case "lowered":
            return "_{" + "".join(LOWERED[c] for c in found["lowered"]) + "}"
        case "word":
            return word(found["word"])
        case "star":
            return "^{*}"
        case "marked":
            return marked(found["marked"])
        case _:
            return SIGNS.get(found[0], found[0])


def inner(group: str) -> str:
    """What stands in braces or parentheses."""
    return group[1:-1] if group[0] in "{(" else group


def index(text: str) -> str:
    """The TeX of what is raised or lowered: letters are indices, unless they are a name."""
    text = text[1:-1] if re.fullmatch(r"\{.*\}|\(.*[/+−-].*\)", text) else text
    if text in NAMES:
        return rf"\mathrm{{{text}}}"
    return tex(re.sub(r"(?<=[A-Za-z])(?=[A-Za-z])", "\u200b", text)).replace("\u200b", "")


def word(text: str) -> str:
    """The TeX of two or more letters: a function, a differential, or a word."""
    if text in FUNCTIONS:
        return rf"\operatorname{{{text}}}"
    if len(text) == 2 and (text.islower() or text[0] == "d") and text not in {"as", "of", "at", "in", "is", "on", "if"}:
        return text
    return rf"\ \text{{{text}}}\ "


def marked(text: str) -> str:
    """The TeX of a letter with marks above it."""
    result = SIGNS.get(text[0], text[0]).strip()
    for mark in text[1:]:
        result = rf"\{MARKS[mark]}{{{result}}}" if mark in MARKS else result
    return result + " "
