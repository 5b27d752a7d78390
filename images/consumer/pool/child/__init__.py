"""The side of a worker process: what runs in it besides the user's handler."""
