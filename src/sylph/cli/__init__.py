"""The command `px`."""
