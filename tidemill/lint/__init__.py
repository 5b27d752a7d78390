"""Lint: rules that find in a template what will cause problems in a queue fleet."""
