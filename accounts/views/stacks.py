"""The CloudFormation template of an account's role: to read, to copy, to download, to open in AWS's console."""

from __future__ import annotations

import json

from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as selectors
from accounts.services import policies
from cloudconsole.aws.cloudformation import Template
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm


class AccountStack(Page):
    permission = Perm.ACCOUNTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        stack = policies.stack(account=account, actor=request.user)
        context = {"account": account, "stack": stack, "template": json.dumps(stack.template, indent=2)}
        return render(request, "accounts/cloudformation.html", context)


class AccountTemplate(Page):
    permission = Perm.ACCOUNTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        stack = policies.stack(account=account, actor=request.user)
        return download(stack.template, f"cloudconsole-{account.alias}.json")


def download(template: Template, name: str) -> HttpResponse:
    """`template` as a file that the browser saves."""
    answer = HttpResponse(json.dumps(template, indent=2), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
