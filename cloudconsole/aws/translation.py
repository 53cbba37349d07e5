"""botocore's exceptions and AWS's error answers, turned into AwsError without their secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cloudconsole.aws import codes
from cloudconsole.aws.denials import denial_in, explained
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.readings import Reading
from cloudconsole.core import clock

T = TypeVar("T")

# What SigV4 tolerates between the clocks of client and server.
_TOLERATED_SKEW_S = 300

_CLOCK_CODES = frozenset(
    {
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "RequestExpired",
        "AuthFailure",
    }
)
_CLOCK_WORDS = ("signature expired", "signature not yet current", "too large to be processed", "request has expired")

# What botocore could not get to or could not read, most specific first.
_BROKEN: tuple[tuple[type[Exception], Reading], ...] = (
    (boto.ReadTimeoutError, codes.READ_TIMEOUT),
    (boto.ConnectTimeoutError, codes.CONNECT_TIMEOUT),
    (boto.SSLError, codes.UNTRUSTED),
    (boto.ConnectionClosedError, codes.BROKEN_OFF),
    (boto.ResponseStreamingError, codes.BROKEN_OFF),
    (boto.IncompleteReadError, codes.BROKEN_OFF),
    (boto.ConnectionError, codes.UNREACHABLE),
    (boto.NoCredentialsError, codes.NO_IDENTITY),
    (boto.PartialCredentialsError, codes.UNREADABLE_IDENTITY),
    (boto.CredentialRetrievalError, codes.UNREADABLE_IDENTITY),
    (boto.MetadataRetrievalError, codes.UNREADABLE_IDENTITY),
    (boto.ProfileNotFound, codes.UNREADABLE_IDENTITY),
    (boto.ParamValidationError, codes.REFUSED),
    (boto.HTTPClientError, codes.UNREACHABLE),
    (boto.ChecksumError, codes.GARBLED),
    (ResponseParserError, codes.GARBLED),
    (boto.BotoCoreError, codes.UNREACHABLE),
)

# AWS quotes the signed request, session token included, after these words; encoded denials hold privileged data.
_QUOTES = re.compile(r"\s*(The Canonical String for this request|Encoded authorization failure message).*", re.DOTALL)
_LONG_BLOB = re.compile(r"[A-Za-z0-9/+=_]{60,}")
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}(?=[A-Z0-9]{4}\b)")
_MAX_MESSAGE = 1_000


def guarded(service: str, operation: str, secrets: Collection[str], request: Callable[[], T]) -> T:
    """What `request` brings; its AWS failures as AwsError, in which none of `secrets` appears.

    `request` asks and reads: a member that the answer should have and has not (KeyError) makes it garbled.
    The original exception is not chained: its frames and texts hold signed requests.
    """
    try:
        return request()
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError, KeyError) as failure:
        error = translate(service, operation, failure, secrets)
    raise error


def translate(service: str, operation: str, failure: Exception, secrets: Collection[str] = ()) -> AwsError:
    """The AwsError for what botocore raised."""
    if isinstance(failure, boto.ClientError):
        return from_answer(service, operation, failure.response, secrets)
    reading = next((reading for kind, reading in _BROKEN if isinstance(failure, kind)), codes.GARBLED)
    return AwsError(
        service=service,
        operation=operation,
        cause=reading.cause,
        meaning=reading.meaning,
        remedy=reading.remedy,  # AWS said nothing here, so there is no message of AWS to pass on
    )


def from_answer(service: str, operation: str, answer: Mapping[str, Any], secrets: Collection[str] = ()) -> AwsError:
    """The AwsError for an error answer as botocore parses it (`Error`, `ResponseMetadata`)."""
    error, metadata = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    reading = codes.reading_of(service, operation, code, message, int(metadata.get("HTTPStatusCode", 0)))
    skew = _skew_s(metadata.get("HTTPHeaders", {}))
    denial = denial_in(message) if reading.cause is AwsErrorKind.ACCESS_DENIED else None
    if code in _CLOCK_CODES and _is_about_the_clock(code, message, skew):
        reading = _skewed(skew)
    elif denial is not None and reading is codes.DENIED:
        reading = explained(reading, denial)
    return AwsError(
        service=service,
        operation=operation,
        cause=reading.cause,
        meaning=reading.meaning,
        remedy=reading.remedy,
        aws_code=code,
        aws_message=scrubbed(message, secrets),
        request_id=str(metadata.get("RequestId", "")),
        denial=denial,
        clock_skew_s=skew if reading.cause is AwsErrorKind.CLOCK_SKEWED else None,
    )


def region_disabled(error: AwsError, region: str) -> AwsError:
    """`error`, now that the same credentials are known to work elsewhere."""
    return AwsError(
        service=error.service,
        operation=error.operation,
        cause=codes.REGION_OFF.cause,
        meaning=f"The credentials are good, but the region {region} is not enabled for the account.",
        remedy=codes.REGION_OFF.remedy,
        aws_code=error.aws_code,
        aws_message=error.aws_message,
        request_id=error.request_id,
    )


def garbled(service: str, operation: str, why: str, request_id: str = "") -> AwsError:
    """An answer that arrived well and says nothing that can be used; `why` is a sentence without secrets."""
    return AwsError(
        service=service,
        operation=operation,
        cause=AwsErrorKind.GARBLED,
        meaning=f"{codes.GARBLED.meaning} {why}",
        remedy=codes.GARBLED.remedy,
        request_id=request_id,
    )


def scrubbed(message: str, secrets: Collection[str] = ()) -> str:
    """AWS's text without secrets, quoted requests, tokens and full key ids, in one line of bounded length."""
    text = _QUOTES.sub("", message)
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    text = _KEY_ID.sub("…", _LONG_BLOB.sub("[redacted]", text))
    return " ".join(text.split())[:_MAX_MESSAGE]


def _skew_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that this server's clock is ahead of AWS's; None when the answer carries no readable date."""
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return (clock.now() - _in_utc(theirs)).total_seconds()


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_about_the_clock(code: str, message: str, skew: float | None) -> bool:
    """AWS's own words count even where the clocks agree by now: they may not have when the request was signed.

    EC2 says RequestExpired of expired credentials as well as of a wrong clock; there only the clocks tell.
    """
    is_skewed = skew is not None and abs(skew) > _TOLERATED_SKEW_S
    if code == "RequestExpired" and skew is not None:
        return is_skewed
    return is_skewed or any(words in message.lower() for words in _CLOCK_WORDS)


def _skewed(skew: float | None) -> Reading:
    if skew is None or abs(skew) <= _TOLERATED_SKEW_S:
        return codes.SKEWED
    minutes, direction = round(abs(skew) / 60), "ahead of" if skew > 0 else "behind"
    meaning = f"AWS refuses the signature because the clock of this server is {minutes} minutes {direction} AWS's."
    return Reading(codes.SKEWED.cause, meaning, codes.SKEWED.remedy)
