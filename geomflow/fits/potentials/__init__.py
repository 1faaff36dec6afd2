"""Fixed kernels of the Kähler potential."""
