"""Targets that read a user's template: its text, its values, its script, its expressions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from support.fuzz.target import Target, told
from support.fuzz.texts import SCALAR, TEXT, VALUE, changed

from tidemill.lint.check import lint
from tidemill.scaling.errors import ScalingError
from tidemill.scaling.metric_math.expression import compile_expression
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.user_data import container_environment, read_container

if TYPE_CHECKING:
    from random import Random

SMALL: Final = (Path(__file__).parents[2] / "lint/sound.yaml").read_text("utf-8")


def check_template(text: str) -> None:
    """A template is linted, or refused in one line that can be printed."""
    try:
        report = lint(text, "t.yaml", {})
    except ScalingError as error:
        told(error)
        return
    for finding in report.findings:
        assert finding.what
        assert finding.line >= 0


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:  # noqa: ANN401 - any part
    """Return every container in a template with each of its keys or indexes."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in entries:
        found.append((value, key))
        if isinstance(part, (dict, list)):
            _places(part, found)
    return found


@st.composite
def _with_odd_values(draw: st.DrawFn) -> str:
    """Return a template in JSON, some of whose values are others, doubled, or gone."""
    template = json.loads(json.dumps(_document()))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(template, [])
        if not places:
            break
        owner, key = places[draw(st.integers(0, len(places) - 1))]
        other, name = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.integers(0, 3))
        if action == 0:
            del owner[key]
        elif action == 1:
            owner[key] = json.loads(json.dumps(other[name]))
        else:
            owner[key] = draw(SCALAR | VALUE)
    return json.dumps(template)


@cache
def _document() -> Any:  # noqa: ANN401 - a template is any JSON
    return parse_template(SMALL, "sound.yaml")


SCRIPTS: Final = st.sampled_from(
    [
        "#!/bin/bash\ndocker run --rm -e QUEUE_URL=$URL --env A='b c' image:tag\n",
        "docker run -d \\\n  --stop-timeout 30 --env-file x \\\n  image & docker stop -t 5 x\n",
        'if true; then podman container run -e "A=${B:-c}" i; fi\n',
    ]
)


def check_script(script: str) -> None:
    """A script is read, or refused."""
    read_container(script)
    try:
        environment = container_environment(script, {"INSTANCE_ID": "i-1", "URL": "u"})
    except ScalingError as error:
        told(error)
    else:
        assert all(isinstance(value, str) for value in environment.values())


EXPRESSIONS: Final = st.sampled_from(
    [
        "IF(visible > 0, visible + inflight, 0)",
        "CEIL((m1 + m2) / 20)",
        "9^9^9^9^9",
        "SUM(METRICS('visible')) / PERIOD(m1)",
        "FILL(m1, REPEAT) * (m1 >= 3 && m2 != 2)",
        "SLICE(SORT(METRICS(), MAX, ASC), 0, 2)",
        "(" * 40 + "m1" + ")" * 40,
    ]
)
SERIES: Final = {
    "m1": (1.0, None, 3.0),
    "m2": (0.0, 1e308, None),
    "visible": (5.0, 6.0, 7.0),
    "inflight": (0.0, 0.0, 0.0),
}


def check_expression(text: str) -> None:
    """An expression gives numbers that are finite, or is refused."""
    try:
        result = compile_expression(text).evaluate(SERIES, None, 1_800_000_000.0)
    except ScalingError as error:
        told(error)
        return
    values = result if isinstance(result, tuple) else [result]
    assert all(value is None or abs(value) < float("inf") for value in values)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(texts, TEXT)


def _changed(text: str, rng: Random) -> str:
    return changed(text, rng)


TARGETS: Final = (
    Target(
        "template-texts",
        _of(st.just(SMALL)),
        check_template,
        _changed,
        share=0.05,
        of_bytes=_text,
    ),
    Target("template-values", _with_odd_values(), check_template, share=0.05),
    Target("user-data", _of(SCRIPTS), check_script, _changed, of_bytes=_text),
    Target("expressions", _of(EXPRESSIONS), check_expression, _changed, of_bytes=_text),
)
