"""Client for faults: sends a fault over HTTP to a rig that runs in another process."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from tidemill.rig.autoscaling.ports import FAULTS
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.errors import RigError
from tidemill.scaling.faults import write_fault

if TYPE_CHECKING:
    from tidemill.rig.door.credentials import Keys
    from tidemill.scaling.faults import Fault

ANSWER_SECONDS = 10


def send_fault(autoscaling_url: str, keys: Keys, fault: Fault) -> str:
    """Inject a fault into a rig; return the id of the fault's target.

    Args:
        autoscaling_url: the URL of the rig's Auto Scaling API.
        keys: the user's keys of the rig's session.
        fault: the fault to inject.

    Raises:
        RigError: no rig answers at this URL, or the rig refuses the fault.
    """
    url = f"{autoscaling_url}{FAULTS}?{urlencode(write_fault(fault))}"
    try:
        with DIRECT.open(signed(keys, url, method="POST"), timeout=ANSWER_SECONDS) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        with error:
            raise RigError(error.read().decode() or str(error)) from error
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise RigError(f"no rig answers at {autoscaling_url}: {error}") from error
