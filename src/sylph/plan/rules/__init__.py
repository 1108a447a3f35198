"""Rewrite rules, one a file: a plan to a plan with the same answer, the same object if nothing changed."""
