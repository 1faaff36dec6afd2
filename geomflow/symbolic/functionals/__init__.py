"""Functionals of metrics and of Kähler potentials, varied exactly: gradients, flows, linear rates, certificates.

>>> import geomflow as gf
>>> from geomflow.symbolic import functionals
>>> flow = functionals.KEnergy(gf.ComplexTorus(dim=1)).gradient_flow()
>>> print(flow)
kenergy-mabuchi: Derivative(phi(t), t) = R - Rbar
>>> print(flow.linearisation.polynomial)
|k|**4/2
>>> print(functionals.PerelmanF(gf.Torus(dim=2)).certify())  # doctest: +NORMALIZE_WHITESPACE
Euler operator minus variation by structure of perelman-f in dimension 2:
decided zero at random jets modulo a 61-bit prime
"""

from typing import Any

import geomflow.symbolic.functionals.on_ansatz  # noqa: F401  (how an ansatz reads gradient flows)
from geomflow.core.registry import Registry
from geomflow.symbolic.functionals.density import MetricDensity, PotentialDensity
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.fields import FieldsDensity
from geomflow.symbolic.functionals.gradient import Gradient
from geomflow.symbolic.functionals.system import GradientSystem
from geomflow.symbolic.functionals.functional import Functional
from geomflow.symbolic.functionals.kahler import AubinI, AubinJ, Calabi, Ding, JFunctional, KEnergy, PerelmanKahler
from geomflow.symbolic.functionals.linear import Linearisation, PrincipalSymbol
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.functionals.perelman import (
    PerelmanF,
    PerelmanFCoupled,
    PerelmanLambda,
    PerelmanW,
    PerelmanWCoupled,
)
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.functionals.ratio import EF, EG, Sigma
from geomflow.symbolic.functionals.real import EinsteinHilbert, RicciSquared, ScalarSquared, Volume
from geomflow.symbolic.functionals.sums import FunctionalSum
from geomflow.symbolic.variation.residues import Certificate

FUNCTIONALS: Registry[type[Any]] = Registry("functional", "geomflow.symbolic.functionals", {
    "volume": "real:Volume",
    "einstein-hilbert": "real:EinsteinHilbert",
    "scalar-squared": "real:ScalarSquared",
    "ricci-squared": "real:RicciSquared",
    "perelman-f": "perelman:PerelmanF",
    "perelman-f-coupled": "perelman:PerelmanFCoupled",
    "perelman-w": "perelman:PerelmanW",
    "perelman-w-coupled": "perelman:PerelmanWCoupled",
    "perelman-lambda": "perelman:PerelmanLambda",
    "calabi": "kahler:Calabi",
    "kenergy": "kahler:KEnergy",
    "j-functional": "kahler:JFunctional",
    "aubin-i": "kahler:AubinI",
    "aubin-j": "kahler:AubinJ",
    "ding": "kahler:Ding",
    "ef": "ratio:EF",
    "eg": "ratio:EG",
    "sigma": "ratio:Sigma",
    "perelman-kahler": "kahler:PerelmanKahler",
})
"""Every functional that comes with the package, made from its geometry; EF and EG need their function too."""

from_density = Functional.from_density

__all__ = [
    "AubinI", "AubinJ", "Calabi", "Certificate", "DerivedFlow", "Ding", "EF", "EG", "EinsteinHilbert",
    "FieldsDensity", "FUNCTIONALS", "Functional", "FunctionalSum", "Gradient", "GradientSystem", "JFunctional",
    "KEnergy",
    "Linearisation", "MetricDensity", "MetricFunctional", "PerelmanF", "PerelmanFCoupled", "PerelmanKahler",
    "PerelmanLambda", "PerelmanW", "PerelmanWCoupled", "PotentialDensity", "PotentialFunctional",
    "PrincipalSymbol", "RicciSquared", "ScalarSquared", "Sigma", "Volume", "from_density",
]
