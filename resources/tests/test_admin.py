"""The admin shows everything and changes only how often AWS is asked."""

from __future__ import annotations

import pytest
from django.contrib import admin as site
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from resources.models import InventorySource
from resources.tests import inventory

MODELS = sorted(
    (model for model in site.site._registry if model._meta.app_label == "resources"), key=lambda model: model.__name__
)


@pytest.fixture
def client(admin: User) -> Client:
    made = Client()
    made.force_login(admin)
    return made


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_table_can_be_looked_at_and_not_added_to(client: Client, model: type) -> None:
    name = model._meta.model_name  # type: ignore[attr-defined]
    inventory.instances(inventory.account(), 1)
    assert client.get(reverse(f"admin:resources_{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:resources_{name}_add")).status_code == 403


def test_an_admin_changes_how_often_an_account_is_asked(client: Client) -> None:
    source = InventorySource.objects.create(account=inventory.account())
    path = reverse("admin:resources_inventorysource_change", args=[source.pk])
    assert client.get(path).status_code == 200
    assert client.post(path, {"interval_s": "30"}).status_code == 200  # too often: the form says so
    client.post(path, {"interval_s": "900"})
    source.refresh_from_db()
    assert source.interval_s == 900
    assert AuditEvent.objects.filter(action="inventory.interval_changed", detail__seconds=900).exists()
