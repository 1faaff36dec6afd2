"""Hostile input, by the hundred, from one seed: commands, damaged files, kills while saving, code given as text.

`python -m tests.hostile` does all of it, prints a table and ends with 1 where anything went wrong.
"""
