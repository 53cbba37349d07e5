"""Stored AWS credentials: sealed to their account, opened only to call AWS, and turned into `Access`."""

from __future__ import annotations

import json
import uuid

from django.db.models import F

from accounts.models import AuthMethod, AwsAccount, AwsCredential, User
from accounts.services import encryption
from accounts.services.inputs import KeyInput
from cloudconsole.aws import regions
from cloudconsole.aws.credentials import Access, Ambient, AssumedRole, CredentialSource, StaticKey
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import Context, Sealed, Unreadable, keyring

_FIELD = "aws_credential.sealed"
_MAX_HUBS = 4  # roles assumed by roles; more is a mistake, and each costs a call


class CredentialsUnreadable(CloudconsoleError):
    """The stored secret cannot be decrypted, or was sealed for another account."""

    kind = Kind.AWS_ACCOUNT
    code = "credentials_unreadable"
    title = "The stored credentials cannot be read"
    remedy = "Put the key they were encrypted with back into FERNET_KEYS, or enter the credentials of this account again."


class HubLoop(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "hub_loop"
    title = "The accounts would assume each other"


class HubGone(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "hub_gone"
    title = "The account that assumes the role is gone"


def access_for(account: AwsAccount, actor: User | None) -> Access:
    """As whom AWS is called for `account`; `actor` is the person whom CloudTrail shall name.

    Raises CredentialsUnreadable, HubLoop or HubGone. The key changes whenever any credential behind it does.
    """
    source, key = _source(account, ())
    return _access(account, source, key, actor)


def unstored_access(account: AwsAccount, key: KeyInput | None, actor: User | None) -> Access:
    """The same with credentials that are not stored (yet): `key` in place of the account's own."""
    if key is None:
        return access_for(account, actor)
    return _access(account, _static(key), f"{account.uuid}:{uuid.uuid4()}", actor)


def hub_access(account: AwsAccount, actor: User | None) -> Access:
    """As whom the role of `account` is assumed: its hub, or the host of this installation. Raises as `access_for` does."""
    source, key = _hub_source(account, (account,))
    return _access(account, source, key, actor)


def seal(account: AwsAccount, key: KeyInput) -> Sealed:
    """`key` sealed for `account`, to be stored with `put`. May ask KMS, so it stands outside of transactions.

    Raises SealingError when the encryption key cannot be used at the moment.
    """
    encryption.prove_current_key()
    return keyring().seal(_text(account, key), _context(account))


def put(*, account: AwsAccount, sealed: Sealed) -> None:
    """Store a sealed key in place of what was there, readable or not."""
    new = {"sealed": sealed.ciphertext, "sealed_with": sealed.key_id}
    if not AwsCredential.objects.filter(account=account).update(**new, version=F("version") + 1):
        AwsCredential.objects.create(account=account, **new)


def store(*, account: AwsAccount, key: KeyInput) -> None:
    """Seal and put in one. Raises SealingError."""
    put(account=account, sealed=seal(account, key))


def destroy(*, account: AwsAccount) -> None:
    """Remove the secret from the database."""
    AwsCredential.objects.filter(account=account).delete()


def _access(account: AwsAccount, source: CredentialSource, key: str, actor: User | None) -> Access:
    region = regions.home(account.regions[0] if account.regions else "us-east-1")
    return Access(key=key, source=source, region=region, actor=actor.username if actor else "cloudconsole")


def _source(account: AwsAccount, via: tuple[AwsAccount, ...]) -> tuple[CredentialSource, str]:
    if account in via or len(via) > _MAX_HUBS:
        raise HubLoop(f"“{account.alias}” is reached through itself. Choose another account to assume the role.", attr="hub")
    match AuthMethod(account.auth_method):
        case AuthMethod.AMBIENT:
            return Ambient(), str(account.uuid)
        case AuthMethod.ACCESS_KEY:
            return _open(account)
        case AuthMethod.ASSUME_ROLE:
            hub, hub_key = _hub_source(account, (*via, account))
            return AssumedRole(account.role_arn, account.external_id, hub), f"{account.uuid}:{account.role_arn}:{hub_key}"


def _hub_source(account: AwsAccount, via: tuple[AwsAccount, ...]) -> tuple[CredentialSource, str]:
    if account.hub is None:
        return Ambient(), "host"
    if account.hub.deleted_at is not None:
        raise HubGone(f"“{account.hub.alias}”, which assumed the role of “{account.alias}”, was removed.", attr="hub")
    return _source(account.hub, via)


def _open(account: AwsAccount) -> tuple[StaticKey, str]:
    stored = AwsCredential.objects.filter(account=account).first()
    if stored is None:
        raise CredentialsUnreadable("There are no stored credentials for this account.")
    try:
        text = keyring().open(Sealed(bytes(stored.sealed), stored.sealed_with), _context(account))
    except Unreadable as error:
        raise CredentialsUnreadable(error.detail) from error
    opened = json.loads(text)
    if opened.get("account") != str(account.uuid) or opened.get("field") != _FIELD:
        raise CredentialsUnreadable("The stored credentials were sealed for another account and are refused.")
    key = KeyInput(opened["access_key_id"], opened["secret_access_key"], opened["session_token"])
    return _static(key), f"{account.uuid}:{stored.version}"


def _context(account: AwsAccount) -> Context:
    return Context(str(account.uuid), _FIELD)


def _text(account: AwsAccount, key: KeyInput) -> str:
    # Fernet has no associated data, so the text itself says whose it is: moved to another row it is refused.
    return json.dumps(
        {
            "account": str(account.uuid),
            "field": _FIELD,
            "access_key_id": key.access_key_id,
            "secret_access_key": key.secret_access_key,
            "session_token": key.session_token,
        }
    )


def _static(key: KeyInput) -> StaticKey:
    return StaticKey(key.access_key_id, key.secret_access_key, key.session_token or None)
