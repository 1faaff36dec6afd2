"""Networks as metrics."""
