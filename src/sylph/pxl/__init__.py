"""PxL text to a typed plan."""
