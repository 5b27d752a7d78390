"""Rules for the Docker engine's socket: what a fleet may do, and what would make it root."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tidemill.rig.containers.options import ENGINE_FOLDER
from tidemill.rig.engine_socket.__main__ import read_rules
from tidemill.rig.engine_socket.rules import ForbiddenError, check

OWN = "mill-i-00000000000000001"
RULES = read_rules(
    {
        "FLEET": "mill",
        "NETWORK": "mill_default",
        "IMAGES": "the-consumer,the-machine",
        "HANDLERS": "/home/me/handlers",
        "ENGINE": "mill_engine",
    }
)
EXEC = "a" * 64
FILTERS = quote(json.dumps({"label": ["tidemill.fleet=mill"]}))
OTHERS = quote(json.dumps({"label": ["tidemill.fleet=other"]}))
NAMES = {"b" * 64: OWN, "c" * 64: "somebody-elses"}


def allowed(method: str, target: str, body: bytes = b"") -> bool:
    """Return whether the fleet may send this."""
    try:
        check(RULES, method, target, body, lambda given: NAMES.get(given, ""))
    except ForbiddenError:
        return False
    return True


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("HEAD", "/_ping"),
        ("GET", "/v1.44/version"),
        ("GET", "/v1.44/images/tidemill/consumer:latest/json"),
        ("GET", "/v1.44/networks/mill_default"),
        ("GET", f"/v1.44/containers/json?all=1&filters={FILTERS}"),
        ("GET", f"/v1.44/containers/{OWN}/json"),
        ("GET", f"/v1.44/containers/{OWN}-consumer/json"),
        ("GET", f"/v1.44/containers/{'b' * 64}/json"),
        ("GET", f"/v1.44/containers/{OWN}/logs?stdout=1&follow=1"),
        ("POST", f"/v1.44/containers/{OWN}/start"),
        ("POST", f"/v1.44/containers/{'b' * 64}/start"),
        ("POST", f"/v1.44/containers/{OWN}/kill?signal=SIGTERM"),
        ("POST", f"/v1.44/containers/{OWN}/stop?t=1"),
        ("POST", f"/v1.44/containers/{OWN}/pause"),
        ("POST", f"/v1.44/containers/{OWN}/exec"),
        ("POST", f"/v1.44/exec/{EXEC}/start"),
        ("GET", f"/v1.44/exec/{EXEC}/json"),
        ("DELETE", f"/v1.44/containers/{OWN}?force=1&v=1"),
    ],
)
def test_a_fleet_does_everything_with_its_own_containers(method: str, target: str) -> None:
    """By name, and by an id whose name the engine knows."""
    assert allowed(method, target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1.44/info"),
        ("GET", "/v1.44/containers/json?all=1"),
        ("GET", f"/v1.44/containers/json?filters={OTHERS}"),
        ("GET", "/v1.44/containers/json?filters=[]"),
        ("GET", "/v1.44/containers/somebody-elses/json"),
        ("GET", f"/v1.44/containers/{'c' * 64}/logs"),
        ("GET", f"/v1.44/containers/{'d' * 64}/json"),
        ("GET", f"/v1.44/containers/{OWN}/archive?path=/"),
        ("PUT", f"/v1.44/containers/{OWN}/archive?path=/"),
        ("POST", f"/v1.44/containers/{OWN}/update"),
        ("POST", f"/v1.44/containers/{OWN}/attach"),
        ("POST", f"/v1.44/containers/{OWN}/rename?name=x"),
        ("POST", "/v1.44/containers/other-i-1/start"),
        ("POST", "/v1.44/containers/mill-fleet-1/kill"),
        ("DELETE", "/v1.44/containers/mill-door-1"),
        ("POST", f"/v1.44/containers/x%2F..%2F{OWN}/start"),
        ("POST", f"/v1.44/containers/../containers/{OWN}/start"),
        ("GET", "/v1.44/images/../containers/somebody-elses/json"),
        ("GET", "/v1.44/images/%2e%2e/containers/somebody-elses/json"),
        ("GET", "/v1.44/networks/bridge"),
        ("POST", "/v1.44/networks/mill_default/connect"),
        ("POST", "/v1.44/images/create?fromImage=x"),
        ("POST", "/v1.44/build"),
        ("POST", "/v1.44/volumes/create"),
        ("GET", "/v1.44/volumes"),
        ("POST", "/v1.44/swarm/init"),
        ("POST", "/v1.44/plugins/pull"),
        ("GET", "/v1.44/secrets"),
        ("GET", "/v1.44/events"),
        ("POST", "/v1.44/session"),
        ("POST", "/v1.44/exec/short/start"),
        ("POST", f"//v1.44/containers/{OWN}/start"),
    ],
)
def test_everything_else_is_refused(method: str, target: str) -> None:
    """Other containers, files in containers, images, networks, volumes, the engine itself."""
    assert not allowed(method, target)


def created(name: str = OWN, image: str = "the-consumer", **host: Any) -> bool:  # noqa: ANN401 - HostConfig's values
    """Return whether the fleet may create such a container."""
    made = {"Image": image, "HostConfig": host, "Env": ["A=1"], "Labels": {"a": "b"}}
    return allowed("POST", f"/v1.44/containers/create?name={name}", json.dumps(made).encode())


def test_a_fleet_creates_its_containers() -> None:
    """With what Docker's SDK sends for a consumer, and what Docker's command sends for one."""
    assert created(
        NetworkMode="mill_default",
        ReadonlyRootfs=True,
        CapDrop=["ALL"],
        SecurityOpt=["no-new-privileges"],
        Tmpfs={"/tmp": ""},  # noqa: S108 - a mount of the container
        Binds=["/home/me/handlers:/handlers:ro"],
    )
    assert created(
        name=f"{OWN}-consumer",
        NetworkMode="mill_default",
        Binds=None,
        ConsoleSize=[0, 0],
        LogConfig={"Type": "", "Config": {"max-file": "2", "max-size": "50m"}},
        ReadonlyRootfs=True,
        Tmpfs={"/tmp": ""},  # noqa: S108 - a mount of the container
        Init=True,
        PidsLimit=8192,
        CapDrop=["ALL"],
        SecurityOpt=["no-new-privileges"],
        MemorySwappiness=-1,
        Memory=1 << 30,
        RestartPolicy={"Name": "unless-stopped", "MaximumRetryCount": 0},
        Devices=[],
        Privileged=False,
        Ulimits=[],
        IpcMode="",
    )
    assert created(image="the-machine", Binds=[f"mill_engine:{ENGINE_FOLDER}"])


@pytest.mark.parametrize(
    "host",
    [
        {"Privileged": True},
        {"privileged": True},
        {"Binds": ["/:/host"]},
        {"binds": ["/:/host"]},
        {"Binds": ["/home/me/handlers:/handlers"]},
        {"Binds": ["/var/run/docker.sock:/var/run/docker.sock"]},
        {"Binds": ["mill_session:/session"]},
        {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]},
        {"VolumesFrom": ["mill-door-1"]},
        {"CapAdd": ["SYS_ADMIN"]},
        {"Devices": [{"PathOnHost": "/dev/sda"}]},
        {"DeviceRequests": [{"Count": -1}]},
        {"DeviceCgroupRules": ["a *:* rwm"]},
        {"PidMode": "host"},
        {"IpcMode": "host"},
        {"UTSMode": "host"},
        {"UsernsMode": "host"},
        {"CgroupnsMode": "host"},
        {"CgroupParent": "/"},
        {"NetworkMode": "host"},
        {"NetworkMode": "container:mill-door-1"},
        {"SecurityOpt": ["apparmor=unconfined"]},
        {"SecurityOpt": ["seccomp=unconfined"]},
        {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}},
        {"PublishAllPorts": True},
        {"Runtime": "other"},
        {"Sysctls": {"net.ipv4.ip_forward": "1"}},
        {"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://evil"}}},
        {"LogConfig": {"Type": "", "Config": {"tag": "x"}}},
        {"OomScoreAdj": -1000},
        {"GroupAdd": ["0"]},
        {"MaskedPaths": ["/nowhere"]},
        {"Links": ["mill-door-1"]},
        {"ExtraHosts": ["localstack:192.0.2.1"]},
        {"SomethingNew": True},
    ],
    ids=lambda host: json.dumps(host)[:40],
)
def test_no_container_gets_anything_of_the_host(host: dict[str, Any]) -> None:
    """A field that the rules do not know has to be empty."""
    assert not created(**host)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("somebody-elses", "the-consumer"),
        ("", "the-consumer"),
        ("mill-door-1", "the-consumer"),
        (OWN, "alpine"),
        (OWN, ""),
    ],
)
def test_a_container_has_the_fleets_name_and_image(name: str, image: str) -> None:
    """So it cannot pose as another service of the project."""
    assert not created(name, image)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Image":"the-consumer","HostConfig":{"Privileged":true},"HostConfig":{}}',
        b'{"Image":"the-consumer","HostConfig":{},"hostconfig":{"Privileged":true}}',
        b'{"Image":"the-consumer","hostconfig":{"Binds":["/:/host"]}}',
        '{"Image":"the-consumer","Ho\u017ftConfig":{"Privileged":true}}'.encode(),
        b'{"image":"alpine"}',
        b'{"Image":"the-consumer","image":"alpine"}',
        b'{"Image":"the-consumer","NetworkingConfig":{"EndpointsConfig":{"bridge":{}}}}',
        b'{"Image":"the-consumer","NetworkingConfig":{"endpointsconfig":{"bridge":{}}}}',
        b'{"Image":"the-consumer","HostConfig":[]',
        b"[]",
        b"",
    ],
)
def test_a_body_is_read_as_the_engine_reads_it(body: bytes) -> None:
    """Go takes names in any case, merges what is given twice, and knows an old form of s."""
    assert not allowed("POST", f"/v1.44/containers/create?name={OWN}", body)


@pytest.mark.parametrize("body", [b'{"Privileged":true}', b'{"privileged":true}'])
def test_an_exec_has_no_privileges(body: bytes) -> None:
    """A command in a container gets what the container has."""
    assert not allowed("POST", f"/v1.44/containers/{OWN}/exec", body)
    assert allowed("POST", f"/v1.44/containers/{OWN}/exec", b'{"Cmd":["true"]}')
