"""What an EC2 request asks for: ids, filters and pages out of its form, with AWS's refusals of what is malformed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cloudconsole.simulator.ec2.instances import Instance
from cloudconsole.simulator.wire import AwsError

Form = dict[str, str]

_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_MAX_FILTER_VALUES = 200
_LARGEST_PAGE, _SMALLEST_PAGE = 1000, 5


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: after the `after`-th item (0: from the beginning), `size` of them (None: all)."""

    after: int
    size: int | None


def instance_ids(form: Form) -> list[str]:
    """The ids asked for, in order. Raises `.Malformed` for what cannot be an id."""
    found = [value for name, value in _numbered(form, "InstanceId")]
    for instance_id in found:
        if not instance_id.startswith("i-"):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}" (expecting "i-...")')
        if not _ID.fullmatch(instance_id):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}"')
    return found


def page(form: Form) -> Page:
    text, token = form.get("MaxResults"), form.get("NextToken", "")
    if text is not None and any(name.startswith("InstanceId") for name in form):
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)
    size = None if text is None else int(text) if text.isdecimal() else 0
    if size is not None and size < _SMALLEST_PAGE:
        raise AwsError("InvalidParameterValue", f"Value ( {text} ) for parameter maxResults is invalid. Expecting a value >= 5.")
    if size is not None and size > _LARGEST_PAGE:
        raise AwsError(
            "InvalidParameterValue", f"Value ( {text} ) for parameter maxResults is invalid. Expecting a value <= 1000."
        )
    return Page(_after(token), size)


def token_after(number: int) -> str:
    return f"page-{number:x}"


def _after(token: str) -> int:
    if not token:
        return 0
    found = re.fullmatch(r"page-([0-9a-f]+)", token)
    if found is None:
        raise AwsError("InvalidNextToken", "The specified nextToken is invalid.")
    return int(found[1], 16)


def is_dry_run(form: Form) -> bool:
    return form.get("DryRun", "false").lower() == "true"


def matching(form: Form) -> Callable[[Instance], bool]:
    """Whether an instance passes every filter; `*` and `?` in values stand for anything."""
    filters = list(_filters(form))

    def passes(instance: Instance) -> bool:
        return all(any(fnmatchcase(value, wanted) for value in read(instance) for wanted in values) for read, values in filters)

    return passes


def _filters(form: Form) -> Iterable[tuple[Callable[[Instance], list[str]], list[str]]]:
    numbers = sorted({int(name.split(".")[1]) for name in form if re.fullmatch(r"Filter\.\d+\.Name", name)})
    for number in numbers:
        name = form[f"Filter.{number}.Name"]
        values = [value for _, value in _numbered(form, f"Filter.{number}.Value")]
        if len(values) > _MAX_FILTER_VALUES:
            message = f"The maximum number of filter values specified on a single call is {_MAX_FILTER_VALUES}"
            raise AwsError("FilterLimitExceeded", message)
        yield _reader(name), values


def _reader(name: str) -> Callable[[Instance], list[str]]:
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda instance: [instance.tags[key]] if key in instance.tags else []
    found = _READERS.get(name)
    if found is None:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return found


_READERS: dict[str, Callable[[Instance], list[str]]] = {
    "instance-id": lambda one: [one.kind.instance_id],
    "instance-state-name": lambda one: [one.state],
    "instance-state-code": lambda one: [str(one.state.code)],
    "instance-type": lambda one: [one.kind.instance_type],
    "instance-lifecycle": lambda one: [one.kind.lifecycle],
    "availability-zone": lambda one: [one.kind.zone],
    "architecture": lambda one: [one.kind.architecture],
    "image-id": lambda one: [one.kind.image_id],
    "key-name": lambda one: [one.kind.key_name],
    "vpc-id": lambda one: [one.kind.vpc_id],
    "subnet-id": lambda one: [one.kind.subnet_id],
    "private-ip-address": lambda one: [one.kind.private_ip],
    "ip-address": lambda one: [one.public_ip],
    "tag-key": lambda one: list(one.tags),
}


def _numbered(form: Form, prefix: str) -> list[tuple[int, str]]:
    pattern = re.compile(rf"{re.escape(prefix)}\.(\d+)")
    found = ((pattern.fullmatch(name), value) for name, value in form.items())
    return sorted((int(match[1]), value) for match, value in found if match)
