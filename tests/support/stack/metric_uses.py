"""The metrics that the template's alarms and dashboards use, and the table of all metrics."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.builders.fleets import product_template
from support.fakes.instance import PLACE

from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE: Final = Path(__file__).parents[2] / "template" / "published_metrics.toml"
UNIT_WORDS: Final = {"percent": "Percent", "seconds": "Seconds", "bytes": "Bytes"}
"""The last word of a widget's title, and the unit of its metrics."""
VARIANTS: Final[dict[str, dict[str, str]]] = {
    "usual": {},
    "fast signal": {"FastSignal": "true"},
    "fifo": {"QueueKind": "fifo"},
}
"""Parameters with which alarms and dashboards differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of the table; the table's header explains the columns."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    unit: str
    kind: str
    resolution: int
    source: str

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """Return what identifies a metric in CloudWatch, without the dimensions' values."""
        return self.namespace, self.name, self.dimensions


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a metric: `where` is the alarm or the widget, `unit` is the unit that it shows."""

    where: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int
    unit: str | None

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """Return the key by which the table has this metric."""
        return self.namespace, self.name, tuple(sorted(name for name, _ in self.dimensions))


@cache
def table() -> list[Row]:
    """Return the table's rows, for an imagined stack."""
    text = TABLE.read_text(encoding="utf-8")
    rows = tomllib.loads(text.replace("{stack}", PLACE.stack))["metric"]
    return [Row(**{**row, "dimensions": tuple(row["dimensions"])}) for row in rows]


def from_source(source: str) -> dict[tuple[str, str, tuple[str, ...]], Row]:
    """Return the rows of one publisher, by identity."""
    return {row.identity: row for row in table() if row.source == source}


def resolver(variant: str = "fast signal") -> Resolver:
    """Return the template, resolved for the imagined stack."""
    return Resolver(product_template(), VARIANTS[variant], PLACE)


def used(variant: str) -> list[Use]:
    """Return every use of a metric in the template's alarms and dashboards."""
    template = resolver(variant)
    uses: list[Use] = []
    for alarm in template.present("AWS::CloudWatch::Alarm"):
        uses += alarm_uses(alarm, template.properties(alarm))
    for dashboard in template.present("AWS::CloudWatch::Dashboard"):
        for widget in widgets(template, dashboard, "metric"):
            uses += widget_uses(widget)
    return uses


def alarm_uses(name: str, properties: dict[str, Any]) -> Iterator[Use]:
    """Yield the metrics that an alarm uses, directly or in metric math."""
    whole = (
        [{"Metric": properties, "Period": properties["Period"]}] if "Period" in properties else []
    )
    stats = whole + [
        each["MetricStat"] for each in properties.get("Metrics", []) if "MetricStat" in each
    ]
    for stat in stats:
        metric = stat["Metric"]
        yield Use(
            where=name,
            namespace=metric["Namespace"],
            name=metric["MetricName"],
            dimensions=tuple(
                (each["Name"], each["Value"]) for each in metric.get("Dimensions", [])
            ),
            statistic=stat.get("Stat") or properties["Statistic"],
            period=int(stat["Period"]),
            unit=stat.get("Unit") or properties.get("Unit"),
        )


def widgets(template: Resolver, dashboard: str, *kinds: str) -> list[dict[str, Any]]:
    """Return a dashboard's widgets of these kinds, or all of them."""
    body = json.loads(template.properties(dashboard)["DashboardBody"])
    return [each for each in body["widgets"] if not kinds or each["type"] in kinds]


def widget_uses(widget: dict[str, Any]) -> Iterator[Use]:
    """Yield the metrics that a widget shows."""
    properties = widget["properties"]
    word = properties["title"].rpartition(", in ")[2]
    for namespace, name, *rest in (row for row in properties["metrics"] if isinstance(row[0], str)):
        options = rest.pop() if rest and isinstance(rest[-1], dict) else {}
        yield Use(
            where=properties["title"],
            namespace=namespace,
            name=name,
            dimensions=tuple(zip(rest[::2], rest[1::2], strict=True)),
            statistic=options.get("stat", properties["stat"]),
            period=options.get("period", properties["period"]),
            unit=UNIT_WORDS.get(word),
        )
