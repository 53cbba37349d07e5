"""Bringing code into a function, step by step: each step is sent once, and waited for until AWS has done it.

AWS has no one call for it. What fails after the first step leaves the function with the new code, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import AwsAccount
from cloudconsole.aws import lambda_
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.lambda_ import FunctionFacts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.rules.functions import Configuration
from resources.services.inventory import functions as inventory
from resources.services.inventory.instances import Asked

_READY_WITHIN_S = 60.0
_DESCRIPTION = "Published by Cloudconsole"


class ReleaseIncomplete(CloudconsoleError):
    """Some of the steps are done, and cannot be taken back by themselves."""

    kind = Kind.CONFLICT
    code = "release_incomplete"
    title = "The function was changed only in part"

    def __init__(self, done: str, cause: CloudconsoleError) -> None:
        super().__init__(f"{done}, but then: {cause.detail}")
        self.remedy = getattr(cause, "remedy", "") or "Look at the function's versions before doing it again."


class NotAPackage(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "function_is_an_image"
    title = "The function is a container image"
    remedy = "Images are deployed by pushing to their registry."


@dataclass(frozen=True, slots=True)
class Release:
    """The changes to one function. `alive` is told between the steps, and while AWS is at work on one of them."""

    access: Access
    region: str
    name: str
    observer: Observer | None
    alive: Callable[[], object] = lambda: None

    def latest(self) -> FunctionFacts | None:
        """The function as it is now; None where there is none. Raises AwsError."""
        try:
            return lambda_.configuration(self.access, self.region, self.name)
        except AwsError as error:
            if error.cause is AwsErrorKind.NOT_FOUND:
                return None
            raise

    def create(self, code: bytes, wish: Configuration) -> FunctionFacts:
        """A new function, once it can be invoked. Raises AwsError, ReleaseIncomplete."""
        lambda_.create_function(
            self.access,
            self.region,
            self.name,
            code=code,
            runtime=wish.runtime,
            handler=wish.handler,
            role_arn=wish.role_arn,
            memory_mb=wish.memory_mb or 128,
            timeout_s=wish.timeout_s or 3,
            observer=self.observer,
        )
        return self._settled("The function was created")

    def replace(self, found: FunctionFacts, code: bytes, wish: Configuration) -> FunctionFacts:
        """New code, and then what `wish` changes of its configuration. Raises NotAPackage, AwsError, ReleaseIncomplete."""
        if found.package_type == "Image":
            raise NotAPackage(f"{self.name} is made from a container image, which has no zip file.")
        self.alive()
        lambda_.update_code(self.access, self.region, self.name, code=code, revision_id=found.revision_id, observer=self.observer)
        changed = self._settled("The new code is in place")
        changes = _changes(changed, wish)
        if changes == Configuration():
            return changed
        return self._configured(changed, changes)

    def publish(self, found: FunctionFacts) -> str:
        """The number of the version that holds the code of `found` from now on. Raises AwsError."""
        published = lambda_.publish_version(
            self.access, self.region, self.name, code_sha256=found.code_sha256, description=_DESCRIPTION, observer=self.observer
        )
        return published.version

    def published(self, found: FunctionFacts) -> str:
        """The same as a last step. Raises ReleaseIncomplete."""
        try:
            return self.publish(found)
        except AwsError as error:
            raise ReleaseIncomplete("The new code is in place", error) from error

    def remember(self, account: AwsAccount) -> None:
        """The function as it is now goes into the inventory at once."""
        asked_at = clock.now()
        found = self.latest()
        if found is not None:
            asked = Asked(asked_at, clock.now())
            inventory.observe(account=account, region=self.region, facts=[found], asked=asked)

    def _configured(self, found: FunctionFacts, wish: Configuration) -> FunctionFacts:
        try:
            lambda_.update_configuration(
                self.access,
                self.region,
                self.name,
                runtime=wish.runtime or None,
                handler=wish.handler or None,
                role_arn=wish.role_arn or None,
                memory_mb=wish.memory_mb,
                timeout_s=wish.timeout_s,
                revision_id=found.revision_id,
                observer=self.observer,
            )
        except AwsError as error:
            raise ReleaseIncomplete("The new code is in place", error) from error
        return self._settled("The new code is in place")

    def _settled(self, done: str) -> FunctionFacts:
        try:
            return lambda_.wait_until_active(
                self.access, self.region, self.name, deadline_s=_READY_WITHIN_S, pause=self._pause, observer=self.observer
            )
        except CloudconsoleError as error:
            raise ReleaseIncomplete(done, error) from error

    def _pause(self, seconds: float) -> None:
        self.alive()
        time.sleep(seconds)


def _changes(found: FunctionFacts, wish: Configuration) -> Configuration:
    """What of `wish` is not so already."""
    return Configuration(
        runtime=wish.runtime if wish.runtime != found.runtime else "",
        handler=wish.handler if wish.handler != found.handler else "",
        role_arn=wish.role_arn if wish.role_arn != found.role_arn else "",
        memory_mb=wish.memory_mb if wish.memory_mb != found.memory_mb else None,
        timeout_s=wish.timeout_s if wish.timeout_s != found.timeout_s else None,
    )
