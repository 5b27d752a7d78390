"""The producer: sends messages to the queue."""
