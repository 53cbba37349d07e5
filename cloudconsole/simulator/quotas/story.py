"""The quotas of the simulated AWS, with names as AWS writes them: alike enough to be taken for each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cloudconsole.simulator.organization import DEVELOPMENT, PRODUCTION, SANDBOX, STAGING

US, EU = "us-east-1", "eu-central-1"
BEDROCK_REGIONS = frozenset({US, "us-west-2", EU, "eu-west-1", "ap-northeast-1"})


@dataclass(frozen=True, slots=True)
class Row:
    """A quota. `metric`: namespace, name, dimensions, statistic. `applied`: by account, what AWS set there; `only_default`:
    it was never applied to anybody, so that the list of applied quotas misses it.
    """

    service: str
    service_name: str
    code: str
    name: str
    default: float
    adjustable: bool = True
    unit: str = "None"
    is_global: bool = False
    metric: tuple[str, str, tuple[tuple[str, str], ...], str] | None = None
    period: tuple[int, str] | None = None
    applied: dict[str, float] = field(default_factory=dict)
    only_default: bool = False


_MODELS = (
    # model as quotas call it, code letters, cross-region and global tokens per minute, requests per minute
    ("Claude Sonnet 4.5 V1", "F4DDD3EB", "27C57EE8", 200_000, 500_000, 250),
    ("Claude Sonnet 4.5 V1 1M Context Length", "8EA73537", "8EA73538", 1_000_000, 1_000_000, 25),
    ("Claude Sonnet 4 V1", "59759B4A", "59759B4B", 200_000, 300_000, 200),
    ("Claude Sonnet 4.6", "15B8E632", "7BEE40FB", 400_000, 1_000_000, 300),
    ("Claude Opus 4 V1", "29C2B0A3", "29C2B0A4", 200_000, 200_000, 200),
    ("Claude Opus 4.1", "BD85BFCD", "BD85BFCE", 500_000, 500_000, 50),
    ("Claude Opus 4.5", "7007E9C9", "7007E9CA", 300_000, 600_000, 100),
    ("Claude Opus 4.6 V1", "0AD9BBE8", "3DCCFAA4", 400_000, 800_000, 100),
    ("Claude Haiku 4.5", "58BE175A", "9A11C666", 1_000_000, 2_000_000, 500),
    ("Claude 3.7 Sonnet V1", "6E888CC2", "", 1_000_000, 0, 250),
    ("Claude 3.5 Sonnet", "479B647F", "", 800_000, 0, 100),
    ("Claude 3.5 Sonnet V2", "FF8B4E28", "", 800_000, 0, 100),
    ("Claude 3 Haiku", "DC4DDC98", "", 2_000_000, 0, 1000),
)
_LIMITS = {
    # production asked for more of one; the sandbox is new, and AWS holds its newest models back
    "F4DDD3EB": {PRODUCTION: 600_000, SANDBOX: 0},
    "7BEE40FB": {SANDBOX: 0},
    "58BE175A": {PRODUCTION: 1_200_000, STAGING: 1_000_000},
    "9A11C666": {DEVELOPMENT: 2_000_000},
}
_NEVER_APPLIED = frozenset({"7007E9C9", "0AD9BBE8"})


def bedrock() -> Iterator[Row]:
    for model, cross, everywhere, tokens, tokens_global, requests in _MODELS:
        name = f"for Anthropic {model}"
        yield _of_bedrock(cross, f"Cross-region model inference tokens per minute {name}", tokens)
        yield _of_bedrock(f"{cross[:-1]}R", f"Cross-region model inference requests per minute {name}", requests)
        if everywhere:
            yield _of_bedrock(everywhere, f"Global cross-region model inference tokens per minute {name}", tokens_global)
    for model, code, tokens in (
        ("Claude 3.5 Sonnet", "254CACF4", 400_000),
        ("Claude 3.5 Haiku", "2A1E9A5C", 1_000_000),
        ("Claude 3 Haiku", "2DC80978", 2_000_000),
        ("Claude Instant", "30BE3A1D", 300_000),
        ("Claude V2.1", "6F9D5D4E", 200_000),
    ):
        yield _of_bedrock(code, f"On-demand model inference tokens per minute for Anthropic {model}", tokens)
    latency = "On-demand latency-optimized model inference tokens per minute for Anthropic Claude 3.5 Haiku"
    yield _of_bedrock("B9C3D4E5", latency, 500_000)
    doubled = "Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)"
    yield _of_bedrock("381AD9EE", doubled, 216_000_000, adjustable=False)
    yield _of_bedrock("1B2C3D4E", "Cross-region model inference tokens per minute for Amazon Nova Pro", 1_000_000)
    yield _of_bedrock("0A1B2C3D", "Batch inference input file size (in GB) for Claude 3 Haiku", 1, adjustable=False)


def _of_bedrock(code: str, name: str, value: float, *, adjustable: bool = True) -> Row:
    return Row(
        "bedrock",
        "Amazon Bedrock",
        f"L-{code}",
        name,
        float(value),
        adjustable,
        applied={number: float(limit) for number, limit in _LIMITS.get(code, {}).items()},
        only_default=code in _NEVER_APPLIED,
    )


def _usage(
    service: str, resource: str, kind: str, of_class: str, statistic: str
) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    name = "CallCount" if kind == "API" else "ResourceCount"
    dimensions = (("Class", of_class), ("Resource", resource), ("Service", service), ("Type", kind))
    return "AWS/Usage", name, dimensions, statistic


def others() -> Iterator[Row]:
    ec2, name = "ec2", "Amazon Elastic Compute Cloud (Amazon EC2)"
    for code, what, of_class, value in (
        ("L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "Standard/OnDemand", 64.0),
        ("L-DB2E81BA", "Running On-Demand G and VT instances", "G/OnDemand", 0.0),
        ("L-417A185B", "Running On-Demand P instances", "P/OnDemand", 96.0),
    ):
        metric = _usage("EC2", "vCPU", "Resource", of_class, "Maximum")
        limits = {PRODUCTION: 96.0} if code == "L-1216C47A" else {}
        yield Row(ec2, name, code, what, value, metric=metric, applied=limits)
    yield Row(ec2, name, "L-0263D0A3", "EC2-VPC Elastic IPs", 5.0)
    yield Row("ebs", "Amazon Elastic Block Store (Amazon EBS)", "L-309BACF6", "Snapshots per Region", 100_000.0)
    concurrent = ("AWS/Lambda", "ConcurrentExecutions", (), "Maximum")
    yield Row("lambda", "AWS Lambda", "L-B99A9384", "Concurrent executions", 1000.0, metric=concurrent)
    yield Row("lambda", "AWS Lambda", "L-2ACBD22F", "Function and layer storage", 75.0, unit="Gigabytes")
    rate = _usage("CloudWatch", "GetMetricData", "API", "None", "Sum")
    yield Row("lambda", "AWS Lambda", "L-9FEE3D26", "Elastic network interfaces per VPC", 500.0)
    yield Row(
        "monitoring", "Amazon CloudWatch", "L-5E141212", "Rate of GetMetricData requests", 50.0, metric=rate, period=(1, "SECOND")
    )
    yield Row(
        "s3", "Amazon Simple Storage Service (Amazon S3)", "L-DC2B2D3D", "General purpose buckets", 10_000.0, is_global=True
    )
    # No usage metric, and nothing here counts them: services that are listed and asked for in vain.
    yield Row("iam", "AWS Identity and Access Management (IAM)", "L-FE177D64", "Roles per account", 1000.0, is_global=True)
    yield Row("cloudfront", "Amazon CloudFront", "L-24B04930", "Web distributions per AWS account", 200.0, is_global=True)
    yield Row("sns", "Amazon Simple Notification Service (Amazon SNS)", "L-61103206", "Topics per Account", 100_000.0)
    balancers = "Elastic Load Balancing (ELB)"
    yield Row("elasticloadbalancing", balancers, "L-53DA6B97", "Application Load Balancers per Region", 50.0)
    yield Row("elasticloadbalancing", balancers, "L-69A177A2", "Network Load Balancers per Region", 50.0)
    yield Row("elasticloadbalancing", balancers, "L-E9E9831D", "Classic Load Balancers per Region", 20.0)


ROWS = (*bedrock(), *others())
