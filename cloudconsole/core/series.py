"""Which colour a service has: the same on every page, whatever else stands in the chart."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s

SLOTS = 12
OTHER = 0

# The services most bills consist of have a colour of their own; everybody else gets one by name.
_KNOWN: dict[str, int] = {
    "Amazon Elastic Compute Cloud - Compute": 1,
    "Amazon Relational Database Service": 2,
    "Amazon Simple Storage Service": 3,
    "Amazon Bedrock": 4,
    "EC2 - Other": 5,
    "AWS Lambda": 6,
    "Amazon CloudFront": 7,
    "Tax": 8,
    "AmazonCloudWatch": 9,
    "AWS Support (Business)": 10,
    "Savings Plans for AWS Compute usage": 11,
    "Amazon DynamoDB": 12,
}


# AWS bills under long names; in a legend people look for the short ones. The full name stays on hover and in the table.
_SHORT = {
    "Amazon Elastic Compute Cloud - Compute": "EC2 compute",
    "EC2 - Other": "EC2 other",
    "Amazon Relational Database Service": "RDS",
    "Amazon Simple Storage Service": "S3",
    "Amazon Bedrock": "Bedrock",
    "AWS Lambda": "Lambda",
    "Amazon CloudFront": "CloudFront",
    "Amazon DynamoDB": "DynamoDB",
    "AmazonCloudWatch": "CloudWatch",
    "Amazon Virtual Private Cloud": "VPC",
    "Amazon Elastic Load Balancing": "Load balancing",
    "Elastic Load Balancing": "Load balancing",
    "AWS Key Management Service": "KMS",
    "Amazon Simple Queue Service": "SQS",
    "Amazon Simple Notification Service": "SNS",
    "Amazon Elastic Container Service": "ECS",
    "Amazon Elastic Container Service for Kubernetes": "EKS",
    "Amazon EC2 Container Registry (ECR)": "ECR",
    "Amazon ElastiCache": "ElastiCache",
    "Amazon OpenSearch Service": "OpenSearch",
    "Amazon Route 53": "Route 53",
    "AWS Support (Business)": "Support",
    "Savings Plans for AWS Compute usage": "Savings Plans",
}


def short(name: str) -> str:
    """The name people use for a service; its own name where there is no shorter one."""
    return _SHORT.get(name, name)


def slots(names: Iterable[str]) -> dict[str, int]:
    """A colour slot (1 to 12) for each name that a page shows; when they run out, and for "Other", OTHER.

    A known service always has its own colour; of two others that want the same one, the first in the alphabet gets it.
    """
    wanted = {name: _KNOWN.get(name) for name in names if name != "Other"}
    taken = {slot for slot in wanted.values() if slot}
    found = {name: slot for name, slot in wanted.items() if slot}
    for name in sorted(name for name, slot in wanted.items() if slot is None):
        free = next((slot for slot in _by_preference(name) if slot not in taken), OTHER)
        found[name] = free
        taken.add(free)
    return found


def _by_preference(name: str) -> list[int]:
    start = blake2s(name.encode(), digest_size=2).digest()[0] % SLOTS
    return [(start + step) % SLOTS + 1 for step in range(SLOTS)]
