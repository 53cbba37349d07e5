from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8, never more than DATA_UPLOAD_MAX_MEMORY_SIZE of it, and no NaN. DRF's own reads bodies of any size."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return parsed(stream, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def parsed(stream: Any, max_bytes: int) -> Any:
    """The JSON in `stream`. Raises RequestDataTooBig, ParseError."""
    body: bytes = stream.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise RequestDataTooBig
    try:
        found = json.loads(body.decode(), parse_constant=_refuse)
        if b"\\u" in body:  # half of a surrogate pair is no character: no database and no answer could hold it
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise ParseError("The body is not UTF-8.", code="malformed") from error
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: line {error.lineno}, column {error.colno}.", code="malformed") from error
    except RecursionError as error:
        raise ParseError("The body is nested too deeply.", code="malformed") from error
    except ValueError as error:  # NaN, or a number of more digits than Python turns into one
        raise ParseError("The body holds a number that JSON does not have.", code="malformed") from error
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
