"""Clusters of points, by distances and by kernels."""
