"""The rig: the core over a real SQS endpoint and real consumer processes, in speeded-up time."""
