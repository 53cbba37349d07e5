from __future__ import annotations

import logging
import logging.config
import pickle
import traceback
from collections.abc import Iterator

import pytest

from cloudconsole.aws import clients, logs, sts, translation
from cloudconsole.aws.credentials import Access, AssumedRole, Keys, StaticKey
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.tests.scripted import Endpoint, Request, role_reply, whoami_reply, xml_error

CANARY = "CanarySecretThatMustAppearNowhere0123456"
TOKEN = "CanaryTokenThatMustAppearNowhere"
ROLE_TOKEN = "CanaryTokenOfTheRole"
HUB = StaticKey("AKIACANARY0000001234", CANARY, TOKEN)
ROLE = AssumedRole("arn:aws:iam::222222222222:role/console", "external-id", HUB)


@pytest.fixture
def shouting() -> Iterator[None]:
    """The loudest logging configuration that a careless operator can write."""
    root, names = logging.getLogger(), ("boto3", "botocore", "botocore.auth", "botocore.endpoint", "urllib3.connectionpool")
    before = {name: logging.getLogger(name).level for name in names}
    loud = {name: {"level": "DEBUG"} for name in names}
    level, handlers = root.level, root.handlers[:]
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "incremental": True, "loggers": loud})
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    for name, old in before.items():
        logging.getLogger(name).setLevel(old)
    logs.pin()


def test_no_log_at_any_level_holds_a_secret(endpoint: Endpoint, shouting: None, caplog: pytest.LogCaptureFixture) -> None:
    def script(request: Request) -> object:
        return role_reply("ASIAROLE", token=ROLE_TOKEN) if request.operation == "AssumeRole" else whoami_reply(request)

    endpoint.script = script  # type: ignore[assignment]  # the two branches are replies both
    caplog.set_level(logging.DEBUG)
    logging.getLogger("cloudconsole").debug("the capture works")
    sts.whoami(Access("member:1", ROLE))
    assert "the capture works" in caplog.text
    assert [record for record in caplog.records if record.name.startswith(("boto", "urllib3")) and record.levelno < 20] == []
    for secret in (CANARY, TOKEN, ROLE_TOKEN, "secret-of-ASIAROLE"):
        assert secret not in caplog.text


def test_loggers_that_are_made_loud_later_are_still_gated(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    clients.client("sts", "us-east-1")
    logger = logging.getLogger("botocore.auth")
    before = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("a signed request")
        logger.info("an ordinary word")
    finally:
        logger.setLevel(before)
    assert "a signed request" not in caplog.text


@pytest.mark.parametrize("thing", [HUB, ROLE, Access("hub:1", HUB), Access("role:1", ROLE), Keys("AKIA", CANARY, TOKEN)])
def test_no_text_of_credentials_holds_a_secret(thing: object) -> None:
    for text in (repr(thing), str(thing), f"{thing}", f"{[thing]}"):
        assert CANARY not in text
        assert TOKEN not in text
        assert "AKIACANARY" not in text


def test_a_failure_holds_no_secret_that_aws_quotes(endpoint: Endpoint) -> None:
    quoted = (
        f"The request signature we calculated does not match {CANARY}. "
        f"The Canonical String for this request should have been x-amz-security-token:{TOKEN}"
    )
    endpoint.script = lambda _: xml_error("SignatureDoesNotMatch", quoted)
    with pytest.raises(AwsError) as caught:
        sts.whoami(Access("hub:1", HUB))
    error = caught.value
    texts = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    for secret in (CANARY, TOKEN):
        assert [text for text in texts if secret in text] == []
    assert "does not match [redacted]." in error.aws_message


def test_a_failure_leads_back_to_no_exception_of_botocore(endpoint: Endpoint) -> None:
    endpoint.script = lambda _: xml_error("AccessDenied")
    with pytest.raises(AwsError) as caught:
        sts.whoami(Access("member:1", ROLE))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_encoded_authorization_messages_are_cut_off() -> None:
    text = "You are not authorized to perform this operation. Encoded authorization failure message: " + "aB3-" * 100
    assert translation.scrubbed(text) == "You are not authorized to perform this operation."


def test_key_ids_keep_only_their_end() -> None:
    assert translation.scrubbed("The key AKIAIOSFODNN7EXAMPLE is inactive") == "The key …MPLE is inactive"


def test_control_characters_of_a_message_cannot_forge_a_log_line() -> None:
    assert translation.scrubbed("first\r\n2026-01-01 forged\tline") == "first 2026-01-01 forged line"


def test_a_failure_can_be_pickled_and_holds_no_credentials(endpoint: Endpoint) -> None:
    endpoint.script = lambda _: xml_error("AccessDenied", "User: alice is not authorized to perform: sts:GetCallerIdentity")
    with pytest.raises(AwsError) as caught:
        sts.whoami(Access("hub:1", HUB))
    pickled = pickle.dumps(caught.value)
    assert vars(pickle.loads(pickled)) == vars(caught.value)  # noqa: S301 - pickled one line above
    assert CANARY.encode() not in pickled
