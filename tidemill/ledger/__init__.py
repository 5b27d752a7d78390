"""Ledger: what became of every message, from the producer's record, workers' lines and queues.

In the words of Jepsen's checkers, pure and without AWS; `tidemill.ledger.aws` alone calls AWS:

    sent = read_sent_logs([folder / "sent.jsonl"])         # tidemill.ledger.sent
    lines = LineFolder(folder / "logs")                    # tidemill.ledger.folder
    lines.read()                                           # again, as the files grow
    queues = Queues(QueueLook(...), QueueLook(...))        # tidemill.ledger.queues
    account = draw_up(sent, lines.record, queues, Conditions(faults={"i-1": ("freeze",)}))
    account.problems()                                     # nothing, or a sentence for each
    figures(account, sent, lines.record)                   # for summary.json

docs/ledger.md has the words.
"""
