"""Comparison of scaling policies, and the bounds that no policy can beat."""
