"""Networks on a flat parameter vector: values, input jets, and derivatives by the parameters."""
