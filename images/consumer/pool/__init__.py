"""Where handlers run: in threads of the consumer."""
