"""The admin shows expenses and keys of other services, and changes none."""

from __future__ import annotations

import pytest
from django.contrib import admin as site
from django.test import Client
from django.urls import reverse

from accounts.models import User
from expenses.tests import books

MODELS = sorted(
    (model for model in site.site._registry if model._meta.app_label in ("expenses", "gateway")), key=lambda model: model.__name__
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_can_be_looked_at_and_not_added_to(admin: User, model: type) -> None:
    client = Client()
    client.force_login(admin)
    one = books.spend(admin)
    name = f"{model._meta.app_label}_{model._meta.model_name}"  # type: ignore[attr-defined]
    assert client.get(reverse(f"admin:{name}_changelist"), {"q": "yellow"}).status_code == 200
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403
    assert client.get(reverse("admin:expenses_expense_change", args=[one.pk])).status_code == 200
