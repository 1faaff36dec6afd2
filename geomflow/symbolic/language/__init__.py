"""The language of tensors, in which rates and densities are written."""
