"""Networks for the Kähler potential on Calabi–Yau hypersurfaces: g = g_FS + ∂∂̄φ."""
