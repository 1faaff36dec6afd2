"""Stores of runs on disk."""
