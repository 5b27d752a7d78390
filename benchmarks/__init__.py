"""Benchmarks: measurements for people to read, none of which is a test."""
