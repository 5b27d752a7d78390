"""Confinement of the local AWS: it starts no program and reaches nobody, unless that is asked."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
from support.builders.sessions import KEYS, SESSION

from tidemill.rig.local_aws.ministack import local_aws

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REGION = "us-east-1"
PATIENCE = 60.0
REFUSED = {
    "subprocess": "subprocess.run(['true'])",
    "system": "os.system('true')",
    "exec": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "spawn": "os.spawnv(os.P_WAIT, '/bin/true', ['true'])",
    "posix-spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "asyncio": "asyncio.run(asyncio.create_subprocess_exec('true'))",
    "docker-socket": "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "metadata": "socket.socket().connect(('169.254.169.254', 80))",
    "other-machine": "socket.create_connection(('192.0.2.1', 443), 1)",
    "other-machine-6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))",
    "name-like-ours": "sys.audit('socket.connect', None, ('localhost.example', 80))",
    "number-like-ours": "sys.audit('socket.connect', None, ('127.0.0.1.example', 80))",
    "datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "datagrams": "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
    "listen-everywhere": "socket.socket().bind(('0.0.0.0', 0))",
    "listen-everywhere-6": "socket.socket(socket.AF_INET6).bind(('::', 0))",
}
ALLOWED = {
    "listen-here": "socket.socket().bind(('127.0.0.1', 0))",
    "pair": "pair = socket.socketpair(); pair[0].sendmsg([b'x'])",
    "thread": "threading.Thread(target=print).start()",
    "file": "open(os.devnull).close()",
}


def confined(statements: Mapping[str, str]) -> dict[str, str]:
    """Return, by name, what a confined process gets for doing this: an error's name or nothing."""
    program = f"""
import asyncio, json, os, socket, subprocess, sys, threading
from tidemill.rig.door.confinement import confine
confine()
got = {{}}
for name, statement in {dict(statements)!r}.items():
    try:
        exec(statement)
        got[name] = ""
    except Exception as error:
        got[name] = type(error).__name__
print(json.dumps(got))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_a_confined_process_starts_nothing_and_reaches_nobody() -> None:
    """Python itself refuses it, whichever library asks."""
    assert confined(REFUSED) == dict.fromkeys(REFUSED, "ConfinedError")


def test_a_confined_process_still_has_what_an_emulator_needs() -> None:
    """Threads, files and its own port."""
    assert confined(ALLOWED) == dict.fromkeys(ALLOWED, "")


# ---- functions in MiniStack


def program(mark: Path) -> str:
    """Return the code of a function that leaves a file, and lists queues as on AWS."""
    return f"""
import json, os, urllib.request, boto3
def handler(event, context):
    open({str(mark)!r}, "w").write(json.dumps(boto3.client("sqs").list_queues()["QueueUrls"]))
    if "ResponseURL" not in event:
        return "ran"
    answer = {{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}}
    answer |= {{"Status": "SUCCESS", "PhysicalResourceId": "x"}}
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, method="PUT"))
"""


class Account:
    """boto3's clients of a local AWS, with the session's keys."""

    def __init__(self, endpoint: str) -> None:
        """Use this endpoint, in which one queue is."""
        self.endpoint = endpoint
        self.client("sqs").create_queue(QueueName="one")

    def client(self, service: str) -> Any:  # noqa: ANN401 - any service's client
        """Return a client."""
        return boto3.client(  # type: ignore[call-overload]  # its stubs list services
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEYS.access_key,
            aws_secret_access_key=KEYS.secret_key,
        )

    def invoke(self, code: str) -> tuple[bool, str]:
        """Create and invoke a function; return whether it ran, and what it returned."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr("index.py", code)
        functions = self.client("lambda")
        functions.create_function(
            FunctionName="f",
            Runtime=f"python3.{sys.version_info.minor}",
            Role="arn:aws:iam::000000000000:role/any",
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
        )
        answer = functions.invoke(FunctionName="f", Payload=b"{}")
        return "FunctionError" not in answer, answer["Payload"].read().decode()

    def create_custom_resource(self, code: str) -> str:
        """Create a stack with a custom resource; return the stack's status in the end."""
        function = {
            "Runtime": f"python3.{sys.version_info.minor}",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/any",
            "Code": {"ZipFile": code},
        }
        token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": "1"}
        resources = {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Thing": {"Type": "Custom::Thing", "Properties": token},
        }
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName="own", TemplateBody=json.dumps({"Resources": resources}))
        deadline = time.monotonic() + PATIENCE
        status = "CREATE_IN_PROGRESS"
        while status.endswith("IN_PROGRESS") and time.monotonic() < deadline:
            status = stacks.describe_stacks(StackName="own")["Stacks"][0]["StackStatus"]
            time.sleep(0.1)
        return status


def test_a_local_aws_runs_no_function_even_for_who_has_the_keys(tmp_path: Path) -> None:
    """Neither one that is invoked, nor one behind a custom resource; the error says what to do."""
    mark = tmp_path / "mark"
    with local_aws(tmp_path, 0, REGION, SESSION) as aws:
        account = Account(aws.url)
        ran, said = account.invoke(program(mark))
        assert (ran, "start it with --run-functions" in said) == (False, True)
        assert account.create_custom_resource(program(mark)) == "ROLLBACK_COMPLETE"
    assert not mark.exists()


def test_functions_run_where_the_user_asks_for_it(tmp_path: Path) -> None:
    """They get keys of their own from MiniStack, so the door lets their calls in."""
    mark = tmp_path / "mark"
    with local_aws(tmp_path, 0, REGION, SESSION, run_functions=True) as aws:
        account = Account(aws.url)
        assert account.invoke(program(mark)) == (True, '"ran"')
        assert json.loads(mark.read_text()) == [f"{aws.url}/000000000000/one"]
        mark.unlink()
        assert account.create_custom_resource(program(mark)) == "CREATE_COMPLETE"
        assert mark.exists()
