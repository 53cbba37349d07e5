"""What the API tells of imports, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cloudconsole.api.fields import ChoiceField
from expenses.models import Expense, ImportBatch, ImportMapping, ImportRow
from expenses.rules.importing import delimited, encodings
from expenses.rules.importing.amounts import DecimalSign
from expenses.rules.importing.dates import DateFormat
from expenses.rules.importing.headers import Field
from expenses.rules.importing.readings import Incoming, Sign
from expenses.rules.importing.tables import Format
from expenses.rules.importing.verdicts import Decision, Verdict
from expenses.selectors import import_files


class LayoutSerializer(serializers.Serializer[Any]):
    """How the bytes are read. Delimiter, lines before the header and sheet matter to text and workbooks."""

    format = ChoiceField(choices=[one.value for one in Format], required=False)
    encoding = ChoiceField(choices=[*encodings.ENCODINGS, "xml"], required=False)
    delimiter = ChoiceField(choices=list(delimited.DELIMITERS), required=False)
    skip = serializers.IntegerField(min_value=0, max_value=1000, required=False, help_text="Lines before the header.")
    has_header = serializers.BooleanField(required=False)
    sheet = serializers.CharField(max_length=100, allow_blank=True, required=False)


class ImportReadingSerializer(serializers.Serializer[Any]):
    """What the columns mean, and how days and amounts are written."""

    columns = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False, help_text=f"Field → column. Fields: {', '.join(Field)}."
    )
    dates = ChoiceField(choices=[one.value for one in DateFormat], required=False)
    decimal = ChoiceField(choices=[one.value for one in DecimalSign], required=False)
    sign = ChoiceField(choices=[one.value for one in Sign], required=False, help_text="What a plain figure is.")
    incoming = ChoiceField(
        choices=[one.value for one in Incoming], required=False, help_text="What becomes of money that came in."
    )
    currency = serializers.CharField(max_length=3, allow_blank=True, required=False, help_text="Of rows that name none.")
    payment_method = serializers.CharField(max_length=80, allow_blank=True, required=False)
    is_sure = serializers.BooleanField(read_only=True, help_text="False: day or month first could not be told. Look.")

    def validate_columns(self, given: Mapping[str, str]) -> Mapping[str, str]:
        if unknown := sorted(set(given) - {one.value for one in Field}):
            raise serializers.ValidationError(f"“{unknown[0]}” is no field. Fields: {', '.join(Field)}.")
        return given


class ImportChangeSerializer(serializers.Serializer[Any]):
    layout = LayoutSerializer(required=False)
    reading = ImportReadingSerializer(required=False)
    source = serializers.CharField(  # type: ignore[assignment]  # the contract's name
        max_length=40, required=False, help_text="What the file tells of; ids are unique within it."
    )
    stage = serializers.BooleanField(default=True, help_text="Judge the rows as soon as it is clear how they are read.")


class NewExpenseImportSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        allow_empty_file=True, max_length=1024, help_text="CSV, TSV, XLSX, OFX, QFX, QIF, camt.053, JSON."
    )
    workspace = serializers.IntegerField(required=False, help_text="Your own when it is not named.")
    stage = serializers.BooleanField(default=True, help_text="Judge the rows as soon as it is clear how they are read.")


class ExpenseImportSerializer(serializers.ModelSerializer[ImportBatch]):
    user = serializers.CharField(source="owner_name")
    mapping_known = serializers.BooleanField(source="is_known", help_text="Whether files with such columns came before.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by verdict.")

    class Meta:
        model = ImportBatch
        fields = [
            "id", "workspace", "user", "name", "size", "digest", "status", "source", "mapping_known", "rows_read", "counts",
            "to_do",
            "done", "created", "updated", "kept", "error_code", "error_detail", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class PreviewedRowSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(source="row.number")
    raw = serializers.SerializerMethodField()
    parsed = serializers.SerializerMethodField()
    reason = serializers.CharField()

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_raw(self, one: import_files.Previewed) -> dict[str, str]:
        return {name: str(cell) for name, cell in one.row.cells.items()}

    @extend_schema_field({"type": "object", "nullable": True, "additionalProperties": True})
    def get_parsed(self, one: import_files.Previewed) -> dict[str, Any] | None:
        return one.parsed.as_json() if one.parsed else None


class TallySerializer(serializers.Serializer[Any]):
    to_create = serializers.IntegerField()
    to_update = serializers.IntegerField()
    undecided = serializers.IntegerField(help_text="Near matches and changes that nobody decided about; they are left out.")


class ExpenseImportDetailSerializer(ExpenseImportSerializer):
    layout = LayoutSerializer()
    reading = ImportReadingSerializer()
    columns = serializers.ListField(child=serializers.CharField())
    lacks = serializers.ListField(child=serializers.CharField(), help_text="What has to be said before rows can be judged.")
    tally = TallySerializer(help_text="What a commit would do.")

    class Meta(ExpenseImportSerializer.Meta):
        fields = [*ExpenseImportSerializer.Meta.fields, "layout", "reading", "columns", "lacks", "tally"]
        read_only_fields = fields


class ExpenseImportRowSerializer(serializers.ModelSerializer[ImportRow]):
    is_taken = serializers.SerializerMethodField(help_text="Whether a commit makes or changes an expense of it.")
    match = serializers.UUIDField(help_text="The expense that it is, or may be.")
    expense = serializers.SerializerMethodField(help_text="What it became.")

    class Meta:
        model = ImportRow
        fields = [
            "number", "verdict", "reason", "decision", "is_taken", "outcome", "expense", "match", "near", "diff", "parsed", "raw",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_taken(self, row: ImportRow) -> bool:
        return bool(getattr(row, "is_taken", 0))

    @extend_schema_field({"type": "string", "format": "uuid", "nullable": True})
    def get_expense(self, row: ImportRow) -> str | None:
        return str(row.expense) if row.outcome else None


class ImportDecisionSerializer(serializers.Serializer[Any]):
    decision = ChoiceField(
        choices=[one.value for one in Decision], allow_blank=True, help_text="take, leave; empty: as its verdict says."
    )
    rows = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=2**53), required=False, max_length=1000)
    verdict = ChoiceField(choices=[one.value for one in Verdict], required=False, help_text="All rows with this verdict.")

    def validate(self, given: Any) -> Any:
        if "rows" not in given and "verdict" not in given:
            raise serializers.ValidationError({"rows": ["Name rows, or a verdict."]})
        return given


class DecidedSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField()
    tally = TallySerializer()


class ImportRollbackSerializer(serializers.Serializer[Any]):
    edited = ChoiceField(choices=["keep", "remove"], default="keep", help_text="What becomes of expenses that were edited since.")


class ConflictSerializer(serializers.ModelSerializer[Expense]):
    class Meta:
        model = Expense
        fields = ["id", "date", "payee", "description", "cost", "currency", "revision", "updated_at"]
        read_only_fields = fields


class ImportMappingSerializer(serializers.ModelSerializer[ImportMapping]):
    reading = ImportReadingSerializer()

    class Meta:
        model = ImportMapping
        fields = ["id", "workspace", "source", "signature", "reading", "used_at"]
        read_only_fields = fields
