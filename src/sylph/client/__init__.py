"""Clients of an agent: what `px` and the Python package `sylph` share, and the latter's own."""
