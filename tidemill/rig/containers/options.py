"""Options of a fleet's containers: their names, labels, images and settings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.engine import ContainerSpec
from tidemill.rig.processes import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.door.credentials import Session
    from tidemill.scaling.times.catalogue import Times

FLEET_LABEL: Final = "tidemill.fleet"
"""Label of every container of a fleet, with the fleet's name; the clean-up finds them by it."""
INSTANCE_LABEL: Final = "tidemill.instance"
ROLE_LABEL: Final = "tidemill.role"
LAUNCHED_LABEL: Final = "tidemill.launched-at"
METADATA_LABEL: Final = "tidemill.metadata-port"
HANDLERS: Final = "/handlers"
"""The folder in a consumer's container in which the user's handlers are."""
SOCKET: Final = "/var/run/docker.sock"
"""The engine's socket inside an instance, as on an AMI."""
ENGINE_FOLDER: Final = "/run/engine"
"""The folder of the engine's socket inside an instance that gets the fleet's own one."""


class Depth(StrEnum):
    """Depths of imitation: an instance is the consumer's container, or one that runs user data."""

    DIRECT = "direct"
    USER_DATA = "user-data"


class Role(StrEnum):
    """Roles of a fleet's containers."""

    INSTANCE = "instance"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """The options that all containers of a fleet are created with.

    Args:
        fleet: the fleet's name, in names and labels of its containers.
        depth: what an instance consists of.
        image: the consumer's image.
        instance_image: with depth user-data, the image that stands in for the AMI.
        network: the Docker network that the instances are on.
        host: the controller's own name or address on that network.
        region: the region that instance metadata return.
        socket: the engine's socket for instances that use it: a path on the engine's host, or the
            name of a volume with the fleet's own socket.
        labels: further labels for every container.
        user_data: the launch template's script.
        session: of which the instances get keys.
        times: AWS's times, of which instances take the means; with depth user-data the script
            itself decides when the consumer starts.
        stop_seconds: wall-clock seconds that containers have to end when the controller ends.
        handlers: a folder on the engine's host with the user's handlers, none if it is empty.
    """

    fleet: str
    depth: Depth
    image: str
    instance_image: str
    network: str
    host: str
    region: str
    socket: str
    labels: Mapping[str, str]
    user_data: str
    session: Session
    times: Times
    stop_seconds: float = STOP_SECONDS
    handlers: str = ""

    @property
    def direct(self) -> bool:
        """Return whether an instance is the consumer's own container."""
        return self.depth is Depth.DIRECT

    def instance_name(self, instance: str) -> str:
        """Return the name of an instance's container."""
        return f"{self.fleet}-{instance}"

    def consumer_name(self, instance: str) -> str:
        """Return the name of the container that an instance's user data starts."""
        return f"{self.instance_name(instance)}-consumer"

    def instance_spec(
        self, instance: str, environment: Mapping[str, str], metadata_port: int
    ) -> ContainerSpec:
        """Return the properties that an instance's container is created with.

        Args:
            instance: the instance's id.
            environment: the settings of this instance.
            metadata_port: the port of its metadata service.
        """
        volumes = {f"{HANDLERS}:ro": self.handlers} if self.handlers else {}
        return ContainerSpec(
            name=self.instance_name(instance),
            image=self.image if self.direct else self.instance_image,
            hostname=instance,
            network=self.network,
            environment={
                **environment,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{self.host}:{metadata_port}",
                **(self._for_python() if self.direct else self._for_docker(instance)),
            },
            labels={
                **self._labels(instance, Role.INSTANCE),
                LAUNCHED_LABEL: str(time.time()),
                METADATA_LABEL: str(metadata_port),
            },
            volumes=volumes if self.direct else self._engine_socket(),
            writable=not self.direct,
        )

    def _for_docker(self, instance: str) -> dict[str, str]:
        """Return settings for the stand-in AMI's docker command, which starts the consumer."""
        labels = self._labels(instance, Role.CONSUMER)
        own = {"DOCKER_HOST": f"unix://{ENGINE_FOLDER}/docker.sock"}
        return {
            **({} if self.socket.startswith("/") else own),
            "CONSUMER_IMAGE": self.image,
            "CONSUMER_NAME": self.consumer_name(instance),
            "CONSUMER_NETWORK": self.network,
            "CONSUMER_LABELS": " ".join(f"{name}={value}" for name, value in labels.items()),
            **({"CONSUMER_HANDLERS": self.handlers} if self.handlers else {}),
        }

    def _engine_socket(self) -> dict[str, str]:
        if self.socket.startswith("/"):
            return {SOCKET: self.socket}
        return {ENGINE_FOLDER: self.socket}

    def _for_python(self) -> dict[str, str]:
        """Return where Python finds the user's handlers, after the image's own modules."""
        return {"PYTHONPATH": f"/app:{HANDLERS}"} if self.handlers else {}

    def _labels(self, instance: str, role: Role) -> dict[str, str]:
        return {
            **self.labels,
            FLEET_LABEL: self.fleet,
            INSTANCE_LABEL: instance,
            ROLE_LABEL: role.value,
        }
