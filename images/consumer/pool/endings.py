"""Ends of worker processes: a message's time limit, a crash, and which messages pay for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.attempt import Attempt, AttemptResult
from consumer.pool.blame import Begun, Blame, of_death, of_kill

if TYPE_CHECKING:
    from consumer.pool.dispatcher import Dispatcher
    from consumer.pool.effects import Effects
    from consumer.pool.seats import Seat
    from consumer.pool.spawning import Death
    from consumer.pool.worker_process import WorkerProcess

STACKS_SECONDS: Final = 0.3
"""Time for the stacks of a process beyond a limit to arrive, before it is killed."""
MIB: Final = 1024 * 1024


def expire(worker: WorkerProcess, seconds: float, now: float, effects: Effects) -> None:
    """Ask a process beyond a time limit for its stacks, and kill it soon afterwards."""
    if worker.killed:
        return
    overdue = worker.hands.overdue(now)
    if worker.kill_at is None:
        if overdue:
            worker.kill_at = now + STACKS_SECONDS
            worker.take_stacks()  # those of another time
            worker.ask_for_stacks()
        elif (since := worker.hands.stuck_since) is not None and now - since >= seconds:
            effects.warnings.append(("worker process does not respond", _named(worker)))
            worker.kill()
    elif not overdue:  # it has ended after all, or was given more time
        worker.kill_at = None
    elif now >= worker.kill_at:
        stacks = worker.take_stacks()
        for slot in overdue:
            delivery = worker.hands.slots[slot].delivery
            fields: dict[str, object] = {
                "message_id": delivery.received.message_id,
                "limit_seconds": round(worker.hands.limit(slot), 3),
                "pid": worker.spawned.pid,
                "stacks": stacks,
            }
            if delivery.trace_id:
                fields["trace_id"] = delivery.trace_id
            effects.warnings.append(("time limit reached", fields))
        worker.killed_for = overdue
        worker.had_answered = worker.answered
        worker.kill()


def bury(
    seat: Seat, worker: WorkerProcess, death: Death, dispatcher: Dispatcher, effects: Effects
) -> None:
    """Make attempts of what a process had in hand when it ended, and free its seat."""
    begun = worker.hands.started()
    if worker.killed_for:
        blame = of_kill(
            Begun(begun, worker.killed_for, worker.hands.calls(begun), answered=worker.had_answered)
        )
    else:
        blame = of_death(begun) if begun and not worker.killed else Blame(alone=frozenset(begun))
    how = "wrote to the pipe for reports and was ended" if worker.garbled else f"{death}"
    now, today = dispatcher.clock.monotonic(), dispatcher.clock.time()
    left = [handed.delivery for slot, handed in worker.hands.slots.items() if slot not in begun]
    dispatcher.backlog.waiting.put_back(left)
    dispatcher.backlog.suspect([worker.hands.slots[slot].delivery for slot in blame.alone])
    if not dispatcher.closing:
        for slot in sorted(blame.crashed | blame.timed_out):
            crashed = slot in blame.crashed
            limit = f"not done within its time limit of {worker.hands.limit(slot):g} s"
            attempt = Attempt(
                delivery=worker.hands.slots[slot].delivery,
                result=AttemptResult.CRASHED if crashed else AttemptResult.TIMED_OUT,
                reason=f"the handler's process {how}" if crashed else limit,
                duration=now - worker.spawned.page.started_at(slot),
                finished_at=today,
            )
            effects.add(dispatcher.backlog, attempt)
    why = worker.refused or f"the handler's process {how}"
    if worker.kind is None and not worker.refused:
        why += ", before the handler was ready"
    used = worker.hands.used or bool(begun)
    seat.vacate(now, why, used=used, ready=worker.kind is not None)
    if not (worker.closed or worker.killed_for or dispatcher.closing):
        effects.warnings.append(("worker process ended", _obituary(worker, death, begun)))
    worker.spawned.close()


def _obituary(worker: WorkerProcess, death: Death, begun: list[int]) -> dict[str, object]:
    """Return the fields of the line about a process that has ended by itself."""
    fields = {
        **_named(worker),
        "message_ids": [worker.hands.slots[slot].delivery.received.message_id for slot in begun],
        "exit_code": death.exit_code,
        "signal": death.signal_name,
        "peak_memory_mib": round(death.memory / MIB),
        "reason": worker.refused,
        "stacks": worker.take_stacks(),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _named(worker: WorkerProcess) -> dict[str, object]:
    return {"pid": worker.spawned.pid}
