"""Containers as instances, and the controller of such a fleet."""
