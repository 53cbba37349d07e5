"""Lists: numbered pages where the end is near, a cursor where there is none (audit, expenses, request logs)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import pagination
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
MADE_UP = "Take the cursor from `next` or `previous` of an earlier answer."


def page_size_of(request: Request) -> int:
    """`page_size` of the query, between 1 and 500. Anything else is a 400, not a silent other size."""
    given = request.query_params.get("page_size")
    if given is None:
        return DEFAULT_PAGE_SIZE
    if not (given.isascii() and given.isdecimal() and len(given) < 5 and 1 <= int(given) <= MAX_PAGE_SIZE):
        raise ValidationError({"page_size": [f"Must be a whole number from 1 to {MAX_PAGE_SIZE}."]})
    return int(given)


class PageNumberPagination(pagination.PageNumberPagination):
    """`{count, next, previous, results}` with `page` and `page_size`. A page that is not there is a 404."""

    page_size = DEFAULT_PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    invalid_page_message = "There is no such page."

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request)

    def get_page_number(self, request: Request, paginator: Any) -> int | str:
        number = request.query_params.get(self.page_query_param, "1")
        if not (number.isascii() and number.isdecimal() and 0 < len(number) < 12):
            raise ValidationError({"page": ["Must be a whole number."]})
        return number


class CursorPagination(pagination.CursorPagination):
    """`{next, previous, results}` by an opaque `cursor`. The view names the `ordering`, which must be unique and unchanging."""

    page_size = DEFAULT_PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    ordering = "-pk"

    def get_page_size(self, request: Request) -> int:
        return page_size_of(request)

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise ValidationError({"cursor": [MADE_UP]}) from error

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, DjangoValidationError) as error:  # the position inside the cursor is none of this column
            raise ValidationError({"cursor": [MADE_UP]}) from error
