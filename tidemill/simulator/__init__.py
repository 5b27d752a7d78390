"""The simulator: the core's loop over a simulated queue and instances, in virtual time."""
