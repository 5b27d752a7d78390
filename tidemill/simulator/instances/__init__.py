"""Simulated instances: their lifetime from launch to termination, and the consumer on each."""
