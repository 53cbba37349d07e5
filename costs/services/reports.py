"""Keeping reports and letting them go."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.http import urlencode

import audit.services
from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import SavedReport
from costs.selectors.reports import Report

NAME_LENGTH = 80


class InvalidName(CloudconsoleError):
    code = "invalid_name"
    title = "The report needs a name"


class NameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "name_taken"
    title = "The name is taken"


def save(*, name: str, report: Report, by: User) -> SavedReport:
    """Keep `report` under `name`, in the place of an own one that has it. Raises InvalidName."""
    checked = _name(name)
    with transaction.atomic():
        saved, _ = SavedReport.objects.update_or_create(user=by, name=checked, defaults={"query": urlencode(report.pairs())})
        audit.services.record(verbs.REPORT_SAVED, actor=by, subject=str(saved.pk), detail={"name": checked})
    return saved


def change(*, saved: SavedReport, name: str, report: Report | None, by: User) -> SavedReport:
    """Another name, another question, or both. Raises InvalidName, NameTaken."""
    checked = _name(name)
    saved.name = checked
    saved.query = saved.query if report is None else urlencode(report.pairs())
    try:
        with transaction.atomic():
            saved.save(update_fields=["name", "query", "updated_at"])
            audit.services.record(verbs.REPORT_SAVED, actor=by, subject=str(saved.pk), detail={"name": checked})
    except IntegrityError as error:
        raise NameTaken(f"You have a report called “{checked}” already.", attr="name") from error
    return saved


def delete(*, saved: SavedReport, by: User) -> None:
    with transaction.atomic():
        audit.services.record(verbs.REPORT_DELETED, actor=by, subject=str(saved.pk), detail={"name": saved.name})
        saved.delete()


def _name(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > NAME_LENGTH:
        raise InvalidName(f"Give it a name of at most {NAME_LENGTH} characters.", attr="name")
    return found
