"""Forms of the cost pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from accounts.models import FILES_ONLY, AwsAccount, User
from cloudconsole.aws import names
from cloudconsole.core.permissions import Perm
from costs.models import Engine, engine_for
from costs.services.billing.buckets import NewBucket


class BillingBucketForm(forms.Form):
    """A bucket to look into. The accounts to choose from are those whose costs `user` may refresh."""

    account = forms.ModelChoiceField(
        AwsAccount.objects.none(),
        empty_label="Choose an account",
        help_text="Its credentials read the bucket (capability “S3: objects”).",
    )
    bucket = forms.CharField(max_length=63, validators=[RegexValidator(names.BUCKET, "This is no name of a bucket.")])
    region = forms.CharField(max_length=32, validators=[RegexValidator(names.REGION, "This is no region, such as us-east-1.")])
    folder = forms.CharField(
        max_length=512, required=False, help_text="The export's own folder, which holds “data” and “metadata”."
    )
    engine = forms.ChoiceField(
        choices=Engine.choices,
        initial=Engine.INSTALLATION,
        help_text="Athena sums where the files lie, and charges for bytes scanned.",
    )
    database = forms.CharField(max_length=255, required=False, help_text="Athena's database, for Athena only.")
    table = forms.CharField(max_length=255, required=False, help_text="Athena's table of the export.")
    workgroup = forms.CharField(
        max_length=128, required=False, help_text="It limits the bytes that a query scans. Empty: primary."
    )
    by_itself = forms.BooleanField(
        label="Store by itself",
        required=False,
        initial=True,
        help_text="Files without a faulty line are stored as soon as they are read.",
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        accounts = AwsAccount.objects.visible_to(user, Perm.COSTS_REFRESH).exclude(status_code=FILES_ONLY).order_by("alias")
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        usual = engine_for(Engine.INSTALLATION).label
        self.fields["engine"].help_text = f"{self.fields['engine'].help_text} Set for all buckets, by COST_ENGINE: {usual}."

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if engine_for(Engine(given.get("engine", Engine.INSTALLATION))) == Engine.ATHENA:
            for name in ("database", "table"):
                if not given.get(name):
                    self.add_error(name, "Athena needs the database and the table of the export.")
        return given

    def wish(self) -> NewBucket:
        given = dict(self.cleaned_data)
        return NewBucket(engine=Engine(given.pop("engine")), prefix=given.pop("folder"), **given)
