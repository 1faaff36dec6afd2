"""Step controls, one file each."""
