"""One module a command of `px`; each defines `command`."""
