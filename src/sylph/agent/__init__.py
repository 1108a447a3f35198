"""The agent: one per node; wires sources, store and query together."""
