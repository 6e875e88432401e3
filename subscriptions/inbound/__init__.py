"""The mail that comes: read within bounds, sorted, acted on once."""
