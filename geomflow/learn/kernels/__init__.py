"""Kernels of two points, scalar and with tensor indices, and the operators they are."""
