"""Core: pure functions for the alarms, the policies and the group of a template."""
