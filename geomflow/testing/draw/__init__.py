"""Hypothesis strategies; all shrink to small things."""
