"""Who is who on a node, with time: processes, containers, pods, services, addresses."""
