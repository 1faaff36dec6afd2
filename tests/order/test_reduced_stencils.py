"""Orders of stencils for reduced unknowns, in the maximum norm, poles included, by fitted slopes."""

import numpy as np
import pytest

from geomflow.field.bases import Periodic, Staggered

SIZES = (32, 48, 64, 96)
ORDERS = [2, 4, 6, 8]


def slope(errors, sizes=SIZES):
    """−d log error/d log n."""
    return -np.polyfit(np.log(sizes), np.log(errors), 1)[0]


def smooth(x, a, length):
    """exp(cos X)/2 + cos 2X, X = π(x − a)/length, and its first two derivatives by x."""
    rate = np.pi / length
    t = rate * (x - a)
    e, c, s = np.exp(np.cos(t)) / 2, np.cos(t), np.sin(t)
    return e + np.cos(2 * t), rate * (-s * e - 2 * np.sin(2 * t)), rate**2 * ((s**2 - c) * e - 4 * np.cos(2 * t))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["staggered", "periodic"])
def test_derivatives_converge_also_at_the_poles(order, kind):
    errors = {(times, where): [] for times in (1, 2) for where in ("nodes", "ends")}
    for n in SIZES:
        if kind == "staggered":
            basis, length = Staggered(n, 1.0, 3.0, order), 2.0
        else:
            basis, length = Periodic(n, 2.0, order, start=1.0), 1.0
        known = smooth(basis.x[0], 1.0, length)
        ends = basis.at([1.0, 3.0])
        for times in (1, 2):
            found = basis.derivative((times,)) @ known[0]
            errors[times, "nodes"].append(np.abs(found - known[times]).max())
            if times == 2:
                errors[times, "ends"].append(np.abs(ends @ found - smooth(np.array([1.0, 3.0]), 1.0, length)[2]).max())
    assert slope(errors[1, "nodes"]) == pytest.approx(order, abs=0.35)
    assert slope(errors[2, "nodes"]) == pytest.approx(order, abs=0.35)
    assert slope(errors[2, "ends"]) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", [Periodic, Staggered])
def test_values_between_nodes_and_at_ends_converge(order, kind):
    errors, places = [], np.linspace(0, 1, 57)
    for n in SIZES:
        basis = Periodic(n, 1.0, order) if kind is Periodic else Staggered(n, 0.0, 1.0, order)
        length = 0.5 if kind is Periodic else 1.0
        found = basis.at(places) @ smooth(basis.x[0], 0.0, length)[0]
        errors.append(np.abs(found - smooth(places, 0.0, length)[0]).max())
    assert slope(errors) == pytest.approx(order, abs=0.5)


@pytest.mark.parametrize("order", ORDERS)
def test_corrected_sums_of_odd_functions_gain_two_orders(order):
    """∫_0^π sin X e^{cos X} dX = 2 sinh 1; without corrections at the ends a midpoint sum is only of order two."""
    errors, plain = [], []
    for n in (sizes := (12, 16, 24, 32)):
        basis = Staggered(n, 0.0, np.pi, order)
        f = np.sin(basis.x[0]) * np.exp(np.cos(basis.x[0]))
        errors.append(abs(basis.odd_weights @ f - 2 * np.sinh(1)))
        plain.append(abs(basis.weights @ f - 2 * np.sinh(1)))
    assert slope(errors, sizes) == pytest.approx(order + 2, abs=0.3)
    assert slope(plain, sizes) == pytest.approx(2, abs=0.1)
