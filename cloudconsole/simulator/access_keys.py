"""IAM users' own access keys: listed, made, switched on and off, deleted (IAM API reference)."""

from __future__ import annotations

from collections.abc import Callable

from cloudconsole.simulator.identity import Directory, Identity, UserKey
from cloudconsole.simulator.wire import AwsError, element

_QUOTA = 2


def _list(directory: Directory, identity: Identity, form: dict[str, str]) -> str:
    members = "".join(f"<member>{_metadata(key)}</member>" for key in directory.keys_of(_user(identity)))
    return f"<IsTruncated>false</IsTruncated><AccessKeyMetadata>{members}</AccessKeyMetadata>"


def _create(directory: Directory, identity: Identity, form: dict[str, str]) -> str:
    user = _user(identity)
    if len(directory.keys_of(user)) >= _QUOTA:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_QUOTA}", 409)
    key = directory.make_key(user)
    return f"<AccessKey>{_metadata(key)}{element('SecretAccessKey', key.secret)}</AccessKey>"


def _update(directory: Directory, identity: Identity, form: dict[str, str]) -> str:
    status = form.get("Status", "")
    if status not in ("Active", "Inactive"):
        raise AwsError("ValidationError", f"Value '{status}' at 'status' failed to satisfy constraint", 400)
    key = _named(directory, identity, form)
    directory.switch_key(key, active=status == "Active")
    return ""


def _delete(directory: Directory, identity: Identity, form: dict[str, str]) -> str:
    directory.forget_key(_named(directory, identity, form))
    return ""


ACTIONS: dict[str, Callable[[Directory, Identity, dict[str, str]], str]] = {
    "iam:ListAccessKeys": _list,
    "iam:CreateAccessKey": _create,
    "iam:UpdateAccessKey": _update,
    "iam:DeleteAccessKey": _delete,
}


def _user(identity: Identity) -> str:
    """Without a user name the caller is meant, and only a user has keys."""
    if ":user/" not in identity.principal_arn:
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials", 400)
    return identity.principal_arn


def _named(directory: Directory, identity: Identity, form: dict[str, str]) -> UserKey:
    wanted = form.get("AccessKeyId", "")
    for key in directory.keys_of(_user(identity)):
        if key.access_key_id == wanted:
            return key
    raise AwsError("NoSuchEntity", f"The Access Key with id {wanted} cannot be found", 404)


def _metadata(key: UserKey) -> str:
    return (
        element("UserName", key.user.name)
        + element("AccessKeyId", key.access_key_id)
        + element("Status", "Active" if key.active else "Inactive")
        + element("CreateDate", key.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    )
