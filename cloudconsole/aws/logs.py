"""Keeps botocore's debug output, which holds request bodies and signatures, out of every log."""

from __future__ import annotations

import logging

_ROOTS = ("aws_encryption_sdk", "boto3", "botocore", "s3transfer", "urllib3")


class _NothingBelowInfo(logging.Filter):
    """A filter rather than only a level: levels are lowered by logging configuration, filters stay."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO


_GATE = _NothingBelowInfo()


def pin() -> None:
    """Pin the loggers of boto3 and what it stands on at INFO or above. Harmless to repeat; modules loaded later need it."""
    known = [name for name in list(logging.root.manager.loggerDict) if name.split(".", 1)[0] in _ROOTS]
    for name in {*_ROOTS, *known}:
        logging.getLogger(name).addFilter(_GATE)
    for name in _ROOTS:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))
