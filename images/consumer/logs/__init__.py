"""Lines that the consumer writes: messages, counts, log records; and where they go."""
