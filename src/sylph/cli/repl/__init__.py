"""`px repl`: a prompt for PxL."""
