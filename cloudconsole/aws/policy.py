"""What Cloudconsole can do in an account, and the least IAM policy that allows exactly that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

_SERVICES = {"ec2": "EC2", "s3": "S3", "lambda": "Lambda", "savings": "Savings", "quotas": "Quotas"}
PASS_ROLE = "iam:PassRole"  # noqa: S105 - an IAM action


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that Cloudconsole can do in an account; later parts add theirs to CAPABILITIES.

    `of_user`: it is about an IAM user's own access keys, which a role has none of. `by_default`: on unless somebody
    switches it off; what changes anything in an account, or reads what people keep there, is on only by choice.
    `passes_roles_to`: the AWS service that roles may be handed to, and no other (condition on iam:PassRole).
    """

    name: str
    sentence: str
    actions: tuple[str, ...]
    resource: str = "*"
    of_user: bool = False
    by_default: bool = True
    passes_roles_to: str = ""

    @property
    def title(self) -> str:
        """A heading for it: "EC2: operate", "Key rotation"."""
        service, _, what = self.name.partition(".")
        words = f"{_SERVICES[service]}: {what}" if what else service.replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def all_actions(self) -> tuple[str, ...]:
        """Every IAM action it needs, handing over roles included."""
        return (*self.actions, PASS_ROLE) if self.passes_roles_to else self.actions


class Statement(TypedDict):
    """A statement of an IAM policy."""

    Sid: str
    Effect: Literal["Allow"]
    Action: str | list[str]
    Resource: NotRequired[str | list[str]]
    Principal: NotRequired[dict[str, str]]
    Condition: NotRequired[dict[str, dict[str, str]]]


class PolicyDocument(TypedDict):
    """An IAM policy as AWS takes it in JSON."""

    Version: Literal["2012-10-17"]
    Statement: list[Statement]


# S3's actions are not called as its operations are (Service Authorization Reference, Amazon S3).
_RESOURCES = (
    Capability(
        "ec2.read",
        "See EC2 instances, their states, addresses and tags.",
        ("ec2:DescribeInstances", "ec2:DescribeInstanceAttribute"),
    ),
    Capability(
        "ec2.operate",
        "Start, stop, reboot and terminate EC2 instances; read the metrics that scaling rules watch.",
        (
            "ec2:StartInstances",
            "ec2:StopInstances",
            "ec2:RebootInstances",
            "ec2:TerminateInstances",
            "cloudwatch:GetMetricData",
        ),
        by_default=False,
    ),
    Capability(
        "s3.read",
        "See S3 buckets, how they are set up, how large they are. What is in them stays closed.",
        (
            "s3:ListAllMyBuckets",
            "s3:GetBucketLocation",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "cloudwatch:ListMetrics",
            "cloudwatch:GetMetricData",
        ),
    ),
    Capability(
        "s3.objects",
        "Browse and download the objects in S3 buckets.",
        ("s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion"),
        by_default=False,
    ),
    Capability(
        "s3.operate",
        "Create, empty and delete S3 buckets; upload and delete objects.",
        (
            "s3:CreateBucket",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutBucketPublicAccessBlock",
            "s3:DeleteBucket",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
            "s3:PutObject",
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
        ),
        by_default=False,
    ),
    Capability(
        "lambda.read",
        "See Lambda functions, their versions, and how often they run and fail.",
        (
            "lambda:ListFunctions",
            "lambda:GetFunctionConfiguration",
            "lambda:ListVersionsByFunction",
            "lambda:ListAliases",
            "lambda:GetAccountSettings",
            "cloudwatch:GetMetricData",
        ),
    ),
    Capability(
        "lambda.operate",
        "Invoke Lambda functions, deploy them, and go back to an earlier version.",
        (
            "lambda:InvokeFunction",
            "lambda:GetFunction",
            "lambda:CreateFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:PublishVersion",
            "lambda:GetAlias",
            "lambda:CreateAlias",
            "lambda:UpdateAlias",
        ),
        by_default=False,
        passes_roles_to="lambda.amazonaws.com",
    ),
    Capability(
        "savings.read",
        "See volumes, snapshots, addresses, load balancers, log groups and how busy instances are, to find what is wasted.",
        (
            "ec2:DescribeVolumes",
            "ec2:DescribeSnapshots",
            "ec2:DescribeImages",
            "ec2:DescribeAddresses",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeInstanceHealth",
            "logs:DescribeLogGroups",
            "cloudwatch:GetMetricData",
        ),
    ),
    Capability(
        "savings.operate",
        "Snapshot and delete unattached volumes, change gp2 volumes to gp3, release addresses, set how long logs are kept.",
        (
            "ec2:CreateSnapshot",
            "ec2:DeleteVolume",
            "ec2:ModifyVolume",
            "ec2:ReleaseAddress",
            "logs:PutRetentionPolicy",
        ),
        by_default=False,
    ),
    Capability(
        "savings.hub",
        "Read what AWS's Cost Optimization Hub recommends.",
        (
            "cost-optimization-hub:ListEnrollmentStatuses",
            "cost-optimization-hub:ListRecommendations",
            "cost-optimization-hub:GetRecommendation",
        ),
    ),
    Capability(
        "quotas.read",
        "See the quotas of AWS services and how much of them is used, tokens per minute of Bedrock's models among them.",
        (
            "servicequotas:ListServices",
            "servicequotas:ListServiceQuotas",
            "servicequotas:ListAWSDefaultServiceQuotas",
            "servicequotas:ListRequestedServiceQuotaChangeHistory",
            "cloudwatch:ListMetrics",
            "cloudwatch:GetMetricData",
        ),
    ),
    Capability(
        "quotas.operate",
        "Ask AWS for higher quotas.",
        ("servicequotas:RequestServiceQuotaIncrease", "servicequotas:ListRequestedServiceQuotaChangeHistory"),
        by_default=False,
    ),
    Capability(
        "prices",
        "Look up AWS's list prices, for estimates of what an instance costs.",
        ("pricing:GetProducts",),
    ),
)

CAPABILITIES: Mapping[str, Capability] = {
    capability.name: capability
    for capability in (
        # Which rights the identity has is asked of IAM's simulator: most could not be tried without a charge or a change.
        Capability(
            "identity",
            "Know which account and identity the credentials are, and what it is allowed.",
            ("sts:GetCallerIdentity", "iam:SimulatePrincipalPolicy"),
        ),
        Capability("costs", "Read what the account, or its organization, costs.", ("ce:GetCostAndUsage",)),
        # Each page costs 0.01 USD, so both are on only by choice.
        Capability(
            "anomaly_detection",
            "Read the unusual costs that AWS Cost Anomaly Detection found. Asked once a day; AWS charges each request.",
            ("ce:GetAnomalyMonitors", "ce:GetAnomalies"),
            by_default=False,
        ),
        Capability(
            "anomaly_feedback",
            "Tell AWS Cost Anomaly Detection whether what it found was unusual, when somebody asks for it.",
            ("ce:ProvideAnomalyFeedback",),
            by_default=False,
        ),
        Capability(
            "cost_tags",
            "See which cost allocation tags there are, to choose those that costs are told by.",
            ("ce:ListCostAllocationTags", "ce:GetTags"),
        ),
        Capability(
            "billing_exports",
            "Read billing exports from the buckets that are named here, and ask Athena about them.",
            (
                "s3:ListBucket",
                "s3:GetObject",
                "s3:GetBucketLocation",
                "s3:PutObject",  # Athena writes its answers as whoever asked
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
                "athena:GetTableMetadata",
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetPartitions",
            ),
            by_default=False,
        ),
        Capability(
            "cost_forecasts",
            "Ask Cost Explorer for its own forecast, beside the console's.",
            ("ce:GetCostForecast",),
            by_default=False,
        ),
        Capability(
            "organization",
            "Read the organization's accounts: their names, states, units and tags.",
            (
                "organizations:DescribeOrganization",
                "organizations:ListAccounts",
                "organizations:ListRoots",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListAccountsForParent",
                "organizations:ListTagsForResource",
            ),
        ),
        Capability(
            "regions",
            "Find out which regions are enabled.",
            ("account:ListRegions", "ec2:DescribeRegions"),
        ),
        *_RESOURCES,
        Capability(
            "key_rotation",
            "Replace its own access key when it has become old.",
            ("iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"),
            resource="arn:aws:iam::*:user/${aws:username}",
            of_user=True,
            by_default=False,
        ),
    )
}


BY_DEFAULT = tuple(name for name, capability in CAPABILITIES.items() if capability.by_default)


def permissions_policy(enabled: Iterable[str], *, assumes: Sequence[str] = ()) -> PolicyDocument:
    """The policy for exactly the capabilities called `enabled`, in the order of CAPABILITIES, and for the roles it `assumes`.

    KeyError for a capability that does not exist. Reading what belongs to a whole account cannot be limited to a resource.
    """
    wanted = {CAPABILITIES[name].name for name in enabled}
    return {
        "Version": "2012-10-17",
        "Statement": [
            *(statement for name, capability in CAPABILITIES.items() if name in wanted for statement in _statements(capability)),
            *([_assume(assumes)] if assumes else []),
        ],
    }


def assuming_policy(role_arns: Sequence[str]) -> PolicyDocument:
    """Lets an identity assume these roles, and nothing else."""
    return {"Version": "2012-10-17", "Statement": [_assume(role_arns)]}


def trust_policy(*, trusted_arn: str, external_id: str) -> PolicyDocument:
    """Who may assume the role: `trusted_arn` (the hub's user, role or account), and only with `external_id`."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CloudconsoleMayAssumeThisRole",
                "Effect": "Allow",
                "Principal": {"AWS": trusted_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def _assume(role_arns: Sequence[str]) -> Statement:
    return {"Sid": "CloudconsoleAssumeRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": list(role_arns)}


def _statements(capability: Capability) -> Iterator[Statement]:
    sid = "Cloudconsole" + re.sub(r"[^A-Za-z0-9]", "", capability.name.title())
    yield {"Sid": sid, "Effect": "Allow", "Action": list(capability.actions), "Resource": capability.resource}
    if capability.passes_roles_to:
        condition = {"StringEquals": {"iam:PassedToService": capability.passes_roles_to}}
        yield {"Sid": f"{sid}Role", "Effect": "Allow", "Action": [PASS_ROLE], "Resource": "*", "Condition": condition}
