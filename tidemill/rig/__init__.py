"""The rig: the core over a local SQS and real consumers, in time that runs faster than real."""
