"""/api/expenses/{id}/receipts: pictures and PDFs."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import parsers, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from expenses.api.reading import expense_for
from expenses.forms.downloads import receipt_file
from expenses.models import Receipt
from expenses.rules.receipts import MAX_BYTES
from expenses.selectors import plans
from expenses.services import receipts


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    content_type = serializers.CharField(source="file.content_type")
    size = serializers.IntegerField(source="file.size")
    sha256 = serializers.CharField(source="file.sha256", help_text="Of the bytes as they were sent.")

    class Meta:
        model = Receipt
        fields = ["id", "name", "content_type", "size", "sha256", "created_at"]
        read_only_fields = fields


class NewReceiptSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class ExpenseReceipts(ListApiView):
    permission = Perm.SELF
    object_decides = True
    parser_classes = (parsers.MultiPartParser,)
    serializer_class = ReceiptSerializer
    queryset = Receipt.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Receipt]:
        expense = expense_for(self.request, self.kwargs["expense_id"])
        return expense.receipts.select_related("file").defer("file__content")

    @extend_schema(tags=["expenses"], operation_id="receipts_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The receipts of an expense."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request={"multipart/form-data": NewReceiptSerializer}, responses={201: ReceiptSerializer}, tags=["expenses"])
    def post(self, request: Request, expense_id: uuid.UUID) -> Response:
        """Add a picture (JPEG, PNG, WebP, GIF; kept without its metadata) or a PDF. The same file twice is there once."""
        expense = expense_for(request, expense_id)
        file = valid(NewReceiptSerializer, request)["file"]
        made = receipts.add(expense=expense, name=file.name, sent=file.read(MAX_BYTES + 1), by=person(request))
        return Response(ReceiptSerializer(made).data, status=status.HTTP_201_CREATED)


class OneReceipt(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, tags=["expenses"])
    def get(self, request: Request, receipt_id: int) -> HttpResponseBase:
        """The file, to be saved and never run."""
        return receipt_file(plans.receipt_for(person(request), receipt_id))

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, receipt_id: int) -> Response:
        """Take it away from its expense."""
        receipts.remove(receipt=plans.receipt_for(person(request), receipt_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
