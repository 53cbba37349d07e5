from __future__ import annotations

import itertools
import json
import re

import botocore.session
import pytest

from cloudconsole.aws.policy import BY_DEFAULT, CAPABILITIES, permissions_policy, trust_policy

# Where IAM's name of the action is not the name of the operation (Service Authorization Reference, Amazon S3 and Lambda).
_NOT_NAMED_AS_OPERATIONS = frozenset(
    (
        "s3:ListAllMyBuckets", "s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock", "s3:PutEncryptionConfiguration",
        "s3:PutBucketPublicAccessBlock", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads",
        "s3:GetObjectVersion", "s3:DeleteObjectVersion", "lambda:InvokeFunction",
    )
)  # fmt: skip
# Where policies call a service otherwise than botocore does.
_MODELS = {"elasticloadbalancing": ("elb", "elbv2"), "servicequotas": ("service-quotas",)}


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
    some = ["identity", "costs", "ec2.read", "lambda.operate", "prices"]
    policies = {json.dumps(permissions_policy([*names, names[0]])) for names in itertools.permutations(some)}
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
        if action not in _NOT_NAMED_AS_OPERATIONS:
            service, operation = action.split(":")
            models = _MODELS.get(service, (service,))
            assert any(operation in session.get_service_model(model).operation_names for model in models)


def test_what_changes_an_account_or_reads_its_objects_is_off_until_somebody_switches_it_on() -> None:
    off = [name for name in CAPABILITIES if name not in BY_DEFAULT]
    charged = ["anomaly_detection", "anomaly_feedback", "billing_exports", "cost_forecasts"]
    assert off == [
        *charged,
        "ec2.operate",
        "s3.objects",
        "s3.operate",
        "lambda.operate",
        "savings.operate",
        "quotas.operate",
        "key_rotation",
    ]
    changing = re.compile(r":(Start|Stop|Reboot|Terminate|Create|Put|Delete|Update|Publish|Invoke|Abort|Modify|Release|Request)")
    actions = [action for name in BY_DEFAULT for action in CAPABILITIES[name].all_actions]
    assert [action for action in actions if changing.search(action)] == []


def test_a_role_is_handed_to_lambda_and_to_no_other_service() -> None:
    [operate, handed] = permissions_policy(["lambda.operate"])["Statement"]
    assert "iam:PassRole" not in operate["Action"]
    assert (handed["Sid"], handed["Action"]) == ("CloudconsoleLambdaOperateRole", ["iam:PassRole"])
    assert handed["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


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
