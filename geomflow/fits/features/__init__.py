"""Tangent features of networks, frozen or learned, and networks of metric components."""
