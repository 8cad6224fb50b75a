"""Where it runs: local services, containers, deployments, profiles."""
