"""`manage.py validate_credentials [alias …]`: what each account's credentials are and allow, as AWS answers now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import Style

from accounts.models import AwsAccount, CapabilityStatus, Status
from accounts.selectors import aws_accounts as selectors
from accounts.services import verification
from accounts.services.probes import Finding
from accounts.services.verification import Verification

EXIT_CODES = {Status.OK: 0, Status.ERROR: 2, Status.DEGRADED: 3}
_ENFORCED = {
    True: ("ok", "The role refuses callers without its external id."),
    False: ("denied", "The role can be assumed without its external id."),
    None: ("unknown", "AWS did not tell whether the role insists on its external id."),
}
_INDENT = " " * 17


class Command(BaseCommand):
    help = (
        "Ask AWS what the credentials of the accounts are and allow, and store it. Exit codes: 0 everything switched on is "
        "allowed, 1 there is no such account, 2 an account cannot be reached, 3 something is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="*", help="Alias, id or 12-digit number; default: every account.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, by alias.")

    def handle(self, *, account: list[str], **options: Any) -> None:
        results = [(one, verification.verify(account=one, actor=None)) for one in _named(account)]
        if options["json"]:
            self.stdout.write(_as_json(results))
        for one, result in [] if options["json"] else results:
            self.stdout.write("\n".join(_lines(one, result, self.style)))
        found = {result.status for _, result in results}
        worst = next((status for status in (Status.ERROR, Status.DEGRADED) if status in found), Status.OK)
        if EXIT_CODES[worst]:
            sys.exit(EXIT_CODES[worst])


def _named(names: list[str]) -> list[AwsAccount]:
    present = AwsAccount.objects.filter(deleted_at=None).select_related("hub").order_by("alias")
    if not names:
        found = list(present)
        if not found:
            raise CommandError("No AWS account is connected.")
        return found
    chosen = {name: present.filter(selectors.named(name)).first() for name in names}
    missing = [name for name, one in chosen.items() if one is None]
    if missing:
        raise CommandError(f"There is no AWS account called {', '.join(missing)}.")
    return [one for one in chosen.values() if one is not None]


def _lines(account: AwsAccount, result: Verification, style: Style) -> Iterator[str]:
    number = result.identity.account_id if result.identity else account.account_id or "number not known"
    paint = style.SUCCESS if result.status == Status.OK else style.ERROR
    yield f"{account.alias} ({number}, {account.get_auth_method_display().lower()}): {paint(Status(result.status).label)}"
    if result.status == Status.ERROR:
        yield from _trouble(f"{result.aws_code or result.code}", result.aws_message, result.detail, result.remedy)
        return
    for finding in result.findings:
        yield from _finding(finding, style)
    if account.role_arn:
        status, sentence = _ENFORCED[result.external_id_enforced]
        yield f"  {'external id':<15}{_word(status, style)}  {sentence}"
    if result.code and not result.code.startswith("capability_"):
        yield from _trouble(result.code, "", result.detail, result.remedy)


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    code = f"{finding.aws_code}: " if finding.aws_code else ""
    yield f"  {finding.capability:<15}{_word(finding.status, style)}  {code}{finding.detail}"
    if finding.remedy and finding.status != CapabilityStatus.OK:
        yield f"{_INDENT}→ {finding.remedy}"


def _word(status: str, style: Style) -> str:
    padded = f"{status:<11}"
    return style.SUCCESS(padded) if status == CapabilityStatus.OK else style.WARNING(padded)


def _trouble(code: str, message: str, detail: str, remedy: str) -> Iterator[str]:
    yield f"  {code}{': ' + message if message else ''}"
    yield f"  {detail}"
    if remedy:
        yield f"  → {remedy}"


def _as_json(results: list[tuple[AwsAccount, Verification]]) -> str:
    return json.dumps({account.alias: _plain(result) for account, result in results}, indent=2)


def _plain(result: Verification) -> dict[str, Any]:
    identity = result.identity
    return {
        "status": result.status,
        "code": result.code,
        "aws_code": result.aws_code,
        "aws_message": result.aws_message,
        "detail": result.detail,
        "remedy": result.remedy,
        "account_id": identity.account_id if identity else None,
        "arn": identity.arn if identity else None,
        "external_id_enforced": result.external_id_enforced,
        "capabilities": {
            finding.capability: {
                "status": finding.status,
                "code": finding.aws_code,
                "detail": finding.detail,
                "remedy": finding.remedy,
                "actions": list(finding.actions),
            }
            for finding in result.findings
        },
    }
