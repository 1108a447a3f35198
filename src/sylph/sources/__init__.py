"""Sources that need no kernel program."""
