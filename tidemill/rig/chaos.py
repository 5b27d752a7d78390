"""What goes wrong on AWS, made to happen to a rig that is up."""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from tidemill.rig.autoscaling.ports import INTERRUPT
from tidemill.rig.errors import RigError

ANSWER_SECONDS = 10


def interrupt_spot(autoscaling_url: str, instance: str | None) -> str:
    """Give a Spot instance its notice; return its id.

    Args:
        autoscaling_url: where the rig's Auto Scaling API is.
        instance: its id; None for the oldest in service.

    Raises:
        RigError: nobody answers there, or there is no such instance.
    """
    query = urlencode({"instance": instance} if instance else {})
    try:
        request = urllib.request.Request(f"{autoscaling_url}{INTERRUPT}?{query}", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return str(answer.read().decode())
    except HTTPError as error:
        with error:
            raise RigError(error.read().decode() or str(error)) from error
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise RigError(f"no rig answers at {autoscaling_url}: {error}") from error
