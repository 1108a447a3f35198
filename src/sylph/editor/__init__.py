"""For people who write scripts: formatting, checking, and what a language server answers."""
