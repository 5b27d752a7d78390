"""The local AWS: MiniStack, its clients, the deployed stack and its queues."""
