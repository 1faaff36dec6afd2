"""Wrong texts in the language of rates: each error shows the place, says what is wrong and what to write instead."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import ExpressionError, InputError, PositivityError, UnknownNameError

GRID = gf.Torus(dim=2).grid(9, order=2)
PARTS = {"g": GRID.metric(), "f": GRID.scalar(0), "h": GRID.scalar(0), "A": GRID.form(["0", "0"]),
         "B": GRID.form({"xy": "0"}), "X": GRID.vector(["0", "0"])}


def unknown(name):
    return sympy.Function(name)(*sympy.symbols("x y"))


def bound(rates, names="gfhABX", **options):
    state = GRID.fields(**{name: PARTS[name] for name in names})
    return gf.Flow.from_expression(rates, **options).bind(state)


def rate_of(rates, where, state):
    problem = gf.Flow.from_expression(rates, where=where, forced=True).bind(state)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    return out


WRONG = [
    # indices
    ("g", "Ric[i,j]*X[j]", 1, "symmetric tensor with 2 lower indices, was expected, and this is a covector with the "
                              "free index i"),
    ("f", "Ric[i,i]*d(f)[k]", 1, "the free index k: an index that is written twice is summed over"),
    ("g", "R[i,k,l,m]*R[j,k,l,n]", 1, "with the free indices i, j, m, n"),
    ("f", "1 + R[i,j,k]", 6, "3 indices are given, and what stands before has 2 or 4"),
    ("g", "Ric[i]", 4, "1 index is given, and what stands before has 2"),
    ("f", "f[i]", 2, "1 index is given, and what stands before has none"),
    ("f", "Rm[i,i,i,j]", 3, "'i' comes more than twice: give the others another name"),
    ("f", "h + X[i]*A[i]*d(f)[i]", 5, "'i' comes more than twice in this product: give the others another name"),
    ("g", "2*Ric[i,j] + Ric[i,k]", 14, "the free indices of this term are i, k, and those of another i, j"),
    ("g", "Ric[i,j]*Hess(f)", 1, "name them in both"),
    ("g", "A[i]*d(f)[j] + A*d(f)", 16, "not symmetric, are not: name them in both"),
    ("g", "Ric[i,j] + X[i]*d(f)[j]", 12, "a tensor with 1 upper index and 1 lower index, and another term is a tensor "
                                         "with 2 lower indices: they have no sum: lower an index by g, as "
                                         "g[i,j]*X[j] does"),
    ("g", "Ric[i,j][k,l]", 9, "named already (i, j)"),
    ("g", "Ric[i,j", 4, "write names with commas between them, as in Ric[i, j]"),
    ("g", "Ric[i;j]", 4, "write names with commas between them"),
    ("g", "Ric[1,2]", 4, "write names with commas between them"),
    ("f", "h + Ric[x,x]", 8, "'x' is the name of something else here, and components cannot be picked: an index is a "
                             "letter that is no other name, such as i"),
    ("f", "A[x]*A[x]", 2, "'x' is the name of something else here"),
    ("f", "Ric[t,j]*X[j]", 4, "'t' is the name of something else here"),
    ("f", "Ric[f,j]", 4, "'f' is the name of something else here"),
    # types of rates
    ("f", "Ric", 1, "the rate of a function was expected, and this is a tensor with 2 lower indices"),
    ("g", "R", 1, "symmetric tensor with 2 lower indices, was expected, and this is a scalar: products with tensors"),
    ("X", "d(f)", 1, "this is a covector: d(f) has its index down and grad(f) up"),
    ("A", "grad(f)", 1, "a 1-form was expected, and this is a vector: d(f) has its index down"),
    ("A", "d(A)", 1, "a 1-form was expected, and this is a tensor with 2 lower indices"),
    ("B", "A", 1, "a 2-form was expected, and this is a covector"),
    ("B", "Ric", 1, "a 2-form changes the sign when two indices change places, and its rate does not"),
    ("g", "d(f)*d(h)", 1, "a metric is symmetric, and its rate is not: write sym(...) around it"),
    ("g", "d(A)", 1, "write sym(...) around it (the rate of 'g')"),
    # types of arguments
    ("f", "R + Ric", 5, "this is a tensor with 2 lower indices, and another term is a scalar: they have no sum"),
    ("f", "1/Ric", 2, "one divides by a scalar, and this is a tensor"),
    ("g", "Ric^2", 4, "a power is of a scalar"),
    ("f", "2^Ric", 2, "an exponent is a scalar"),
    ("f", "1 + sin(Ric)", 5, "sin(s) is of a scalar"),
    ("f", "dot(Ric, d(f))", 1, "two tensors with equally many indices, and these are a tensor with 2 lower indices and "
                               "a covector"),
    ("f", "dot(f, h)", 1, "these are a scalar and a scalar"),
    ("f", "trace(d(f))", 1, "trace(T) contracts the first two indices, and T is a covector"),
    ("g", "sym(d(f))", 1, "sym(T) takes a tensor with two indices"),
    ("g", "Hess(d(f))", 1, "Hess(f) is of a scalar, and this is a covector"),
    ("g", "flat.Hess(A)", 1, "Hess(f) is of a scalar, and this is a covector"),
    ("f", "div(f)", 1, "div takes a vector, or div(f_x, f_y)"),
    ("A", "grad(A)", 1, "grad(f) is of a scalar"),
    ("f", "f - mean(Ric)", 5, "mean(s) is of a scalar"),
    ("f", "integral(d(f))", 1, "integral(s) is of a scalar"),
    ("g", "Lie(Ric, g)", 1, "moves along a vector, and X is a tensor with 2 lower indices"),
    ("A", "star(Ric)", 1, "star(ω) takes forms"),
    ("B", "wedge(A, Ric)", 1, "wedge(a, b) takes forms"),
    ("B", "d(X)", 1, "d(ω) takes forms"),
    ("f", "d(A, x)", 1, "d(s, x) differentiates a scalar"),
    ("f", "d(f, f)", 1, "along coordinates (x, y); write d(u, x)"),
    # names and arguments
    ("f", "laplacian(q)", 11, "unknown name 'q'; known here: A, B, ChernRic, R, Ric"),
    ("f", "2*Rci", 3, "did you mean 'Ric'?"),
    ("f", "laplacan(f)", 1, "did you mean 'laplacian'?"),
    ("f", "flat.lapl(f)", 1, "did you mean 'flat.laplacian'?"),
    ("f", "g_xx", 1, "unknown name 'g_xx'"),
    ("f", "laplacian f", 1, "needs an argument"),
    ("f", "h*R(f)", 3, "'R' is not a function; write '*' to multiply"),
    ("f", "dot(d(f))", 1, "1 argument was given: write dot(a, b)"),
    ("f", "laplacian(f, h)", 1, "2 arguments were given: write laplacian(T)"),
    ("f", "laplacian()", 1, "0 arguments were given: write laplacian(T)"),
    ("f", "conj(f)", 1, "no function of real numbers that a grid has: leave it out"),
    # signs and numbers
    ("f", "(f", 1, "its bracket is not closed"),
    ("f", "f)", 2, "')' does not belong here"),
    ("f", "f**", 4, "a number, a name or a bracket is missing here"),
    ("f", "2 f", 3, "write '*' to multiply"),
    ("f", "f = 1", 3, "only numbers, names"),
    ("f", "f, h", 2, "',' does not belong here"),
    ("f", "f/(1 - 1)", 2, "division by zero"),
    ("f", "h + f/(f - f)", 6, "division by zero"),
    ("f", "0^(-1)", 2, "division by zero"),
    ("f", "f + log(0)", 5, "not finite: look at where it is defined"),
    ("f", "sqrt(-1)*f", 1, "functions on a grid are real"),
    ("f", "2*i*f", 3, "functions on a grid are real"),
    ("f", "9^9^9^9", 4, "too large to be written exactly"),
    ("f", "f^(9^9)", 2, "too large to be written exactly"),
    ("f", "1e999", 1, "beyond double precision"),
    ("f", "f + 1e400*h", 5, "beyond double precision"),
    ("f", "1e-400*f", 1, "beyond double precision"),
    ("f", "2^2000*f", 2, "beyond double precision"),
    ("f", "h + 1e200*f*1e200", 5, "a number in this product is beyond double precision"),
    ("f", "f/1e200/1e200", 1, "a number in this product is beyond double precision"),
    ("f", "f +\n q", 6, "unknown name 'q'"),
    ("f", "(" * 300 + "f" + ")" * 300, 200, "more than 200 levels of nesting"),
]


def test_there_are_enough():
    assert len({text for _, text, *_ in WRONG}) >= 60


@pytest.mark.parametrize(("name", "text", "column", "advice"), WRONG)
def test_the_place_is_shown_and_advice_is_given(name, text, column, advice):
    with pytest.raises(ExpressionError) as raised:
        bound({name: text})
    message, shown, caret = str(raised.value).split("\n")
    assert message.startswith(f"at column {column}: ")
    assert advice in message
    assert message.endswith(f"(the rate of '{name}')")
    assert caret.endswith("^")
    place = len(caret) - 1
    assert shown[place:] == text.replace("\n", " ")[column - 1 : column - 1 + len(shown[place:])]


@pytest.mark.parametrize("word", ["R", "Ric", "Ric2", "Rm", "Rm2", "Weyl"])
def test_curvature_without_a_metric(word):
    with pytest.raises(ExpressionError, match=rf"at column 3: {word} belongs to a metric.*\(g=grid\.metric"):
        bound({"f": f"2*{word}"}, "f")


@pytest.mark.parametrize(("rates", "options", "kind", "message"), [
    ("-2*Ric", {}, InputError, "give a mapping from their names, as in {'g': ..., 'f': ..."),
    ({"q": "0"}, {}, InputError, r"none of the rates \(q\) is that of a field of the state, which are g, f"),
    ({"g": "0*g", "q": "0"}, {}, InputError, "there is a rate for 'q', and the fields of the state are g, f"),
    ({}, {}, InputError, "no rate was given"),
    ({"f": ""}, {}, ExpressionError, "'f' is empty: write 0 for zero"),
    ({"f": "  "}, {}, ExpressionError, "'f' is empty: write 0 for zero"),
    ({"f": "f+" * 40000 + "f"}, {}, ExpressionError, "80001 characters is too long; the most is 50000"),
    ({"f": None}, {}, ExpressionError, "give text or a sympy expression"),
    ({"f": "0"}, {"gauge": "harmonic"}, UnknownNameError, "unknown gauge 'harmonic'; choose one of: deturck, "),
    ({"g": "-2*Ric"}, {"gauge": "deturck"}, InputError, "'f' has no rate: give it the rate 0, or leave the gauge out"),
    ({"f": "P"}, {"where": {"P": "Q", "Q": "P"}}, ExpressionError, "'Q' stands on itself or comes later.*before it"),
    ({"f": "P"}, {"where": {"P": "f + P"}}, ExpressionError, "at column 5: the definition 'P' stands on itself"),
    ({"f": "P"}, {"where": {"P": "q"}}, ExpressionError, "unknown name 'q'.*the definition of 'P'"),
    ({"f": "c*f"}, {}, ExpressionError, "unknown name 'c'; known here: "),
    ({"f": "P"}, {"where": {"P": ""}}, ExpressionError, "'P' is empty"),
    ({"f": "P"}, {"where": {"P": "Ric"}}, ExpressionError, "the rate of a function was expected"),
    ({"f": "P"}, {"where": "P = 3"}, InputError, "must be a mapping from names to definitions"),
    ({"f": "f"}, {"where": {"P": "k*f"}, "k": 1}, InputError, "the parameter 'k' does not occur"),
    ({"f": "f"}, {"where": {"P q": "1"}}, InputError, "cannot be the name of a definition"),
    ({"f": "f"}, {"where": {1: "1"}}, InputError, "cannot be the name of a definition"),
    ({"f": "f"}, {"where": {"R": "f"}}, InputError, "'R' is a curvature of the equation and cannot be a definition"),
    ({"f": "a*f"}, {"where": {"a": "f"}, "a": 1}, InputError, "'a' is a parameter and a definition: give one"),
    ({"f": "R*f"}, {"R": 1}, InputError, "'R' is a curvature.*give the parameter another name"),
    ({"f": "t*f"}, {"t": 1}, InputError, "'t' is the time.*give the parameter another name"),
    ({"f": "x*f"}, {"x": 1}, InputError, "'x' is a coordinate.*give the parameter another name"),
    ({"f": "d(f, x)"}, {"d": 1}, InputError, "'d' is an operator.*give the parameter another name"),
    ({"f": "pi*f"}, {"pi": 3}, InputError, "'pi' is a number of the equation.*give the parameter another name"),
    ({"f": "e*f"}, {"where": {"e": "2"}}, InputError, "'e' is a number of the equation.*give the definition another"),
    ({"f": "Ric[a,a]*a"}, {"a": 1}, ExpressionError, "at column 4: 'a' is the name of something else here"),
    ({"f": "P*Ric[Q,Q]"}, {"where": {"P": "2", "Q": "f"}}, ExpressionError, "at column 6: 'Q' is the name of"),
    ({"f": "P"}, {"where": {"P": "Ric[Q,Q]", "Q": "f"}}, ExpressionError, "at column 4: 'Q' is the name of"),
    ({"g": "-2*Ric + sin(2*pi*x)^2*g", "f": "0"}, {"gauge": "deturck", "covariant": False}, InputError,
     "the rate of 'g' names x.*a gauge adds L_Y.*leave the gauge out"),
    ({"f": "f"}, {"a": 1}, InputError, "the parameter 'a' does not occur"),
    ({"f": "alpha*f"}, {"alhpa": 1}, ExpressionError, "unknown name 'alpha'; did you mean 'alhpa'"),
    ({"f": "a*f"}, {"a": "q"}, InputError, "the parameter 'a' must be a real number"),
    ({"f": "sin(x)*f"}, {}, InputError, r"not periodic in x.*Write it with functions of 2\*pi\*x"),
    ({"f": "mean(x)*f"}, {}, InputError, r"not periodic in x.*Write it with functions of 2\*pi\*x"),
    ({"f": "P*f"}, {"where": {"P": "y^2"}}, InputError, "not periodic in y"),
    ({"f": sympy.Symbol("q")}, {}, ExpressionError, "depends on 'q'.*known are x, y, t, g, f"),
    ({"f": sympy.Symbol("g")}, {}, ExpressionError, "'g' is a tensor with 2 lower indices.*write the rate as text"),
    ({"f": sympy.I}, {}, ExpressionError, "functions on a grid are real"),
    ({"f": unknown("q")}, {}, ExpressionError, "depends on the function 'q'.*g_yy, f"),
    ({"f": sympy.Derivative(unknown("f"), sympy.Symbol("t"))}, {}, ExpressionError,
     "differentiated along 't', which is no coordinate; these are x, y"),
    ({"f": sympy.Derivative(sympy.Symbol("f") ** 2, sympy.Symbol("q"))}, {}, ExpressionError,
     "differentiated along 'q'"),
])
def test_what_has_no_place_in_a_text_is_named_with_advice(rates, options, kind, message):
    with pytest.raises(kind, match=f"(?s){message}"):
        bound(rates, "gf", **options)


def test_two_metrics():
    with pytest.raises(InputError, match=r"2 metrics \(g, k\).*keep the others as symmetric tensors"):
        gf.Flow.from_expression({"g": "-2*Ric"}).bind(GRID.fields(g=GRID.metric(), k=GRID.metric()))


@pytest.mark.parametrize(("name", "what"), [("R", "a curvature"), ("t", "the time"), ("x", "a coordinate"),
                                            ("d", "an operator"), ("dV", "the volume density"), ("pi", "a number"),
                                            ("i", "a number")])
def test_names_of_fields_that_mean_something_else(name, what):
    with pytest.raises(InputError, match=f"'{name}' is {what} of the equation.*cannot be a field too: give"):
        gf.Flow.from_expression({"f": "0"}).bind(GRID.fields(**{"f": "0", name: "0"}))


def test_names_of_fields_with_underscores():
    with pytest.raises(InputError, match=r"'f_a' cannot be the name of a field.*without an underscore"):
        GRID.fields(f_a="0")


CURVE = gf.ComplexTorus(dim=1).grid(9, order=2)


@pytest.mark.parametrize(("rate", "column", "message"), [
    ("-Ric", 1, r"a potential has a function for its rate s, which changes g_\{ab̄\} by ∂_a∂_b̄ s, and this is a tensor "
                r"with 2 lower indices: log\(v\) stands for -Ric"),
    ("d(v)", 1, "the rate of a potential, a function, was expected, and this is a covector"),
    ("log(w)", 5, "unknown name 'w'"),
    ("log(v, 2)", 1, "'log' cannot take 2 arguments"),
    ("laplacian(v", 1, "its bracket is not closed"),
    ("R - mean(Ric)", 5, r"mean\(s\) is of a scalar, and this is a tensor with 2 lower indices"),
    ("v[i]", 2, "1 index is given, and what stands before has none"),
])
def test_wrong_words_on_potentials(rate, column, message):
    with pytest.raises(ExpressionError, match=f"at column {column}: .*?{message}"):
        gf.Flow.from_expression({"phi": rate}).bind(CURVE.potential())


def test_the_volume_ratio_belongs_to_potentials():
    with pytest.raises(ExpressionError, match=r"at column 5: v is the volume ratio of a Kähler potential, and this "
                                              r"state has none: it is made by grid\.potential\(\.\.\.\) on a"):
        bound({"f": "log(v)"}, "gf")


@pytest.mark.parametrize("parts", [{"phi": CURVE.potential(), "psi": CURVE.potential()},
                                   {"phi": CURVE.potential(), "g": CURVE.metric()}])
def test_potentials_beside_another_metric(parts):
    with pytest.raises(InputError, match=r"2 metrics \(phi, (psi|g)\).*and potentials as scalars"):
        gf.Flow.from_expression({"phi": "log(v)"}).bind(CURVE.fields(**parts))


def test_potentials_have_no_gauge():
    with pytest.raises(InputError, match=r"flows of a metric g_ij.*leave the gauge out"):
        gf.Flow.from_expression({"phi": "log(v)"}, gauge="deturck").bind(CURVE.potential())


@pytest.mark.parametrize(("rate", "word"), [("log(v) - log(1 + sin(2*pi*x)/2)", "x"), ("log(dV)", "dV"),
                                            ("flat.laplacian(phi)", "flat")])
def test_coordinates_beside_a_moving_potential(rate, word):
    with pytest.raises(InputError, match=f"the rate of 'phi' names {word}.*in tensors and fields, or say covariant"):
        gf.Flow.from_expression({"phi": rate}).bind(CURVE.potential())
    gf.Flow.from_expression({"phi": rate}, covariant=False).bind(CURVE.potential())


LINE = gf.Torus(dim=1).grid(9, order=2)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(("rate", "message"), [
    ("1", "symmetric tensor with 2 lower indices, was expected, and this is a scalar"),
    ("g^2", "a power is of a scalar"),
    ("dV*g", "the rate of 'g' names dV"),
])
def test_a_metric_is_a_metric_in_dimension_one(rate, message, alone):
    metric = LINE.metric([["2 + cos(2*pi*x)"]])
    with pytest.raises(InputError if "dV" in rate else ExpressionError, match=message):
        gf.Flow.from_expression({"g": rate}).bind(metric if alone else LINE.fields(g=metric))


@pytest.mark.parametrize("rate", ["-2*Ric", "laplacian(g)", "volume*g", "-(R - mean(R))*g", "0"])
def test_a_metric_alone_moves_as_among_fields_in_dimension_one(rate):
    metric = LINE.metric([["2 + cos(2*pi*x)"]])
    rates = [rate_of({"g": rate}, {}, state) for state in (metric, LINE.fields(g=metric))]
    np.testing.assert_array_equal(*rates)
    assert rates[0].any() == (rate == "volume*g")


@pytest.mark.parametrize(("field", "name"), [
    (LINE.vector(["1"]), "T"), (LINE.form(["1"]), "omega"), (LINE.symmetric([["1"]]), "T"),
    (GRID.form({"xy": "1"}), "omega")])
def test_tensors_of_one_component_are_no_scalars(field, name):
    with pytest.raises(ExpressionError, match="was expected, and this is a scalar"):
        gf.Flow.from_expression({name: "1"}).bind(field)
    gf.Flow.from_expression({name: f"2*{name}"}).bind(field)


@pytest.mark.parametrize("gauge", [None, "deturck"])
@pytest.mark.parametrize("zero", ["0", " 0.0", "-0", 0, sympy.Integer(0)])
def test_zero_is_a_rate_of_every_field(zero, gauge):
    bound({"g": "-2*Ric", **dict.fromkeys("fhABX", zero)}, gauge=gauge)


@pytest.mark.parametrize(("labels", "turned"), [("p,Q", False), ("Q,p", True), ("P,q", False), ("q,P", True)])
def test_free_indices_come_in_the_order_of_the_alphabet(labels, turned):
    state = GRID.fields(A=GRID.form(["sin(2*pi*y)", "cos(2*pi*x)"]))
    rates = [rate_of({"A": "W[i,j]*A[j]"}, {"W": text}, state)
             for text in (f"nabla(A)[{labels}]", f"nabla(A)[{'j,i' if turned else 'i,j'}]")]
    np.testing.assert_array_equal(*rates)
    assert rates[0].any()


@pytest.mark.parametrize(("rate", "column", "message"), [
    ("-2*Ric", 1, r"the rate of a Hermitian metric is a symmetric tensor that J leaves as it is.*"
                r" ChernRic and ddbar\(f\)"),
    ("ddbar(h)", 1, r"ddbar\(f\) is of a scalar, and this is a tensor with 2 lower indices"),
    ("ddbar(R, R)", 1, r"2 arguments were given: write ddbar\(f\)"),
    ("-trace(ChernRic)", 1, "Hermitian metric, a symmetric tensor with 2 lower indices, was expected, and this is a"),
    ("-ChernRick", 2, "did you mean 'ChernRic'"),
])
def test_wrong_words_on_hermitian_metrics(rate, column, message):
    with pytest.raises(ExpressionError, match=f"(?s)at column {column}: .*?{message}"):
        gf.Flow.from_expression({"h": rate}).bind(gf.ComplexTorus(dim=2).grid((5, 5, 1, 1)).hermitian())


@pytest.mark.parametrize("word", ["trace(ChernRic)", "trace(ddbar(f))"])
def test_words_of_hermitian_metrics_belong_to_them(word):
    with pytest.raises(ExpressionError, match=r"belongs to a Hermitian metric or a Kähler potential, and this state"):
        bound({"f": word}, "gf")


def test_a_metric_too_small_for_floats_is_refused_without_warnings():
    tiny = gf.Torus(dim=2).grid(16).metric([["1e-300", 0], [0, "1e-300*(2 + sin(2*pi*x))"]])
    with pytest.raises(PositivityError, match="smallest leading principal minor of g = 0"):
        gf.solve(gf.Flow.from_expression({"g": "-2*Ric"}, gauge="deturck"), tiny, t1=1e-4)
