"""Kernels and kernel flows by the names that run files use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from geomflow.core.errors import InputError, UnknownNameError
from geomflow.field.lattice import FlatTorus
from geomflow.kernels.delta import DeltaKernel
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.network import NetworkKernel
from geomflow.kernels.structures import Covariant, Kronecker, Symmetrised
from geomflow.networks.embedding import FourierEmbedding
from geomflow.tangent.batch import Batch
from geomflow.tangent.kernel_flow import KernelFlow

KERNELS: dict[str, Callable[..., Kernel]] = {
    "gaussian": GaussianKernel, "delta": DeltaKernel, "network": NetworkKernel,
}  # fmt: skip
STRUCTURES: dict[str, Callable[[Kernel], Any]] = {
    "covariant": Covariant, "kronecker": Kronecker, "symmetrised": Symmetrised,
}  # fmt: skip
FROM_TORUS = "embedding"
"""The option of a kernel that is not written in files: networks are made periodic by the torus of the run."""


def named_kernel_flow(flow: Any, torus: FlatTorus, name: str, structure: str = "covariant", batch: int | None = None,
                      seed: int = 0, **options: Any) -> KernelFlow:
    """The flow under the kernel called `name` with these options, in an index structure, on a batch or everywhere.

    Raises UnknownNameError for an unknown name or option, InputError where an option is missing.
    """
    if structure not in STRUCTURES:
        raise UnknownNameError.among("index structure of a kernel", structure, STRUCTURES)
    kernel = STRUCTURES[structure](named_kernel(name, options, torus))
    return KernelFlow(flow, kernel, None if batch is None else Batch(batch, seed))


def named_kernel(name: str, options: Mapping[str, Any], torus: FlatTorus) -> Kernel:
    """The scalar kernel called `name`, whose options are the arguments of its class; networks are periodic on `torus`.

    Raises UnknownNameError for an unknown name or option, InputError where one is missing.
    """
    if name not in KERNELS:
        raise UnknownNameError.among("kernel", name, KERNELS)
    known = dict(inspect.signature(KERNELS[name]).parameters)
    given = {FROM_TORUS: FourierEmbedding(torus)} if known.pop(FROM_TORUS, None) else {}
    for key in options:
        if key not in known:
            raise UnknownNameError(f"the kernel '{name}' has no option '{key}'; it takes {', '.join(known) or 'none'}.")
    missing = [key for key, p in known.items() if p.default is p.empty and key not in options]
    if missing:
        raise InputError(f"the kernel '{name}' needs the option '{missing[0]}'.")
    return KERNELS[name](**options, **given)
