"""Compiled loops over points: tables of exponents in, numbers out. They know no classes and hold no state."""
