"""Page of dashboards: one HTML file without scripts that contains all its pictures and texts."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Final

from tidemill.dashboard.snapshot import Absent, Alarms, MarkdownText, Picture
from tidemill.dashboard.widgets import GRID_WIDTH

if TYPE_CHECKING:
    from datetime import datetime

    from tidemill.dashboard.ports import AlarmStatus
    from tidemill.dashboard.snapshot import Panel, Sheet, Snapshot

STYLE: Final = """
:root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 78rem; padding: 0 1rem; color: #16191f; }
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
h3 { margin: 0 0 .4rem; font-size: 1rem; }
.about { margin: .3rem 0 0; color: #4b5563; }
.grid { display: grid; grid-template-columns: repeat(24, 1fr); gap: .6rem; }
.panel { border: 1px solid #d5dbdb; border-radius: 4px; padding: .6rem; min-width: 0; }
.panel img { display: block; width: 100%; height: auto; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; }
.absent { color: #8a3800; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .25rem .5rem .25rem 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; border-bottom: 1px solid #eaeded; }
.ALARM { color: #b0120a; font-weight: 600; }
.OK { color: #1d6b2f; }
@media (max-width: 60rem) { .grid { display: block; } .panel { margin-bottom: .6rem; } }
@media print { .panel { break-inside: avoid; } }
"""

POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Content-Security-Policy: the page uses its own pictures and style, and loads nothing."""


def render(snapshot: Snapshot) -> str:
    """Return the snapshot as a complete HTML document; everything in it is escaped."""
    title = f"Dashboards of {escape(snapshot.stack)}"
    start, end = _moment(snapshot.shown.start), _moment(snapshot.shown.end)
    sheets = "\n".join(_sheet(sheet) for sheet in snapshot.sheets)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<p class="about">Region {escape(snapshot.region)} · from {start} to {end} · generated {end}</p>
{_missing(snapshot)}{sheets}
</body>
</html>
"""


def _missing(snapshot: Snapshot) -> str:
    count = len(snapshot.absences)
    if not count:
        return ""
    whole = len(snapshot.panels)
    return f'<p class="about absent">{count} of {whole} widgets could not be exported.</p>\n'


def _sheet(sheet: Sheet) -> str:
    panels = "\n".join(_panel(panel) for panel in sheet.panels)
    return f'<h2>{escape(sheet.name)}</h2>\n<div class="grid">\n{panels}\n</div>'


def _panel(panel: Panel) -> str:
    widget = panel.widget
    column = min(max(widget.x, 0), GRID_WIDTH - 1) + 1
    span = min(max(widget.width, 1), GRID_WIDTH + 1 - column)
    row, rows = max(widget.y, 0) + 1, max(widget.height, 1)
    place = f"grid-column: {column} / span {span}; grid-row: {row} / span {rows}"
    return f'<section class="panel" style="{place}">{_content(panel)}</section>'


def _content(panel: Panel) -> str:
    title = panel.widget.title
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    match panel.content:
        case Picture(png):  # CloudWatch has drawn the title into the picture
            data = b64encode(png).decode()
            return f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">'
        case MarkdownText(markdown):
            return f'{heading}<div class="text">{escape(markdown)}</div>'
        case Alarms(states, unknown):
            rows = "".join(_alarm(alarm) for alarm in states)
            rows += "".join(_unknown_alarm(name) for name in unknown)
            head = "<tr><th>alarm</th><th>state</th><th>since</th><th>reason</th></tr>"
            return f"{heading}<table>{head}{rows}</table>"
        case Absent(reason):
            return f'{heading}<p class="absent">Not exported: {escape(reason)}.</p>'


def _alarm(alarm: AlarmStatus) -> str:
    since = _moment(alarm.since) if alarm.since else ""
    state = escape(alarm.state)
    return (
        f'<tr><td>{escape(alarm.name)}</td><td class="{state}">{state}</td>'
        f"<td>{since}</td><td>{escape(alarm.reason)}</td></tr>"
    )


def _unknown_alarm(name: str) -> str:
    return f'<tr><td>{escape(name)}</td><td colspan="3" class="absent">does not exist</td></tr>'


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
