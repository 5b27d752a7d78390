"""The consumer: polls the queue, processes, waits, polls again."""
