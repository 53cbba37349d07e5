"""Reading saved reports: one's own, and one that somebody shared the link of."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs.models import SavedReport
from costs.models.reports import SavedReportQuerySet


class ReportNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "report_not_found"
    title = "Not found"


def visible(user: User) -> SavedReportQuerySet:
    return SavedReport.objects.of(user)


def get_for(user: User, pk: int) -> SavedReport:
    """Raises ReportNotFound."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise ReportNotFound("There is no such report, or it is somebody else's.")
    return found


def shared(key: str) -> SavedReport:
    """The report behind a link. Raises ReportNotFound."""
    try:
        found = SavedReport.objects.select_related("user").filter(key=UUID(key)).first()
    except ValueError:
        found = None
    if found is None:
        raise ReportNotFound("The report behind this link is not there any more.")
    return found
