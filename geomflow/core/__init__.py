"""The ground floor: errors, outcomes, conventions, seeds, memory, and the expression graph."""
