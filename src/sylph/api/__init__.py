"""The public gRPC API: the only way to ask."""
