"""The producer: sends vehicle messages to the queue."""
