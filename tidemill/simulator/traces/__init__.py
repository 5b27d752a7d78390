"""Traces: recorded numbers of messages over time, read from files and from CloudWatch."""
