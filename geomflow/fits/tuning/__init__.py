"""Settings chosen by measured scores."""
