"""Compiled loops over points: tables of exponents in, numbers out. They know no classes and hold no state."""

from geomflow.codegen.compiling import tell_of_compiling

tell_of_compiling()
