"""Containers as instances, and the controller of a fleet of them."""
