"""Forms of AWS's published examples of metric math and statistics."""

from __future__ import annotations

import pytest
from support.examples.shape import Expected, Given, Shape, has

from tidemill.scaling.metric_math.expression import compile_expression
from tidemill.scaling.metric_math.values import ExpressionError
from tidemill.scaling.metrics.statistics import STATISTICS, StatisticSet, samples_needed


def check_expression(given: Given, expected: Expected) -> None:
    """Evaluate an expression over the example's series and numbers."""
    series = {key: tuple(value) for key, value in given.items() if isinstance(value, list)}
    numbers = {key: value for key, value in given.items() if isinstance(value, int | float)}
    result = compile_expression(given["expression"]).evaluate(series, numbers)
    if "values" not in expected:
        assert result == pytest.approx(*expected.values())
        return
    wanted = expected["values"]
    assert isinstance(result, tuple)
    assert [point is None for point in result] == [point is None for point in wanted]
    found = [point for point in result if point is not None]
    assert found == pytest.approx([point for point in wanted if point is not None])


def is_number(expected: Expected) -> bool:
    """Return whether the example expects one number, under any name."""
    return len(expected) == 1 and type(next(iter(expected.values()))) in {int, float}


def is_expression(given: Given, expected: Expected) -> bool:
    """Return whether the input is an expression with its series and numbers only."""
    rest = [value for key, value in given.items() if key != "expression"]
    return (
        "expression" in given
        and (expected.keys() == {"values"} or is_number(expected))
        and all(isinstance(value, list | int | float) for value in rest)
    )


def check_validity(given: Given, expected: Expected) -> None:
    """Accept or refuse an expression."""
    if expected["valid_alarm_expression"]:
        compile_expression(given["expression"])
        return
    with pytest.raises(ExpressionError):
        compile_expression(given["expression"])


def check_statistics(given: Given, expected: Expected) -> None:
    """Compute statistics of a statistic set, or of samples that are merged one by one."""
    if "statistic_set" in given:
        parts = given["statistic_set"]
        values = StatisticSet(
            parts["SampleCount"], parts["Sum"], parts["Minimum"], parts["Maximum"]
        )
    else:
        (samples,) = given.values()
        values = StatisticSet.of(samples[0])
        for sample in samples[1:]:
            values = values.merge(StatisticSet.of(sample))
    for stat, value in expected.items():
        assert values.value(stat) == pytest.approx(value), stat


def is_statistics(given: Given, expected: Expected) -> bool:
    """Return whether the example expects statistics of one set or of one list of samples."""
    return (
        len(given) == 1
        and isinstance(next(iter(given.values())), list | dict)
        and expected.keys() <= set(STATISTICS)
    )


def check_backlog(given: Given, expected: Expected) -> None:
    """Divide the backlog by the instances, as the metric math of a policy does."""
    series = {name: (value,) for name, value in given.items()}
    (result,) = expected.values()
    assert compile_expression("visible / in_service").evaluate(series) == (result,)


def check_low_samples(given: Given, expected: Expected) -> None:
    """Compare the number of samples that makes a percentile significant."""
    (result,) = expected.values()
    assert samples_needed(given["percentile"] * 100) == pytest.approx(result)


MATH_SHAPES: tuple[Shape, ...] = (
    Shape("an expression and its values", is_expression, check_expression),
    Shape(
        "whether an expression can be used",
        lambda given, expected: (
            has({"expression"})(given) and has({"valid_alarm_expression"})(expected)
        ),
        check_validity,
    ),
    Shape("statistics", is_statistics, check_statistics),
    Shape(
        "a backlog for each instance",
        lambda given, expected: (
            has({"visible", "in_service"})(given) and has({"backlog_per_instance"})(expected)
        ),
        check_backlog,
    ),
    Shape(
        "how many samples a percentile needs",
        lambda given, expected: (
            has({"percentile"})(given)
            and isinstance(given["percentile"], float)
            and is_number(expected)
            and "samples" in next(iter(expected))
        ),
        check_low_samples,
    ),
)
