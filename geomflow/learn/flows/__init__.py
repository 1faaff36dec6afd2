"""Flows driven by kernels and by networks."""
