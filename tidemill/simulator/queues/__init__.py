"""Simulated queues: standard and FIFO, their messages, and the counts of these."""
