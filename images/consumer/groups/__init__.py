"""Message groups of FIFO queues: how receives, returns and deletes keep their order."""
