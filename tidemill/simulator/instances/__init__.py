"""Simulated instances: their life from launch to termination, and the consumer on each."""
