"""Ledger: what became of every message, from the producer's record, workers' lines and queues.

In the words of Jepsen's checkers, which docs/ledger.md explains. `account.draw_up` is the heart;
all modules are pure except `aws`, which looks at queues and log groups.
"""
