"""The broker: compiles, fans out to agents, merges, streams results."""
