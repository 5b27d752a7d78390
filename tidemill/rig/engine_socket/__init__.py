"""Socket of the Docker engine for a fleet: lets through what a fleet of containers needs."""
