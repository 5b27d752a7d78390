"""Rules for requests to the Docker engine: what a fleet may do with its own containers.

Whoever may use the engine's socket is root on its host: a container with `Privileged`, or with the
host's folders, reads and writes everything. So everything that is not named here is refused. Paths
and fields: "Docker Engine API v1.44" at docs.docker.com.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

VERSION: Final = re.compile(r"^/v\d+\.\d+(?=/)")
CONTAINER: Final = re.compile(r"/containers/([^/]+)(/\w+)?")
READ: Final = {"/json", "/logs"}
CHANGED: Final = {"/exec", "/kill", "/pause", "/restart", "/start", "/stop", "/unpause", "/wait"}
EXEC: Final = re.compile(r"/exec/[0-9a-f]{64}/(start|json)")
"""An exec's id is random, and known only to who has created it in a container of its own."""
FREE: Final = re.compile(r"/_ping|/version|/images/.+/json")
HARMLESS: Final = {
    "AutoRemove",
    "CapDrop",
    "ConsoleSize",
    "CpuPeriod",
    "CpuQuota",
    "CpuShares",
    "Init",
    "Memory",
    "MemoryReservation",
    "MemorySwap",
    "MemorySwappiness",
    "NanoCpus",
    "PidsLimit",
    "ReadonlyRootfs",
    "RestartPolicy",
    "ShmSize",
    "Tmpfs",
}
"""Fields of a container's HostConfig that give it nothing of the host, whatever their value."""
CHECKED: Final = {"EndpointsConfig", "HostConfig", "Image", "NetworkingConfig", "Privileged"}
"""Fields that the rules look at, in the case in which the engine's clients write them."""
FOLDED: Final = {name.casefold() for name in CHECKED}
LOG_TYPES: Final = {"", "json-file", "local"}
LOG_SIZES: Final = {"compress", "max-file", "max-size"}
SECURITY: Final = {"no-new-privileges", "no-new-privileges:true"}


class ForbiddenError(Exception):
    """The fleet may not do this with the Docker engine."""


@dataclass(frozen=True, slots=True)
class FleetRules:
    """What a fleet may create.

    Attributes:
        fleet: its name, with which the names of its containers begin.
        images: the images that its containers are created from.
        network: the network that they are on.
        mounts: what they may have of the host, as Docker's `Binds` have it: `from:to[:ro]`.
    """

    fleet: str
    images: frozenset[str]
    network: str
    mounts: frozenset[str]

    def owns(self, name: str) -> bool:
        """Return whether a container with this name belongs to the fleet."""
        own = rf"{re.escape(self.fleet)}-i-[0-9a-f]+(-consumer)?"
        return re.fullmatch(own, name) is not None


def check(
    rules: FleetRules, method: str, target: str, body: bytes, name_of: Callable[[str], str]
) -> None:
    """Refuse a request that the fleet does not need.

    Args:
        rules: what the fleet may create.
        method: HTTP's method.
        target: the path with its query.
        body: the request's body.
        name_of: returns the name of the container with this id, an empty text if there is none.

    Raises:
        ForbiddenError: the rules do not allow it.
    """
    address = urlsplit(target)
    path, query = VERSION.sub("", address.path), parse_qs(address.query)
    reads = method in {"GET", "HEAD"}
    if (
        not target.startswith("/")
        or "//" in target.partition("?")[0]
        or "/../" in f"{unquote(path)}/"
    ):
        raise ForbiddenError(f"{target} is no path of the engine's")
    if (reads and FREE.fullmatch(path)) or EXEC.fullmatch(path):
        return
    if reads and path == f"/networks/{rules.network}":
        return
    if reads and path == "/containers/json":
        _check_list(rules, query)
        return
    if method == "POST" and path == "/containers/create":
        name = query.get("name", [""])[0]
        if not rules.owns(name):
            raise ForbiddenError(f"a container {name!r} is none of the fleet {rules.fleet}")
        _check_created(rules, _read(body))
        return
    found = CONTAINER.fullmatch(path)
    if found is not None and _is_known(method, found[2] or ""):
        if not rules.owns(found[1]) and not rules.owns(name_of(found[1])):
            raise ForbiddenError(f"the container {found[1]} is none of the fleet {rules.fleet}")
        if found[2] == "/exec" and _read(body).get("Privileged"):
            raise ForbiddenError("an exec with privileges")
        return
    raise ForbiddenError(f"{method} {path}")


def _is_known(method: str, action: str) -> bool:
    return (
        (method == "GET" and action in READ)
        or (method == "POST" and action in CHANGED)
        or (method == "DELETE" and not action)
    )


def _check_list(rules: FleetRules, query: Mapping[str, list[str]]) -> None:
    """Refuse a list of other containers than the fleet's."""
    filters = _read(query.get("filters", ["{}"])[0].encode())
    labels = filters.get("label", [])
    if f"tidemill.fleet={rules.fleet}" not in labels:  # a list, or an object with true for each
        raise ForbiddenError("a list of containers that are none of the fleet")


def _check_created(rules: FleetRules, made: Mapping[str, Any]) -> None:
    """Refuse a container that gets more than the fleet's containers need."""
    if made.get("Image") not in rules.images:
        raise ForbiddenError(f"a container from the image {made.get('Image')!r}")
    networks = (made.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    if not set(networks) <= {rules.network}:
        raise ForbiddenError(f"a container on the network {', '.join(sorted(networks))}")
    for field, problem in _problems(rules, made.get("HostConfig") or {}):
        raise ForbiddenError(f"a container with {field}: {problem}")


def _problems(rules: FleetRules, given: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield each field of a HostConfig that is not allowed, with what is wrong in it."""
    for field, value in given.items():
        if field in HARMLESS or _is_empty(value):
            continue
        if field == "NetworkMode" and value == rules.network:
            continue
        if field == "Binds" and set(value) <= rules.mounts:
            continue
        if field == "SecurityOpt" and set(value) <= SECURITY:
            continue
        if field == "LogConfig" and _is_local_log(value):
            continue
        yield field, value


def _is_local_log(value: Mapping[str, Any]) -> bool:
    """Return whether a container's output stays with the engine, whatever its size is."""
    return value.get("Type", "") in LOG_TYPES and set(value.get("Config") or {}) <= LOG_SIZES


def _is_empty(value: object) -> bool:
    """Return whether a field has nothing in it, as clients send it for what is not used."""
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    return value in (None, "", 0, [])


def _exact(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose fields the engine reads as they are checked here.

    Go, in which the engine is written, ignores the case of a field's name and merges fields that
    are given twice (package encoding/json, "Unmarshal").
    """
    folded = [name.casefold() for name, _ in pairs]
    if len(set(folded)) < len(folded):
        raise ForbiddenError("a field that is given twice")
    for name, _ in pairs:
        if name not in CHECKED and name.casefold() in FOLDED:
            raise ForbiddenError(f"the field {name}")
    return dict(pairs)


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}", object_pairs_hook=_exact)
    except ValueError as error:
        raise ForbiddenError("a body that is no JSON") from error
    if not isinstance(found, dict):
        raise ForbiddenError("a body that is no JSON object")
    return found
