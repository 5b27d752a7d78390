"""Event loggers: a hierarchy of their own, so that user code cannot silence the consumer's lines.

A handler's module may call `logging.config.dictConfig`, `logging.disable`, `logging.shutdown`, take
handlers off the root logger, name levels anew or install a factory of records. All of that concerns
the hierarchy that `logging.getLogger` returns loggers of. These loggers belong to another one.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class _EventLogger(logging.Logger):
    """A logger whose records are always the standard library's own."""

    def makeRecord(  # noqa: N802, PLR0913, PLR0917 - logging's name and arguments
        self,
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: object,
        exc_info: object,
        func: str | None = None,
        extra: Mapping[str, object] | None = None,
        sinfo: str | None = None,
    ) -> logging.LogRecord:
        """Return the record; of `extra`, only `fields` is used."""
        record = logging.LogRecord(name, level, fn, lno, msg, args, exc_info, func, sinfo)  # type: ignore[arg-type]
        record.fields = (extra or {}).get("fields", {})
        return record


root: Final = logging.RootLogger(logging.WARNING)
"""The hierarchy's root: consumer.logs.logging_setup gives it its level and its handler."""

_manager: Final = logging.Manager(root)
_manager.setLoggerClass(_EventLogger)
root.manager = _manager


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; `extra={"fields": {...}}` adds fields to its lines."""
    return _manager.getLogger(name)
