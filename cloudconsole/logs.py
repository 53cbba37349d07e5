"""Structured logs for every process. AWS's libraries are pinned above the level at which they print requests and secrets."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor

_QUIET = (
    "boto3",
    "botocore",
    "s3transfer",
    "urllib3",
    "apprise",
    "kombu",
    "amqp",
    "asyncio",
    "websockets",
    "channels_redis",
    "fido2",
    "django.template",  # shows whole contexts, with forms and tokens in them, for every variable that is not there
)

_SILENT = (
    "urllib3.connection",  # its warnings show whole addresses, and a key may be part of one
    "pikepdf",  # tells what is broken in a file, line by line; who sent it is told once
)


def configure(*, debug: bool, as_json: bool, level: str) -> None:
    """Send everything to stderr, as JSON lines for machines or coloured lines for people."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # Django's own records too; as text, because prettier ones show locals
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel("DEBUG" if debug else level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
