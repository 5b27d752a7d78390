"""A group with an instance in each of four states, for tests of what users ask it to do."""

from __future__ import annotations

from support.builders.fleets import DRAIN, a_fleet, a_group

from tidemill.scaling.group.hooks import LAUNCHING
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold, Instance
from tidemill.scaling.spec import LifecycleHook

NOW = 1_750_000_020.0
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result="ABANDON")
SERVING = Instance("i-1", LifecycleState.IN_SERVICE, NOW, in_service_at=NOW)
PENDING = Instance("i-2", LifecycleState.PENDING, NOW)
HELD_IN = Instance("i-3", LifecycleState.PENDING_WAIT, NOW, holds=(Hold("hold", NOW + 60),))
HELD_OUT = Instance("i-4", LifecycleState.TERMINATING_WAIT, NOW, holds=(Hold("drain", NOW + 300),))
FLEET = a_fleet(group=a_group(min_size=1, max_size=5, hooks=(HOLD, DRAIN)))
GROUP = GroupMemory(2, (SERVING, PENDING, HELD_IN, HELD_OUT), launched=4, cause="before")
