"""/api/lambda/invoke and /api/lambda/deploy: running functions and giving them code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api import parsers
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.objects import ACCOUNT_HELP
from resources.api.operations import OperationSerializer, accepted
from resources.api.requests import file_in, named, reader, sent
from resources.rules import functions, payloads
from resources.rules.functions import Configuration
from resources.rules.payloads import InvocationType
from resources.selectors import deployments as selectors
from resources.services import deployments, invocations


class InvocationParser(BaseParser):
    """JSON with a payload as large as AWS takes, and as much again for how JSON spells it.

    No kind of DRF's own JSONParser: for those the whole body is read first, by the limit that holds for all other views.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return parsers.parsed(stream, 2 * payloads.MAX_BYTES[InvocationType.REQUEST_RESPONSE])


class InvocationSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    region = serializers.CharField(max_length=32, required=False, default="")
    payload = serializers.JSONField(required=False, default=dict, allow_null=True)
    invocation_type = serializers.ChoiceField(
        choices=[kind.value for kind in InvocationType], required=False, default=InvocationType.REQUEST_RESPONSE.value
    )
    qualifier = serializers.CharField(max_length=128, required=False, default="", help_text="A version or an alias.")


class FunctionAnswerSerializer(serializers.Serializer[Any]):
    status_code = serializers.IntegerField(help_text="200 answered, 202 taken up for later, 204 would be permitted.")
    function_error = serializers.CharField(help_text="Empty, or Handled or Unhandled: the function itself failed.")
    payload = serializers.JSONField(help_text="What it answered: its JSON, or the text where it is none.")
    log_tail = serializers.CharField(help_text="The last 4 KB of its log.")
    billed_ms = serializers.IntegerField(allow_null=True)
    executed_version = serializers.CharField()
    operation_id = serializers.IntegerField()


class DeploymentSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, help_text=ACCOUNT_HELP)
    region = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=64)
    zip = serializers.FileField(max_length=255)
    runtime = serializers.CharField(max_length=64, required=False, default="", help_text="A new function needs it.")
    handler = serializers.CharField(max_length=128, required=False, default="", help_text="A new function needs it.")
    role_arn = serializers.CharField(max_length=2048, required=False, default="", help_text="A new function needs it.")
    memory_mb = serializers.IntegerField(
        min_value=functions.MIN_MEMORY_MB, max_value=functions.MAX_MEMORY_MB, required=False, default=None
    )
    timeout_s = serializers.IntegerField(
        min_value=functions.MIN_TIMEOUT_S, max_value=functions.MAX_TIMEOUT_S, required=False, default=None
    )
    publish = serializers.BooleanField(required=False, default=True, help_text="As a version, and what was there before too.")
    handler_elsewhere = serializers.BooleanField(
        required=False, default=False, help_text="The zip file does not hold the handler's file: a layer brings it."
    )


class AliasBehindSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()


class DeployedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField(help_text="$LATEST where none was published.")
    code_sha256 = serializers.CharField()
    created = serializers.BooleanField()
    previous_version = serializers.CharField(help_text="Holds what was there before; empty for a new function.")
    warning = serializers.CharField(help_text="What will probably go wrong when it is invoked; empty when nothing is seen.")
    aliases_behind = AliasBehindSerializer(many=True, help_text="They still mean another version.")
    operation_id = serializers.IntegerField()


class RollBackSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    region = serializers.CharField(max_length=32, required=False, default="")
    version = serializers.CharField(max_length=32)
    alias = serializers.CharField(max_length=128, required=False, default="", help_text="Point it at the version instead.")
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class Invoke(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True
    takes_files = True
    parser_classes = [InvocationParser]

    @extend_schema(request=InvocationSerializer, responses=FunctionAnswerSerializer, tags=["lambda"])
    def post(self, request: Request, function: str) -> Response:
        """Invoke the function; never sent a second time. A function's own error is a 200 with `function_error` set."""
        place = selectors.function_for(
            reader(request), function, Perm.RESOURCES_OPERATE, account=named(request, "account"), region=named(request, "region")
        )
        wish = sent(InvocationSerializer, request)
        answer = invocations.invoke(
            function=place,
            payload=wish["payload"],
            invocation_type=InvocationType(wish["invocation_type"]),
            qualifier=wish["qualifier"],
            by=reader(request),
        )
        return Response(FunctionAnswerSerializer(answer).data)


class Deploy(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True
    takes_files = True
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": DeploymentSerializer},
        responses={200: DeployedSerializer, 201: DeployedSerializer},
        tags=["lambda"],
    )
    def post(self, request: Request) -> Response:
        """Create the function from a zip file, or give it new code, and wait until it can be invoked.

        400 `handler_missing` where the zip file lacks the file that the handler names, unless `handler_elsewhere`.
        """
        account = aws_accounts.get_for(reader(request), named(request, "account"), Perm.RESOURCES_OPERATE)
        wish = sent(DeploymentSerializer, request)
        file = wish["zip"]
        deployed = deployments.deploy(
            account=account,
            region=wish["region"],
            name=wish["name"],
            stream=file_in(file),
            wish=Configuration(wish["runtime"], wish["handler"], wish["role_arn"], wish["memory_mb"], wish["timeout_s"]),
            publish=wish["publish"],
            handler_elsewhere=wish["handler_elsewhere"],
            by=reader(request),
        )
        return Response(DeployedSerializer(deployed).data, status=201 if deployed.created else 200)


class RollBack(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True

    @extend_schema(request=RollBackSerializer, responses={202: OperationSerializer}, tags=["lambda"])
    def post(self, request: Request, function: str) -> Response:
        """Bring the code and settings of a published version back, or point an alias at it. Role and environment stay."""
        place = selectors.function_for(
            reader(request), function, Perm.RESOURCES_OPERATE, account=named(request, "account"), region=named(request, "region")
        )
        wish = sent(RollBackSerializer, request)
        return accepted(
            deployments.roll_back(
                function=place, version=wish["version"], alias=wish["alias"], by=reader(request), reason=wish["reason"]
            )
        )
