"""Flows of metrics on varieties inside families of Hermitian forms."""

from geomflow.flow.varieties.form_flow import FormFlow, decay_rate

__all__ = ["FormFlow", "decay_rate"]
