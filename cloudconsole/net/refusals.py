"""Why the door does not send, as a typed value; and the one sentence that everybody is told whatever the reason."""

from __future__ import annotations

from enum import StrEnum

from cloudconsole.core.errors import CloudconsoleError, Kind


class Cause(StrEnum):
    """For the log and the audit trail alone: told to the caller, it would map our network for them."""

    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    FORM = "form"
    SCHEME = "scheme"
    USERINFO = "userinfo"
    FRAGMENT = "fragment"
    HOST = "host"
    NUMERIC_HOST = "numeric_host"
    PORT = "port"
    NAME_DENIED = "name_denied"
    OWN_NAME = "own_name"
    UNRESOLVED = "unresolved"
    RESOLVER_SLOW = "resolver_slow"
    ADDRESS_DENIED = "address_denied"
    METADATA = "metadata"
    PLAIN_HTTP = "plain_http"


class Refused(CloudconsoleError):
    """Nothing was sent, nothing was connected to. `cause` is for the log; the words are the same for all of them."""

    kind = Kind.INVALID
    code = "address_refused"
    title = "The address is refused"

    def __init__(self, cause: Cause, *, attr: str | None = None) -> None:
        super().__init__(
            "Nothing is sent to this address. It has to be an https address of a public host; for hosts of a private "
            "network, the operator of this installation has to name the network in EGRESS_ALLOW_CIDRS.",
            attr=attr,
        )
        self.cause = cause


class Unanswered(CloudconsoleError):
    """The address is allowed, but no whole answer came. `may_have_acted`: whether the request may have arrived."""

    kind = Kind.UPSTREAM
    code = "no_answer"
    title = "No answer"

    def __init__(self, detail: str, *, may_have_acted: bool) -> None:
        super().__init__(detail)
        self.may_have_acted = may_have_acted
