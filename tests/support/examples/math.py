"""Kinds of AWS's published examples of metric math and statistics."""

from __future__ import annotations

import re

import pytest
from support.examples.kind import Expected, Given, Kind, fields, take

from tidemill.scaling.metric_math.expression import compile_expression
from tidemill.scaling.metric_math.values import ExpressionError
from tidemill.scaling.metrics.statistics import STATISTICS, StatisticSet, samples_needed

NUMBERS = (int, float)
CALL = re.compile(r"\bMETRICS\(")


def is_series(given: Given, name: str) -> bool:
    """Return whether an input is a series, or a number, that the example's expression uses.

    A page's example may name a number that its expression writes out: `scalar2` is such a name.
    """
    value = given[name]
    numbers = isinstance(value, list) and all(
        item is None or isinstance(item, NUMBERS) for item in value
    )
    if not (numbers or value is None or isinstance(value, NUMBERS)):
        return False
    text = str(given.get("expression"))
    used = re.search(rf"\b{re.escape(name)}\b", text)
    return bool(used or (CALL.search(text) and numbers)) or name.startswith("scalar")


def check_expression(given: Given, expected: Expected) -> None:
    """Evaluate an expression over the example's series and numbers."""
    series = {key: tuple(value) for key, value in given.items() if isinstance(value, list)}
    width = max(map(len, series.values()), default=0)
    series |= {key: (None,) * width for key, value in given.items() if value is None}
    numbers = {key: value for key, value in given.items() if isinstance(value, NUMBERS)}
    result = compile_expression(given["expression"]).evaluate(series, numbers)
    if "values" not in expected:
        (wanted_number,) = expected.values()
        assert result == pytest.approx(wanted_number)
        return
    wanted = expected["values"]
    assert isinstance(result, tuple)
    assert [point is None for point in result] == [point is None for point in wanted]
    found = [point for point in result if point is not None]
    assert found == pytest.approx([point for point in wanted if point is not None])


def check_validity(given: Given, expected: Expected) -> None:
    """Accept or refuse an expression."""
    assert isinstance(expected["valid_alarm_expression"], bool)
    if expected["valid_alarm_expression"]:
        compile_expression(given["expression"])
        return
    with pytest.raises(ExpressionError):
        compile_expression(given["expression"])


def check_statistics(given: Given, expected: Expected) -> None:
    """Compute statistics of a statistic set, or of samples that are merged one by one."""
    if "statistic_set" in given:
        values = StatisticSet(
            *take(given["statistic_set"], "SampleCount", "Sum", "Minimum", "Maximum")
        )
    else:
        (samples,) = given.values()
        values = StatisticSet.of(samples[0])
        for sample in samples[1:]:
            values = values.merge(StatisticSet.of(sample))
    for stat, value in expected.items():
        assert values.value(stat) == pytest.approx(value), stat


def check_backlog(given: Given, expected: Expected) -> None:
    """Divide the backlog by the instances, as the metric math of a policy does."""
    series = {name: (value,) for name, value in given.items()}
    result = compile_expression("visible / in_service").evaluate(series)
    assert result == (expected["backlog_per_instance"],)


def check_low_samples(given: Given, expected: Expected) -> None:
    """Compare the number of samples that makes a percentile significant."""
    (result,) = expected.values()
    asked = given["percentile"]
    percent = float(str(asked).lstrip("p")) if str(asked).startswith("p") else float(asked)
    percent = percent if percent > 1 else percent * 100
    assert samples_needed(percent) == pytest.approx(result)


def is_only_number(expected: Expected, name: str) -> bool:
    """Return whether a result is the only number that the example expects, under any name."""
    numbers = [one for one in expected if type(expected[one]) in NUMBERS]
    return numbers == [name]


def is_only_list(given: Given, name: str) -> bool:
    """Return whether an input is the only list of numbers, under any name."""
    lists = [one for one in given if isinstance(given[one], list)]
    return lists == [name] and all(isinstance(item, NUMBERS) for item in given[name])


STATS = frozenset(STATISTICS)

MATH_KINDS: tuple[Kind, ...] = (
    Kind(
        "an expression and its values",
        fields("expression"),
        fields("values[]"),
        check_expression,
        others=is_series,
    ),
    Kind(
        "whether an expression can be used",
        fields("expression"),
        fields("valid_alarm_expression"),
        check_validity,
    ),
    Kind(
        "an expression and its number",
        fields("expression"),
        fields(),
        check_expression,
        others=is_series,
        results=is_only_number,
    ),
    Kind(
        "statistics of a statistic set",
        fields("statistic_set"),
        fields("", " ".join(STATISTICS)),
        check_statistics,
        any_of=STATS,
    ),
    Kind(
        "statistics of samples",
        fields(),
        fields("", " ".join(STATISTICS)),
        check_statistics,
        fits=lambda given, _: bool(given),
        any_of=STATS,
        others=is_only_list,
    ),
    Kind(
        "a backlog for each instance",
        fields("visible in_service"),
        fields("backlog_per_instance"),
        check_backlog,
    ),
    Kind(
        "how many samples a percentile needs",
        fields("percentile"),
        fields(),
        check_low_samples,
        results=lambda expected, name: "samples" in name and is_only_number(expected, name),
    ),
)
