"""Readers of alarms: what is modelled, and why the rest is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders.fleets import small_template

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.spec import Alarm, AlarmState, MissingData, WarmUp
from tidemill.scaling.template.alarms import COMPOSITE_ALARM
from tidemill.scaling.template.fleet import read_fleet

ABSENT = object()
SINGLE = ("Namespace", "MetricName", "Dimensions", "Period", "Statistic")


def read(**changes: Any) -> Alarm:  # noqa: ANN401 - any property
    """Return the alarm of the small template with these properties; ABSENT takes one away."""
    template = small_template()
    properties = template["Resources"]["High"]["Properties"]
    for key, value in changes.items():
        if value is ABSENT:
            del properties[key]
        else:
            properties[key] = value
    (alarm,) = read_fleet(template, {}).alarms
    return alarm


def metrics(*expressions: tuple[str, str], **stat: Any) -> dict[str, Any]:  # noqa: ANN401 - properties of any kind
    """Return properties of an alarm on the last of these expressions over one metric, m1."""
    single = small_template()["Resources"]["High"]["Properties"]
    metric = {key: single[key] for key in ("Namespace", "MetricName", "Dimensions")}
    entry = {"Metric": metric, "Period": single["Period"], "Stat": "Sum", **stat}
    return {
        **dict.fromkeys(SINGLE, ABSENT),
        "Metrics": [
            {"Id": "m1", "MetricStat": entry, "ReturnData": False},
            *(
                {"Id": key, "Expression": text, "ReturnData": key == expressions[-1][0]}
                for key, text in expressions
            ),
        ],
    }


@pytest.mark.parametrize("stat", ["p99", "p99.9", "tm90", "TM(10%:90%)", "IQM", "PR(:300)"])
def test_an_extended_statistic_is_read(stat: str) -> None:
    """ExtendedStatistic replaces Statistic."""
    (query,) = read(Statistic=ABSENT, ExtendedStatistic=stat).queries
    assert query.stat is not None
    assert query.stat.stat == stat


def test_a_metric_of_metric_math_may_have_any_statistic_and_a_unit() -> None:
    """Stat takes both kinds of statistics."""
    alarm = read(**metrics(("e1", "m1 / 2"), Stat="p50", Unit="Count"))
    (metric, _) = alarm.queries
    assert metric.stat is not None
    assert (metric.stat.stat, metric.unit) == ("p50", "Count")


def test_a_unit_is_read() -> None:
    """Datapoints are selected by their unit."""
    assert [query.unit for query in read(Unit="Count").queries] == ["Count"]


@pytest.mark.parametrize(("text", "expected"), [("ignore", True), ("evaluate", False)])
def test_low_samples_are_ignored_or_evaluated(text: str, *, expected: bool) -> None:
    """The template decides; the default is to evaluate."""
    assert read(EvaluateLowSampleCountPercentile=text).ignore_low_samples is expected
    assert not read().ignore_low_samples


def test_missing_data_of_dynamodb_are_ignored_unless_the_alarm_says_otherwise() -> None:
    """The page on missing data names DynamoDB's metrics as the exception."""
    dynamo = metrics(("e1", "m1 + m2"))
    dynamo["Metrics"].append(
        {
            "Id": "m2",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/DynamoDB", "MetricName": "X"},
                "Period": dynamo["Metrics"][0]["MetricStat"]["Period"],
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
    )
    assert read(**dynamo).missing_data is MissingData.IGNORE
    said = read(**dynamo, TreatMissingData="notBreaching")
    assert said.missing_data is MissingData.NOT_BREACHING


def test_a_window_slides_unless_it_goes_by_the_clock() -> None:
    """A wall clock window is in UTC unless it names a zone."""
    assert read(EvaluationWindow={"SlidingWindow": {}}).wall_clock is None
    for clock, offset in (({}, timedelta(0)), ({"Timezone": "+05:30"}, timedelta(hours=5.5))):
        zone = read(EvaluationWindow={"WallClockWindow": clock}).wall_clock
        assert zone is not None
        assert zone.utcoffset(None) == offset


def test_a_warm_up_is_read() -> None:
    """OnlyStartEvaluatingAfterWarmUpPeriodEnds is false by default."""
    settings = {"WarmUpPeriodDurationInMinutes": 20}
    assert read().warm_up is None
    assert read(WarmUpConfiguration=settings).warm_up == WarmUp(1200)
    settings["OnlyStartEvaluatingAfterWarmUpPeriodEnds"] = True
    assert read(WarmUpConfiguration=settings).warm_up == WarmUp(1200, whole=True)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param(
            {"ComparisonOperator": "LessThanLowerThreshold", "Threshold": ABSENT},
            "Resources.High.Properties.ComparisonOperator: an alarm on an anomaly detection band",
            id="anomaly-comparison",
        ),
        pytest.param(
            {"ThresholdMetricId": "band"}, "ThresholdMetricId: an alarm on an anomaly", id="band"
        ),
        pytest.param({"EvaluationCriteria": {}}, "an alarm on a PromQL query cannot", id="promql"),
        pytest.param(
            metrics(("e1", "SELECT MAX(x) FROM y")),
            "Metrics.e1.Expression: a Metrics Insights query is not modelled",
            id="insights",
        ),
        pytest.param(
            metrics(("e1", "ANOMALY_DETECTION_BAND(m1)")),
            "Resources.High: ANOMALY_DETECTION_BAND cannot be used",
            id="band-function",
        ),
        pytest.param(
            metrics(("e1", "m1 +"), ("e2", "m1")),
            "Resources.High: unexpected end at column 5",
            id="unused-expression",
        ),
        pytest.param(metrics(("E1", "m1")), "E1: an Id starts with a lower-case", id="identifier"),
        pytest.param(metrics(("e1", "m1" + " " * 2048)), "more than 2048 characters", id="long"),
        pytest.param(
            metrics(*((f"e{number}", "m1") for number in range(11))),
            "Metrics: more than 10 expressions",
            id="many-expressions",
        ),
        pytest.param(metrics(("e1", "m1"), Stat="p999"), "is between 0 and 100", id="percentile"),
        pytest.param(metrics(("e1", "m1"), Unit="Apples"), "'Apples' is not mod", id="unit"),
        pytest.param(
            {"ExtendedStatistic": "p9"}, "use Statistic or ExtendedStatistic", id="two-statistics"
        ),
        pytest.param(
            {"Statistic": ABSENT, "ExtendedStatistic": "x"}, "no statistic 'x'", id="no-statistic"
        ),
        pytest.param(
            {"EvaluateLowSampleCountPercentile": "maybe"}, "use evaluate or ignore", id="samples"
        ),
        pytest.param({"EvaluationWindow": {"X": {}}}, "give SlidingWindow or WallCl", id="window"),
        pytest.param(
            {"EvaluationWindow": {"WallClockWindow": {}}, "Period": 120},
            "cannot have a period of 120: give the metrics one of 60, 300, 3600",
            id="clock-period",
        ),
        pytest.param(
            {"EvaluationWindow": {"WallClockWindow": {"Timezone": "+01:03"}}},
            "not a multiple of 5 minutes",
            id="clock-offset",
        ),
        pytest.param(
            {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 2881}},
            "give 1 to 2880",
            id="warm-up",
        ),
        pytest.param(
            {"WarmUpConfiguration": {}}, "WarmUpPeriodDurationInMinutes is missing", id="no-time"
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(
    changes: dict[str, Any], text: str
) -> None:
    """The error is one line with the place in the template."""
    with pytest.raises(TemplateError) as error:
        read(**changes)
    assert text in str(error.value)


def test_a_metric_of_another_account_is_refused() -> None:
    """Metrics of other accounts are not modelled."""
    changes = metrics(("e1", "m1"))
    changes["Metrics"][0]["AccountId"] = "123456789012"
    with pytest.raises(TemplateError, match="AccountId: metrics of other accounts"):
        read(**changes)


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("AlarmActions", AlarmState.ALARM),
        ("OKActions", AlarmState.OK),
        ("InsufficientDataActions", AlarmState.INSUFFICIENT_DATA),
    ],
)
def test_policies_are_triggered_in_the_state_of_their_list(key: str, state: AlarmState) -> None:
    """Each list runs its policies in its own state only."""
    changes = {"High__AlarmActions": ["arn:topic"], f"High__{key}": [{"Ref": "Out"}]}
    (alarm,) = read_fleet(small_template(**changes), {}).alarms
    assert {one: alarm.policies_in(one) for one in AlarmState if alarm.policies_in(one)} == {
        state: ("Out",)
    }
    assert alarm.policies == {"Out"}


def composite(**actions: Any) -> dict[str, Any]:  # noqa: ANN401 - lists of actions
    """Return a template that has a composite alarm besides."""
    both = {"Type": COMPOSITE_ALARM, "Properties": {"AlarmRule": "ALARM(High)", **actions}}
    return small_template(Resources__Both=both)


def test_a_composite_alarm_is_reported() -> None:
    """A composite alarm is reported as not modelled."""
    sentences = read_fleet(composite(AlarmActions=["arn:topic"]), {}).not_modelled
    assert sentences == (
        "Resources.Both: composite alarms are not modelled; they cannot trigger scaling policies",
    )


@pytest.mark.parametrize("key", ["AlarmActions", "OKActions", "InsufficientDataActions"])
def test_a_composite_alarm_that_is_to_scale_is_refused(key: str) -> None:
    """CloudWatch allows it no Auto Scaling actions."""
    with pytest.raises(TemplateError, match=f"Both.Properties.{key}: a composite alarm cannot"):
        read_fleet(composite(**{key: [{"Ref": "Out"}]}), {})
