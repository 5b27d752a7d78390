"""Simulator: the core's loop over a simulated queue and simulated instances, in virtual time."""
