"""Run files that are right, and how they are made wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

#: A run file: its tables in order, each a list of (key, what stands after "=").
Document = list[tuple[str, list[tuple[str, str]]]]

_SOLVE = ("solve", [("t1", "1e-5"), ("save", "2"), ("max_steps", "30")])
_OUTPUT = ("output", [("pictures", "[]")])

RUNS: dict[str, Document] = {
    "calabi": [
        ("geometry", [("type", '"complex torus"'), ("dim", "1")]),
        ("grid", [("n", "8"), ("order", "4")]),
        ("state", [("potential", '"cos(2*pi*x)/100"'), ("reference", '[["1/2"]]')]),
        ("flow", [("name", '"calabi"')]),
        _SOLVE,
        ("events", [("steady", "1e-9"), ("curvature", "1e9")]),
        _OUTPUT,
    ],
    "ricci": [
        ("geometry", [("type", '"torus"'), ("dim", "2"), ("periods", "[1, 2.0]")]),
        ("grid", [("n", "[8, 8]")]),
        ("state", [("metric", '[["1 + cos(2*pi*x)/5", "0"], ["0", "1"]]')]),
        ("flow", [("name", '"ricci-deturck"')]),
        ("solve", [("t1", "1e-5"), ("t0", "0"), ("stepper", '"rk4"'), ("rtol", "1e-3"), ("max_steps", "30")]),
        ("output", [("pictures", '["monitors"]')]),
    ],
    "expression": [
        ("geometry", [("type", '"torus"'), ("dim", "1"), ("lattice", "[[1.0]]")]),
        ("grid", [("n", "16"), ("scheme", '"spectral"')]),
        ("state", [("scalar", '"sin(2*pi*x)"')]),
        ("flow", [("name", '"expression"'), ("rate", '"kappa*laplacian(u)"'), ("kappa", "0.1")]),
        _SOLVE,
        _OUTPUT,
    ],
    "kernel": [
        ("geometry", [("type", '"torus"'), ("dim", "2")]),
        ("grid", [("n", "8")]),
        ("state", [("metric", '[["1 + cos(2*pi*x)/5", "0"], ["0", "1"]]')]),
        ("flow", [("name", '"gradient"'), ("functional", '"einstein-hilbert"'), ("forced", "true")]),
        ("kernel", [("name", '"gaussian"'), ("scale", "0.2"), ("structure", '"kronecker"'), ("seed", "1")]),
        _SOLVE,
        _OUTPUT,
    ],
    "network-kernel": [
        ("geometry", [("type", '"torus"'), ("dim", "2")]),
        ("grid", [("n", "8")]),
        ("state", [("metric", '[["1 + cos(2*pi*x)/5", "0"], ["0", "1"]]')]),
        ("flow", [("name", '"gradient"'), ("functional", '"einstein-hilbert"'), ("forced", "true")]),
        ("kernel", [("name", '"network"'), ("activation", '"erf"'), ("depth", "2"), ("seed", "1")]),
        _SOLVE,
        _OUTPUT,
    ],
    "gradient": [
        ("geometry", [("type", '"complex torus"'), ("dim", "1")]),
        ("grid", [("n", "8")]),
        ("state", [("potential", '"cos(2*pi*x)/100"')]),
        ("flow", [("name", '"gradient"'), ("functional", '"ef"'), ("function", '"(v - 1)^2"')]),
        _SOLVE,
        _OUTPUT,
    ],
}

_POINTS = ("points", [("count", "60"), ("unseen", "50"), ("seed", "1")])
_MEASURE = ("measure", [("curvature", "10"), ("euler", "20")])

VARIETIES: dict[str, Document] = {
    "dwork": [
        ("variety", [("family", '"dwork"'), ("degree", "3"), ("psi", '"1/2"')]),
        _POINTS,
        ("metric", [("kind", '"algebraic"'), ("degree", "2"), ("ladder", "[1]"), ("work", "5.0")]),
        _MEASURE,
        _OUTPUT,
    ],
    "polynomial": [
        ("variety", [("polynomial", '"x^3*u^2 + y^3*v^2 + z^3*(u^2 + u*v/2 - v^2)"'), ("ambient", "[2, 1]"),
                     ("coordinates", '["x", "y", "z", "u", "v"]')]),
        _POINTS,
        ("metric", [("kind", '"balanced"'), ("degree", "1"), ("symmetry", "false")]),
        _OUTPUT,
    ],
    "fubini-study": [
        ("variety", [("family", '"fermat"'), ("degree", "3")]),
        ("points", [("file", '"kept.npz"'), ("unseen", "50")]),
        ("metric", [("kind", '"fubini-study"'), ("class", "[1.0]")]),
        _MEASURE,
        ("output", [("pictures", '["slices"]')]),
    ],
    "network": [
        ("variety", [("family", '"fermat"'), ("degree", "3")]),
        _POINTS,
        ("metric", [("kind", '"network"'), ("hidden", "[4]"), ("work", "0.2"), ("activation", '"gelu"')]),
        _OUTPUT,
    ],
}

#: What a key may be given instead, as it stands in a file.
VALUES = [
    "100000",
    "", "0", "-1", "1", "2", "3", "1.5", "-0.0", "true", "nan", "-nan", "inf", "-inf", "1e400", "1e308", "-1e308",
    "1e-320", "5e-324", "1e-9", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "10000000",
    "1000000000000", "1" * 400, "1" * 5000, "-" + "9" * 400, "0." + "1" * 5000, f"1e{'9' * 400}", "0x" + "f" * 5000,
    "[]", "[[]]", "[[], []]", "[0]", "[nan]", "[inf]", "[1, 2, 3, 4, 5, 6, 7, 8]", '[1, "a"]', "[1e400]", "[-1]",
    "[1, 1]", f"[{'1, ' * 5000}]", "[" * 5000 + "]" * 5000, "[" * 40 + "]" * 40, "{}", "{a = 1}", "{a = {a = {}}}",
    "1979-05-27", "07:32:00", '""', '" "', '"0"', '"x"', '"nan"', '"oo"', '"zoo"', '"I"', '"E"', '"lambda"', '"None"',
    '["x", "x"]', '["x", "y", "z", "z", "u"]', '[""]', f'"{"x" * 5000}"', f'["{"x" * 5000}"]', '"\\u0000"', '"a\\nb"',
    '"\\U0001D524"', '"ϕ"', '"ﬁ"', '"x\\u0301"', '"\\u202Ex"', '"१"', '"１"', '"∂"', '"²"', '"x²"', '"../.."', '"/"',
    '"."', '"/dev/null"', '"a/b"', '"1/0"', '"0/0"', '"x/(x-x)"', '"log(0)"', '"1/sin(0)"', '"sqrt(-1)"', '"x^(10^9)"',
    '"9^9^9^9"', '"2^-9^9"', '"1e99999"', '"1e-99999"', '"(x+y)^200"', '"(x+y+z)^200"', '"exp(exp(exp(9)))"',
    '"factorial(10^7)"', '"gamma(x)"', '"sin("', '"sin()"', '"sin(x, x)"', '"x +"', '"x y"', '"x = 1"', '"x == 1"',
    '"x < 1"', '"x; x"', '"x.real"', '"x[0]"', '"[x]"', '"(x, x)"', '"f(x)"', '"x if x else x"', '"lambda x: x"',
    '"\'a\'"', '"0x10"', '"1_000"', '"1__0"', '"1j"', '"abs(x)"', '"u"', '"u^3"', '"d(u,x)"', '"d(u)"', '"v"', '"-v^2"',
    f'"{"(" * 3000}x{")" * 3000}"', f'"{"-" * 3000}x"', f'"{"+".join(["x"] * 3000)}"', f'"{"*".join(["x"] * 3000)}"',
    f'"{"x^" * 300}x"', f'"{"sin(" * 150}x{")" * 150}"', f'"{"1" * 5000}"', f'"{"9" * 400}*x"', f'"0.{"1" * 5000}*x"',
    '"x*10^400"', '"x*10^-400"', '"algebraic"', '"balanced"', '"network"', '"rk4"', '"dwork"', '"ricci"', '"gradient"',
    '"torus"', '"spectral"', '"relu"', '[["x"]]', '[["1", "x"], ["0", "1"]]', '[["1", "0"], ["0", "-1"]]', "[[1, 2]]",
    '[["nan"]]', "[[nan]]", "[[0.0, 0.0], [0.0, 0.0]]", "[[1.0, 1.0], [1.0, 1.0]]", '[["i"]]', "[[1e400]]",
]  # fmt: skip

Change = Callable[[Random, Document], Document]


def written(document: Document) -> str:
    """A document as the text of a file."""
    return "\n".join(f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in keys) for table, keys in document)


def _place(random: Random, document: Document) -> tuple[int, int]:
    table = random.randrange(len(document))
    return table, random.randrange(len(document[table][1]))


def _with(document: Document, table: int, keys: list[tuple[str, str]]) -> Document:
    return [*document[:table], (document[table][0], keys), *document[table + 1 :]]


def another_value(random: Random, document: Document) -> Document:
    """Some key holds something else."""
    table, key = _place(random, document)
    keys = list(document[table][1])
    keys[key] = (keys[key][0], random.choice(VALUES))
    return _with(document, table, keys)


def two_values(random: Random, document: Document) -> Document:
    """Two keys hold something else."""
    return another_value(random, another_value(random, document))


def without(random: Random, document: Document) -> Document:
    """A key or a table is missing."""
    table, key = _place(random, document)
    keys = document[table][1]
    left = keys[:key] + keys[key + 1 :]
    return _with(document, table, left) if random.random() < 0.7 else document[:table] + document[table + 1 :]


def another_name(random: Random, document: Document) -> Document:
    """A key or a table has another name, or stands there twice."""
    table, key = _place(random, document)
    name, keys = document[table]
    old, value = keys[key]
    new = random.choice([old + "s", "x" * 5000, '""', '"a.b"', "a.b", '"\\u0000"', '"ϕ"', "self", "geometry", old,
                         "name", "metric", "file", "--", "a b", "parameters", "class", "torus", "speed", "seed"])
    if random.random() < 0.7:
        return _with(document, table, [*keys[:key], (new, value), *keys[key + (new != old) :]])
    return [*document[:table], (random.choice([new, name + "]\n[" + name, "[" + name]), keys), *document[table + 1 :]]


def another_key(random: Random, document: Document) -> Document:
    """A key that the document had not."""
    table = random.randrange(len(document))
    known = ["periods", "lattice", "order", "reference", "scalar", "potential", "function", "density", "parameters",
             "measure", "forced", "depth", "batch", "t0", "stepper", "rtol", "atol", "save", "steady", "positivity",
             "file", "ladder", "functional", "class", "hidden", "activation", "euler", "pictures", "gauge", "u", "x"]
    keys = [*document[table][1], (random.choice(known), random.choice(VALUES))]
    return _with(document, table, keys)


#: Each as often as it stands here.
CHANGES: tuple[Change, ...] = (
    another_value, another_value, another_value, two_values, without, another_name, another_key,
)  # fmt: skip


def spoiled(random: Random, text: str) -> bytes:
    """The bytes of a file of which some are others, missing, or too many; or of no such file at all."""
    data = bytearray(text.encode())
    match random.randrange(6):
        case 0:
            for _ in range(random.choice([1, 3, 20])):
                data[random.randrange(len(data))] = random.randrange(256)
        case 1:
            del data[random.randrange(len(data)) :]
        case 2:
            place = random.randrange(len(data))
            data[place:place] = random.randbytes(random.choice([1, 10, 1000]))
        case 3:
            lines = text.splitlines()
            random.shuffle(lines)
            data[:] = "\n".join(lines).encode()
        case 4:
            noise = random.randbytes(90)
            data[:] = random.choice([b"", b"\0" * 100, b"\xef\xbb\xbf" + data, data * 2, b"PK\3\4" + noise,
                                     b'"""' + data, text.encode("utf-16"), b"[" * 100_000, b"a=" * 1000])
        case _:
            data[:] = random.randbytes(random.choice([1, 50, 5000]))
    return bytes(data)
