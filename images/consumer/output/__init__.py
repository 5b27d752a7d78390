"""What handlers print and log, and how it becomes lines of JSON with the message's id."""
