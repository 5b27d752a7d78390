"""A worker's rhythm as a lookup table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumer import cycle
from tidemill.simulator.instances.rhythm_table import RhythmTable

RHYTHMS = st.builds(
    cycle.Rhythm,
    messages_per_poll=st.integers(1, 40),
    poll_wait=st.sampled_from([0.0, 5.0, 60.0]),
    receive_wait=st.integers(1, 20),
)


@given(RHYTHMS, st.lists(st.integers(0, 10), max_size=30))
def test_the_table_has_the_steps_of_the_rhythm(rhythm: cycle.Rhythm, counts: list[int]) -> None:
    """The table has the steps of consumer.cycle, for all results of receives."""
    steps = RhythmTable(rhythm)
    memory, step = cycle.first_step(rhythm)
    taken, _, limit, wait = steps.first
    for count in counts:
        assert step == cycle.Receive(limit, wait)
        got = min(count, limit)
        rested = 0.0
        memory, step = cycle.next_step(rhythm, memory, cycle.ReceiveEnded(got))
        if isinstance(step, cycle.Rest):
            rested = step.seconds
            memory, step = cycle.next_step(rhythm, memory, cycle.RestEnded())
        taken, rest, limit, wait = steps.after(taken, got)
        assert rest == rested
