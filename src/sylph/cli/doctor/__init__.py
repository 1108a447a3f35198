"""What px doctor looks at: the kernel, rights, the agent, and every process that talks."""
