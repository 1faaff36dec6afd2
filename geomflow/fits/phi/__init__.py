"""Networks as Kähler potentials."""
