"""Every PxL function: one declaration each."""
