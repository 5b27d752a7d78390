"""Tidemill: queue worker fleets on AWS that scale from zero, run and measured before deploy."""

__version__ = "0.1.0"
