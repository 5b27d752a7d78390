"""Errors of the core: what is wrong with a template, a request or a fault, in one line each."""

from __future__ import annotations


class ScalingError(Exception):
    """Root of the core's errors; the text is for people: what, where, and what to do."""

    def __init__(self, text: str) -> None:
        """Keep the text in one printable line, whatever it quotes of a template or a value."""
        super().__init__("".join(letter if letter.isprintable() else " " for letter in text))


class TemplateError(ScalingError):
    """The template cannot be read, or asks for something that scaling here cannot follow."""


class RequestError(ScalingError):
    """A request to the group is refused; `code` and `message` are Auto Scaling's."""

    def __init__(self, code: str, message: str) -> None:
        """Keep what Auto Scaling would answer."""
        super().__init__(message)
        self.code = code
        self.message = str(self)


def invalid(message: str) -> RequestError:
    """Return the error of a request that cannot be fulfilled as it is."""
    return RequestError("ValidationError", message)


class ParameterError(ScalingError):
    """A value given for a parameter is unknown to the template or out of its bounds."""


class FaultError(ScalingError):
    """A fault is of an unknown kind, or one of its values is wrong."""
