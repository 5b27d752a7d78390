"""Targets that read what a user gives on a command line: settings, the producer's input, traces."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from support.fuzz.target import Target, told
from support.fuzz.texts import BYTES, ENCODABLE, any_json, changed, changed_bytes

from consumer.setting_table import SETTINGS
from consumer.settings import read as read_settings
from producer.errors import InputError
from producer.messages.input_messages import CsvTypes, Format, Input
from producer.messages.input_messages import read as read_messages
from producer.messages.line_reader import opened
from producer.messages.message_maker import MessageMaker
from producer.messages.outgoing_message import OutgoingMessage, RejectedLine
from producer.messages.template_text import TemplateText
from shared.errors import SettingsError
from shared.stopping import SignalStop
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.traces.trace import read_trace, trace_scenario

if TYPE_CHECKING:
    from random import Random

NAMES: Final = [setting.name for setting in SETTINGS]
FOLDER: Final = tempfile.TemporaryDirectory(prefix="fuzz-")
PATH: Final = Path(FOLDER.name) / "input"

ENVIRONMENTS: Final = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        ENCODABLE,
        st.integers().map(str),
        st.floats().map(str),
        st.sampled_from(["https://sqs.eu-west-1.amazonaws.com/123456789012/q", "auto", "{a}", "1"]),
    ),
    max_size=6,
)


def _changed_values(environment: dict[str, str], rng: Random) -> dict[str, str]:
    return {name: changed(value, rng) for name, value in environment.items()}


def check_settings(environment: dict[str, str]) -> None:
    """Settings are read, or all of their problems are named in a line each."""
    try:
        read_settings(environment, "host")
    except SettingsError as error:
        for problem in error.problems:
            told(problem)


@dataclass(frozen=True)
class _File:
    content: bytes
    source: Input
    with_attributes: bool


FILES: Final = st.builds(
    _File,
    content=st.one_of(
        BYTES,
        any_json().map(lambda text: text.encode(errors="replace")),
        st.lists(any_json(), max_size=4).map(
            lambda lines: "\n".join(lines).encode("utf-8", "replace")
        ),
        st.lists(any_json(), max_size=4).map(
            lambda items: f"[{','.join(items)}]".encode("utf-8", "replace")
        ),
        BYTES.map(gzip.compress),
        st.just(b'a,b\n1,"x\ny"\n2,z\n'),
    ),
    source=st.builds(
        Input,
        path=st.just(str(PATH)),
        format=st.sampled_from(Format),
        csv_types=st.sampled_from(CsvTypes),
        attribute_columns=st.sampled_from([(), ("a",)]),
    ),
    with_attributes=st.booleans(),
)


def _changed_file(file: _File, rng: Random) -> _File:
    return replace(file, content=changed_bytes(file.content, rng))


def check_input(file: _File) -> None:
    """Every line of an input becomes a message that SQS takes, or a rejection with its reason."""
    PATH.write_bytes(file.content)
    maker = MessageMaker(group=TemplateText("{a}"), with_attributes=file.with_attributes)
    try:
        with opened(str(PATH)) as stream:
            found = [one for one in read_messages(stream, file.source, maker, SignalStop()) if one]
    except InputError as error:
        told(error)
        return
    for one in found:
        if isinstance(one, RejectedLine):
            assert one.reason
        else:
            assert isinstance(one, OutgoingMessage)
            one.body.encode()
            assert one.body


TRACES: Final = st.one_of(
    st.sampled_from(
        [
            b"time,count\n2026-01-01T00:00:00Z,12\n2026-01-01T00:01:00Z,0\n",
            b'{"time": 1, "count": 2}\n{"time": 61, "count": 3}\n',
        ]
    ),
    BYTES,
)


def check_trace(content: bytes) -> None:
    """A trace is read, or refused in a sentence."""
    PATH.write_bytes(content)
    try:
        lots = read_trace(PATH)
        scenario = trace_scenario(lots, "fuzz")
    except SimulationError as error:
        told(error)
        return
    assert scenario.seconds >= 0


TARGETS: Final = (
    Target("settings", ENVIRONMENTS, check_settings, _changed_values),
    Target("producer-inputs", FILES, check_input, _changed_file, share=2),
    Target("traces", TRACES, check_trace, changed_bytes, of_bytes=bytes),
)
