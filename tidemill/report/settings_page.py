"""docs/settings.md, written from the consumer's table of settings: `make docs` runs this module."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from consumer.setting_table import CHAPTERS
from shared.settings import Choice, Seconds, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.settings import Setting

HEAD: Final = """\
# Settings of the consumer

<!-- Generated: edit images/consumer/setting_table.py, then run `make docs`. -->

All settings of `python -m consumer`, and so of its image. This page is written from the table in \
[setting_table.py](../images/consumer/setting_table.py), which the consumer, the rig, the \
simulator and the lint rules read as well.

- The consumer reads its settings from environment variables. One that is empty counts as not set.
- It checks all settings before it starts. If some are wrong, it names each of them on standard \
error and exits with code 2.
- Durations are in seconds and may have a fraction. Where SQS takes whole seconds only, the \
consumer rounds up; these are marked "rounded up".
- The region comes from `AWS_REGION` or `AWS_DEFAULT_REGION`. Credentials and endpoint \
come from the variables that boto3 reads, such as `AWS_PROFILE` and `AWS_ENDPOINT_URL`.
- `template.yaml` gives its instances most of these settings. [deploy.md](deploy.md) lists the \
parameters of the stack that change them. `DRAIN_SECONDS` and `VISIBILITY_TIMEOUT_SECONDS` follow \
from the parameter `MessageSeconds`.
"""


def page(chapters: Mapping[str, Sequence[Setting]]) -> str:
    """Return the whole page in Markdown, a table for each chapter."""
    tables = [
        f"## {title}\n\n| setting | default | value | meaning |\n| --- | --- | --- | --- |\n"
        + "".join(f"{_row(setting)}\n" for setting in settings)
        for title, settings in chapters.items()
    ]
    return "\n".join([HEAD, *tables])


def _row(setting: Setting) -> str:
    cells = (f"`{setting.name}`", _default(setting), _value(setting), setting.meaning)
    return f"| {' | '.join(cells)} |"


def _default(setting: Setting) -> str:
    match setting:
        case Text(default="", otherwise=otherwise):
            return otherwise or "none"
        case Whole(otherwise=str(otherwise)) if otherwise:
            return otherwise
        case Seconds(default=seconds):
            return f"`{seconds:g}`"
        case _:
            return f"`{setting.default}`"


def _value(setting: Setting) -> str:
    match setting:
        case Text():
            return "text"
        case Whole(low=low, high=high, unit=unit):
            return f"{low} to {high} {unit}"
        case Seconds(low=low, high=high, whole=whole):
            return f"{low:g} to {high:g} seconds" + (", rounded up" if whole else "")
        case Choice(allowed=allowed):
            return f"{', '.join(allowed[:-1])} or {allowed[-1]}"


if __name__ == "__main__":
    sys.stdout.write(page(CHAPTERS))
