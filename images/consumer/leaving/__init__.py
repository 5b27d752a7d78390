"""The end of a consumer: how its time is divided, and who ends it if something hangs."""
