"""Dashboards of a stack as one page that can be sent to anyone."""
