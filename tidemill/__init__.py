"""Tidemill: queue worker fleets on AWS that scale from zero, run and measured before deploy."""
