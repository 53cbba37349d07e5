from __future__ import annotations

import itertools
import json
import re

import botocore.session
import pytest

from cloudconsole.aws.policy import CAPABILITIES, permissions_policy, trust_policy


def test_the_policy_allows_the_enabled_capabilities_and_nothing_else() -> None:
    assert permissions_policy(["costs", "identity"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CloudconsoleIdentity",
                "Effect": "Allow",
                "Action": ["sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy"],
                "Resource": "*",
            },
            {"Sid": "CloudconsoleCosts", "Effect": "Allow", "Action": ["ce:GetCostAndUsage"], "Resource": "*"},
        ],
    }


def test_the_order_and_repetition_of_capabilities_do_not_matter() -> None:
    policies = {json.dumps(permissions_policy([*names, names[0]])) for names in itertools.permutations(CAPABILITIES) if names}
    assert len(policies) == 1


def test_a_capability_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        permissions_policy(["everything"])


def test_no_policy_holds_a_wildcard_action() -> None:
    for statement in permissions_policy(CAPABILITIES)["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])


def test_every_action_is_an_operation_that_botocore_knows() -> None:
    session = botocore.session.get_session()
    for action in (action for capability in CAPABILITIES.values() for action in capability.actions):
        service, operation = action.split(":")
        assert operation in session.get_service_model(service).operation_names


def test_the_trust_policy_names_the_hub_and_demands_the_external_id() -> None:
    policy = trust_policy(trusted_arn="arn:aws:iam::111111111111:role/hub", external_id="b3-xyz")
    assert policy["Statement"] == [
        {
            "Sid": "CloudconsoleMayAssumeThisRole",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111111111111:role/hub"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "b3-xyz"}},
        }
    ]
