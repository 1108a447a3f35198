"""Running plans: snapshots, DuckDB, merging, limits, cancelling."""
