"""An inventory as scans left it, without asking anybody: quick to make, any size."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import AuthMethod, AwsAccount
from cloudconsole.core import clock
from resources.models import Bucket, Function, Instance, Scan, ScanStatus, Service, StateTransition


def account(alias: str = "production", number: str = "411111111111", **fields: object) -> AwsAccount:
    told = {"auth_method": AuthMethod.AMBIENT, "status": "ok", "capabilities": ["ec2.read", "s3.read", "lambda.read"]}
    return AwsAccount.objects.create(alias=alias, account_id=number, **{**told, **fields})


def instances(owner: AwsAccount, count: int, *, region: str = "eu-central-1", start: int = 0) -> list[Instance]:
    """`count` running instances called web-0000 and so on, each with the change that made it run."""
    now = clock.now()
    made = Instance.objects.bulk_create(
        [_instance(owner, region, number, now) for number in range(start, start + count)], batch_size=500
    )
    StateTransition.objects.bulk_create(
        [
            StateTransition(instance=row, to_state="running", not_before=at, not_after=at)
            for row in made
            if (at := row.launched_at) is not None
        ],
        batch_size=1000,
    )
    return made


def buckets(owner: AwsAccount, count: int) -> list[Bucket]:
    now = clock.now()
    return Bucket.objects.bulk_create(
        Bucket(
            account=owner,
            region="eu-central-1",
            name=f"bucket-{number:04}",
            searched=f"bucket-{number:04}",
            size_bytes=number * 1000 or None,
            object_count=number,
            observed_at=now,
            first_seen_at=now,
        )
        for number in range(count)
    )


def functions(owner: AwsAccount, count: int) -> list[Function]:
    now = clock.now()
    return Function.objects.bulk_create(
        Function(
            account=owner,
            region="eu-central-1",
            name=f"function-{number:04}",
            arn=f"arn:{number}",
            runtime="python3.12",
            searched=f"function-{number:04}",
            memory_mb=128,
            timeout_s=3,
            code_size=100,
            state="Active",
            modified_at=now,
            observed_at=now,
            first_seen_at=now,
        )
        for number in range(count)
    )


def scan(owner: AwsAccount, region: str, service: Service, status: str = ScanStatus.COMPLETE, **fields: object) -> Scan:
    now = clock.now()
    observed_at = now if status == ScanStatus.COMPLETE else None
    told = {"observed_at": observed_at, **fields}
    return Scan.objects.create(account=owner, region=region, service=service, status=status, attempted_at=now, **told)


def _instance(owner: AwsAccount, region: str, number: int, now: datetime) -> Instance:
    name, instance_id = f"web-{number:04}", f"i-{owner.pk:05x}{number:012x}"
    return Instance(
        account=owner, region=region, instance_id=instance_id, name=name, state="running", instance_type="m6i.large",
        zone=f"{region}a", launched_at=now - timedelta(days=1, minutes=number), private_ip=f"10.0.{number // 250}.{number % 250}",
        platform="Linux/UNIX", lifecycle="on-demand", tags={"Name": name, "team": "shop" if number % 2 else "data"},
        searched=f"{name}\\n{instance_id}\\nteam={'shop' if number % 2 else 'data'}", observed_at=now, first_seen_at=now,
        first_attached_at=now - timedelta(days=1, minutes=number),
    )  # fmt: skip
