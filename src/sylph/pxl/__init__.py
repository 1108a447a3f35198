"""The PxL compiler: script text to a typed plan. Nothing in a script is ever executed as Python."""
