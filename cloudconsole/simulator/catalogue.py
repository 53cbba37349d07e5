"""What the simulated organization uses every day: services, regions, rough daily prices and habits."""

from __future__ import annotations

from dataclasses import dataclass

from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING

EC2 = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER = "EC2 - Other"
RDS = "Amazon Relational Database Service"
S3 = "Amazon Simple Storage Service"
BEDROCK = "Amazon Bedrock"
LAMBDA = "AWS Lambda"
CLOUDWATCH = "AmazonCloudWatch"
VPC = "Amazon Virtual Private Cloud"
KMS = "AWS Key Management Service"
ROUTE53 = "Amazon Route 53"
ELB = "Amazon Elastic Load Balancing"
CLOUDFRONT = "Amazon CloudFront"
DYNAMODB = "Amazon DynamoDB"
ELASTICACHE = "Amazon ElastiCache"
GLUE = "AWS Glue"
CLOUDTRAIL = "AWS CloudTrail"
GUARDDUTY = "Amazon GuardDuty"
CONFIG = "AWS Config"
COST_EXPLORER = "AWS Cost Explorer"
SAVINGS_PLANS = "Savings Plans for AWS Compute usage"
SUPPORT = "AWS Support (Business)"
TAX = "Tax"

US = "us-east-1"
EU = "eu-central-1"
GLOBAL = "global"
NO_REGION = "NoRegion"

EVERY_DAY = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
MONDAYS = frozenset({0})


@dataclass(frozen=True, slots=True)
class Usage:
    """One line of daily use: `daily` USD on a weekday at today's size, `weekend` the share of it on Saturday and Sunday."""

    account: str
    service: str
    region: str
    usage_type: str
    daily: float
    weekend: float = 0.85
    noise: float = 0.04
    days: frozenset[int] = EVERY_DAY
    presence: float = 1.0  # the chance that the service is used at all on one of its days
    unit_price: float = 0.1  # USD per unit of usage; accounts pay different prices, so blended rates differ


def _in(account: str, *rows: tuple[str, str, str, float], weekend: float, unit: float) -> tuple[Usage, ...]:
    return tuple(
        Usage(account, service, region, usage_type, daily, weekend, unit_price=unit)
        for service, region, usage_type, daily in rows
    )


_PRODUCTION = _in(
    PRODUCTION,
    (EC2, US, "BoxUsage:m6i.2xlarge", 66.0),
    (EC2, EU, "EUC1-BoxUsage:m6i.xlarge", 46.0),
    (RDS, US, "InstanceUsage:db.r6g.xlarge", 50.0),
    (RDS, EU, "EUC1-InstanceUsage:db.r6g.large", 28.0),
    (S3, US, "TimedStorage-ByteHrs", 21.0),
    (S3, EU, "EUC1-TimedStorage-ByteHrs", 12.0),
    (BEDROCK, US, "USE1-Claude4.5Sonnet-output-tokens", 24.0),
    (EC2_OTHER, US, "NatGateway-Bytes", 15.0),
    (EC2_OTHER, EU, "EUC1-EBS:VolumeUsage.gp3", 9.0),
    (LAMBDA, US, "Lambda-GB-Second", 8.0),
    (LAMBDA, EU, "EUC1-Lambda-GB-Second", 3.0),
    (CLOUDWATCH, US, "DataProcessing-Bytes", 7.0),
    (CLOUDWATCH, EU, "EUC1-DataProcessing-Bytes", 3.0),
    (VPC, US, "PublicIPv4:InUseAddress", 6.0),
    (VPC, EU, "EUC1-PublicIPv4:InUseAddress", 4.0),
    (KMS, US, "us-east-1-KMS-Keys", 0.9),
    (ELB, US, "LoadBalancerUsage", 6.0),
    (ELB, EU, "EUC1-LoadBalancerUsage", 4.0),
    (ROUTE53, GLOBAL, "DNS-Queries", 1.2),
    (CLOUDFRONT, GLOBAL, "EU-DataTransfer-Out-Bytes", 9.0),
    (DYNAMODB, US, "WriteRequestUnits", 5.0),
    (ELASTICACHE, US, "NodeUsage:cache.r6g.large", 8.0),
    weekend=0.82,
    unit=0.088,
)

_STAGING = (
    *_in(
        STAGING,
        (EC2, EU, "EUC1-BoxUsage:m6i.xlarge", 36.0),
        (EC2, US, "BoxUsage:m6i.large", 13.0),
        (RDS, EU, "EUC1-InstanceUsage:db.r6g.large", 23.0),
        (S3, EU, "EUC1-TimedStorage-ByteHrs", 6.0),
        (BEDROCK, US, "USE1-Claude4.5Sonnet-output-tokens", 4.0),
        (EC2_OTHER, EU, "EUC1-EBS:VolumeUsage.gp3", 7.0),
        (LAMBDA, EU, "EUC1-Lambda-GB-Second", 3.0),
        (CLOUDWATCH, EU, "EUC1-DataProcessing-Bytes", 3.0),
        (VPC, EU, "EUC1-PublicIPv4:InUseAddress", 3.0),
        (KMS, EU, "eu-central-1-KMS-Keys", 0.3),
        (ELB, EU, "EUC1-LoadBalancerUsage", 4.0),
        (ROUTE53, GLOBAL, "DNS-Queries", 0.2),
        (DYNAMODB, EU, "EUC1-WriteRequestUnits", 2.0),
        (ELASTICACHE, EU, "EUC1-NodeUsage:cache.r6g.large", 4.0),
        weekend=0.7,
        unit=0.096,
    ),
    Usage(STAGING, GLUE, EU, "EUC1-ETL-DPU-Hour", 9.0, days=MONDAYS, unit_price=0.44),
)

_DEVELOPMENT = (
    *_in(
        DEVELOPMENT,
        (EC2, EU, "EUC1-BoxUsage:t3.xlarge", 27.0),
        (RDS, EU, "EUC1-InstanceUsage:db.t4g.large", 16.0),
        (S3, EU, "EUC1-TimedStorage-ByteHrs", 5.0),
        (BEDROCK, US, "USE1-Claude4.5Sonnet-output-tokens", 9.0),
        (EC2_OTHER, EU, "EUC1-EBS:VolumeUsage.gp3", 4.0),
        (LAMBDA, EU, "EUC1-Lambda-GB-Second", 2.0),
        (CLOUDWATCH, EU, "EUC1-DataProcessing-Bytes", 3.0),
        (VPC, EU, "EUC1-PublicIPv4:InUseAddress", 2.0),
        (KMS, EU, "eu-central-1-KMS-Keys", 0.2),
        weekend=0.35,
        unit=0.104,
    ),
    Usage(DEVELOPMENT, GLUE, EU, "EUC1-ETL-DPU-Hour", 5.0, days=WEEKDAYS, unit_price=0.44),
)

_SANDBOX = (
    Usage(SANDBOX, EC2, US, "BoxUsage:t3.medium", 6.0, weekend=0.3, noise=0.3, presence=0.9, unit_price=0.11),
    Usage(SANDBOX, S3, US, "TimedStorage-ByteHrs", 1.0, noise=0.02, unit_price=0.11),
    Usage(SANDBOX, BEDROCK, US, "USE1-Claude4.5Haiku-output-tokens", 5.0, weekend=0.4, noise=0.5, presence=0.7),
    Usage(SANDBOX, EC2_OTHER, US, "EBS:VolumeUsage.gp3", 1.0),
    Usage(SANDBOX, CLOUDWATCH, US, "DataProcessing-Bytes", 1.2, noise=0.1),
    Usage(SANDBOX, LAMBDA, US, "Lambda-GB-Second", 0.0000012, noise=0.4, presence=0.8),
    Usage(SANDBOX, KMS, US, "us-east-1-KMS-Requests", 0.0),  # within the free tier: a row of zero
)

_MANAGEMENT = _in(
    MANAGEMENT,
    (S3, US, "TimedStorage-ByteHrs", 2.0),
    (CLOUDTRAIL, US, "PaidEventsRecorded", 2.4),
    (CONFIG, US, "ConfigurationItemRecorded", 3.1),
    (KMS, US, "us-east-1-KMS-Keys", 0.3),
    (CLOUDWATCH, US, "DataProcessing-Bytes", 0.8),
    (GUARDDUTY, US, "PaidEventsAnalyzed", 4.0),
    (COST_EXPLORER, US, "USE1-APIRequest", 0.2),
    weekend=0.95,
    unit=0.1,
)

USAGE: tuple[Usage, ...] = _PRODUCTION + _STAGING + _DEVELOPMENT + _SANDBOX + _MANAGEMENT

# Consolidated billing averages the prices of these over the accounts (AWS billing guide, "Blended rates").
BLENDED = frozenset({EC2, S3})
# Services whose usage reaches the bill a day later than the others'.
LATE = frozenset({CLOUDWATCH, ROUTE53})
