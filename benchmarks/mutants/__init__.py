"""Mutation testing: small faults put into one module at a time, and whether its tests see them."""
