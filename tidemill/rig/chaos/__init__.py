"""Faults of a rig: what they do to instances and to calls of AWS, plans of them, the soak test."""
