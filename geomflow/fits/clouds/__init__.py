"""Flows of metric components on clouds of points, driven by kernels."""
