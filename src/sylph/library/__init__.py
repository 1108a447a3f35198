"""The script library: one folder a script."""
