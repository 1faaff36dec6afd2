"""The calculus of variations on jets: Euler operators in stages, rules by structure, certificates at random jets."""
