"""Rows of table functions: one file a family, each a `PROVIDERS` mapping from function name to provider."""
