"""Local AWS of a rig: MiniStack, its clients, the deployed stack and its queues."""
