"""/api/expenses/imports: files of expenses sent, mapped, judged row by row, imported and taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.models import User
from cloudconsole.api import pagination, parameters
from cloudconsole.api.views import ApiView, ListApiView, UnboundedListApiView
from cloudconsole.core.permissions import Perm
from expenses.api.import_answers import (
    ConflictSerializer,
    DecidedSerializer,
    ExpenseImportDetailSerializer,
    ExpenseImportRowSerializer,
    ExpenseImportSerializer,
    ImportChangeSerializer,
    ImportDecisionSerializer,
    ImportMappingSerializer,
    ImportRollbackSerializer,
    NewExpenseImportSerializer,
    PreviewedRowSerializer,
)
from expenses.api.reading import workspace_of
from expenses.forms.downloads import rejected_csv
from expenses.models import Expense, ImportBatch, ImportMapping, ImportRow
from expenses.rules.importing.readings import Reading
from expenses.rules.importing.tables import Layout
from expenses.rules.importing.verdicts import Decision, Verdict
from expenses.selectors import import_files, imports
from expenses.services.importing import batches


def _detail(batch: ImportBatch) -> dict[str, Any]:
    batch.lacks = batch.meaning.lacks  # type: ignore[attr-defined]
    batch.tally = imports.tally(batch)  # type: ignore[attr-defined]
    return dict(ExpenseImportDetailSerializer(batch).data)


def _changeable(request: Request, import_id: int) -> ImportBatch:
    return imports.get_to_change(person(request), import_id)


def _stage_if_clear(batch: ImportBatch, by: User) -> ImportBatch:
    """Where a person would have to look first, nothing is judged by itself."""
    reading = batch.meaning
    if reading.lacks or not (reading.is_sure or batch.is_known):
        return batch
    return batches.stage(batch=batch, reading=reading, source=batch.source, by=by)


class ExpenseImports(ListApiView):
    permission = Perm.SELF
    takes_files = True
    parser_classes = [MultiPartParser]
    serializer_class = ExpenseImportSerializer
    queryset = ImportBatch.objects.none()

    def get_queryset(self) -> QuerySet[ImportBatch]:
        return imports.visible(person(self.request))

    @extend_schema(tags=["expenses"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The files sent to workspaces that you see, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": NewExpenseImportSerializer},
        responses={201: ExpenseImportDetailSerializer},
        tags=["expenses"],
    )
    def post(self, request: Request) -> Response:
        """Send a file. How it is read is recognised: format, letters, columns, days, amounts. Nothing is imported yet.

        Where day or month first, the date, the amount or the currency cannot be told, it waits as `mapping` for a PATCH.
        """
        given, by = valid(NewExpenseImportSerializer, request), person(request)
        file = given["file"]
        batch = batches.receive(
            workspace=workspace_of(request, given.get("workspace")), name=file.name or "", file=file.file, by=by
        ).batch
        if given["stage"]:
            batch = _stage_if_clear(batch, by)
        return Response(_detail(batch), status=status.HTTP_201_CREATED, headers={"Location": f"/api/expenses/imports/{batch.pk}"})


class ExpenseImport(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=ExpenseImportDetailSerializer, tags=["expenses"])
    def get(self, request: Request, import_id: int) -> Response:
        """One file: how it is read, its rows by verdict, what a commit would do, and how far the present step is."""
        return Response(_detail(imports.get_for(person(request), import_id)))

    @extend_schema(request=ImportChangeSerializer, responses=ExpenseImportDetailSerializer, tags=["expenses"])
    def patch(self, request: Request, import_id: int) -> Response:
        """Say how the file is read, as long as nothing of it is imported; its rows are then judged anew. 409 `import_state`."""
        batch, by = _changeable(request, import_id), person(request)
        given = valid(ImportChangeSerializer, request)
        if "layout" in given:
            layout = Layout.of_json({**batch.layout, **given["layout"]})
            batch = batches.describe(batch=batch, layout=layout, by=by)
        reading = replace(Reading.of_json({**batch.reading, **given.get("reading", {})}), is_sure=True)
        source = given.get("source", batch.source)
        if given["stage"]:
            batch = batches.stage(batch=batch, reading=reading, source=source, by=by)
        elif "reading" in given or "source" in given:
            batch = batches.note(batch=batch, reading=reading, source=source, by=by)
        return Response(_detail(batch))

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, import_id: int) -> Response:
        """Discard a file of which nothing was imported. 409 `import_state` for one that was."""
        batches.discard(batch=_changeable(request, import_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExpenseImportPreview(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=PreviewedRowSerializer(many=True), tags=["expenses"])
    def get(self, request: Request, import_id: int) -> Response:
        """The first rows as they would be read."""
        batch = imports.get_for(person(request), import_id)
        found = import_files.sample(batch, batch.how_read)
        return Response(PreviewedRowSerializer(import_files.preview(found.rows, batch.meaning), many=True).data)


class _ByNumber(pagination.CursorPagination):
    ordering = "number"


class ExpenseImportRows(UnboundedListApiView):
    permission = Perm.SELF
    pagination_class = _ByNumber
    serializer_class = ExpenseImportRowSerializer
    queryset = ImportRow.objects.none()

    def get_queryset(self) -> QuerySet[ImportRow]:
        batch = imports.get_for(person(self.request), self.kwargs["import_id"])
        wanted = parameters.choices(self.request, "verdict", [one.value for one in Verdict])
        return imports.with_action(imports.rows(batch, wanted))

    @extend_schema(
        tags=["expenses"],
        parameters=[OpenApiParameter("verdict", str, many=True, enum=[one.value for one in Verdict])],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The rows in the order of the file, each with its verdict and the reason."""
        return super().get(request, *args, **kwargs)


class DecideImportRows(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=ImportDecisionSerializer, responses=DecidedSerializer, tags=["expenses"])
    def post(self, request: Request, import_id: int) -> Response:
        """Take or leave rows whatever their verdict says: near matches, changes at the source, money that came in."""
        batch = _changeable(request, import_id)
        given = valid(ImportDecisionSerializer, request)
        verdict = Verdict(given["verdict"]) if "verdict" in given else None
        changed = batches.decide(
            batch=batch, decision=Decision(given["decision"]), by=person(request), numbers=given.get("rows"), verdict=verdict
        )
        return Response(DecidedSerializer({"changed": changed, "tally": imports.tally(batch)}).data)


class CommitExpenseImport(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=None, responses={202: ExpenseImportDetailSerializer}, tags=["expenses"])
    def post(self, request: Request, import_id: int) -> Response:
        """Import the rows that are taken, in the background, a thousand at a time. 409 `import_state` unless it is `ready`."""
        batch = batches.commit(batch=_changeable(request, import_id), by=person(request))
        return Response(_detail(batch), status=status.HTTP_202_ACCEPTED)


class RollBackExpenseImport(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=ImportRollbackSerializer, responses={202: ExpenseImportDetailSerializer}, tags=["expenses"])
    def post(self, request: Request, import_id: int) -> Response:
        """Take away what the import made, and give what it changed its former values. What was edited since is kept or not."""
        takes_edited = valid(ImportRollbackSerializer, request)["edited"] == "remove"
        batch = batches.roll_back(batch=_changeable(request, import_id), by=person(request), takes_edited=takes_edited)
        return Response(_detail(batch), status=status.HTTP_202_ACCEPTED)


class RetryExpenseImport(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=None, responses={202: ExpenseImportDetailSerializer}, tags=["expenses"])
    def post(self, request: Request, import_id: int) -> Response:
        """Go on where a step failed. 409 `import_state` unless it is `failed`."""
        batch = batches.retry(batch=_changeable(request, import_id), by=person(request))
        return Response(_detail(batch), status=status.HTTP_202_ACCEPTED)


class ExpenseImportConflicts(ListApiView):
    permission = Perm.SELF
    serializer_class = ConflictSerializer
    queryset = Expense.objects.none()

    def get_queryset(self) -> QuerySet[Expense]:
        return imports.conflicts(imports.get_for(person(self.request), self.kwargs["import_id"]))

    @extend_schema(tags=["expenses"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Expenses of this import that somebody edited since: a rollback keeps them unless told `edited: remove`."""
        return super().get(request, *args, **kwargs)


class RejectedImportRows(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)}, tags=["expenses"])
    def get(self, request: Request, import_id: int) -> HttpResponseBase:
        """The rows that were not imported, as they stand in the file, each with its verdict and the reason."""
        return rejected_csv(request._request, imports.get_for(person(request), import_id))


class ImportMappings(ListApiView):
    permission = Perm.SELF
    serializer_class = ImportMappingSerializer
    queryset = ImportMapping.objects.none()

    def get_queryset(self) -> QuerySet[ImportMapping]:
        return imports.mappings(person(self.request))

    @extend_schema(tags=["expenses"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """How files are read by the titles of their columns, as somebody confirmed it."""
        return super().get(request, *args, **kwargs)


class OneImportMapping(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, mapping_id: int) -> Response:
        """Recognise the columns of such files anew from now on."""
        by = person(request)
        batches.forget(mapping=imports.mapping_for(by, mapping_id), by=by)
        return Response(status=status.HTTP_204_NO_CONTENT)
