"""Errors of the core: problems of a template, a request, a fault or a time, in one line each."""

from __future__ import annotations


class ScalingError(Exception):
    """Root of the core's errors; the text has the problem, its place, and a remedy."""

    def __init__(self, text: str) -> None:
        """Keep the text as one printable line, even if it quotes other text of a template."""
        super().__init__("".join(letter if letter.isprintable() else " " for letter in text))


class TemplateError(ScalingError):
    """The template cannot be read, or its scaling depends on something that is not modelled."""


class RequestError(ScalingError):
    """A request to the group is refused; `code` and `message` are those of Auto Scaling."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code and the message of Auto Scaling's response."""
        super().__init__(message)
        self.code = code
        self.message = str(self)


def invalid(message: str) -> RequestError:
    """Return the error of a request with invalid parameters."""
    return RequestError("ValidationError", message)


class ParameterError(ScalingError):
    """A parameter or a chosen group is not in the template, or a value is out of its bounds."""


class FaultError(ScalingError):
    """A fault is of an unknown kind, or one of its values is wrong."""


class CalibrationError(ScalingError):
    """A time is no time, or a file of measured times cannot be read."""
