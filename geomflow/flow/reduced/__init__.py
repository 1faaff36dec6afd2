"""Flows of metrics with symmetry: reduced equations bound to states of an ansatz."""
