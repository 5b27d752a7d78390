"""Messages to send: read from lines, generated at random, or malformed on purpose."""
