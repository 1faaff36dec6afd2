"""Events, one idea a file."""
