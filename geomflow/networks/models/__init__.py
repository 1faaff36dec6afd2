"""Metrics and potentials on tori that networks represent."""
