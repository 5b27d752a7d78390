"""Rig: the core over a local SQS and real consumers, in real time or faster by a factor."""
