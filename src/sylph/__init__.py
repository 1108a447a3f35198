"""Sylph: see what every process on a Linux host says and does, without changing it."""

__version__ = "0.1.0"
