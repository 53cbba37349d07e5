"""Connecting AWS accounts, changing and removing them. Credentials are proven by AWS before they are stored.

AWS is never called inside a transaction: first the proof, then one transaction for the rows and the audit event.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.db import IntegrityError, transaction

from accounts.models import Alert, AuthMethod, AwsAccount, Grant, Status, User, make_external_id
from accounts.rules import identifiers
from accounts.selectors import aws_accounts as selectors
from accounts.services import credentials, inputs, verification
from accounts.services.inputs import AccountChanges, CredentialInput, HostInput, InvalidInput, KeyInput, NewAccount, RoleInput
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.aws import sts
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.sts import CallerIdentity
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import Sealed

_RESERVATION = "accounts.external_id"
_RESERVATION_LASTS_S = 7 * 24 * 3600

# How an account is reached: what changes together when its credentials are replaced.
_WAY = ("auth_method", "role_arn", "hub", "access_key_hint", "account_id", "credentials_expire_at", "key_created_at")


class AliasTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "alias_taken"
    title = "The alias is taken"


class AlreadyConnected(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "account_already_connected"
    title = "This AWS account is connected already"


class WrongAccount(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "account_mismatch"
    title = "The credentials belong to another AWS account"


class HubNotUsable(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "hub_not_usable"
    title = "That account cannot assume roles at the moment"


class HubInUse(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "hub_in_use"
    title = "Other accounts are reached through this one"


class NotConfirmed(CloudconsoleError):
    code = "confirmation_required"
    title = "Removing an account needs its alias"


class StillConnected(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "account_connected"
    title = "The account is still connected"


@dataclass(frozen=True)
class Reservation:
    """An external id made here, and the signed note with which `create` accepts it for one new account."""

    external_id: str
    note: str


def reserve_external_id() -> Reservation:
    """An external id for a trust policy that is written before the account is connected. Never chosen by a person."""
    external_id = make_external_id()
    return Reservation(external_id, note_for(external_id))


def note_for(external_id: str) -> str:
    """The signed note for an external id that was made here before."""
    return signing.dumps(external_id, salt=_RESERVATION)


def create(*, new: NewAccount, by: User) -> AwsAccount:
    """Connect an AWS account: its credentials are proven with STS first, then stored, then verified.

    Raises InvalidInput, AliasTaken, AlreadyConnected, WrongAccount, HubNotUsable, HubLoop, and AwsError when AWS does
    not accept the credentials. After any of them nothing is stored but the audit event of the attempt.
    """
    draft = _draft(new, by)
    key = new.credentials if isinstance(new.credentials, KeyInput) else None
    identity = _proven(draft, key, by)
    draft.account_id = identity.account_id
    draft.status, draft.verified_at = Status.OK, clock.now()
    _store_new(draft, _sealed(draft, key), by, identity.request_id)
    verification.verify(account=draft, actor=by)
    return AwsAccount.objects.get(pk=draft.pk)


def create_unproven(*, new: NewAccount, by: User) -> AwsAccount:
    """Store an account as `pending`, without asking AWS: for a role whose trust policy needs the external id made here."""
    draft = _draft(new, by)
    _store_new(draft, _sealed(draft, new.credentials if isinstance(new.credentials, KeyInput) else None), by, "")
    return draft


def change(*, account: AwsAccount, changes: AccountChanges, by: User) -> AwsAccount:
    """Change an account. New credentials must be proven, and be of the same AWS account, before they replace the old.

    Raises as `create` does.
    """
    draft = AwsAccount.objects.get(pk=account.pk)
    fields = _apply(draft, changes)
    if changes.credentials is None:
        _store_change(draft, fields, by)
        return draft
    key = changes.credentials if isinstance(changes.credentials, KeyInput) else None
    _take_way(draft, changes.credentials, by)
    identity = _proven(draft, key, by)
    draft.account_id = identity.account_id
    _store_replacement(draft, fields, _sealed(draft, key), by, identity.request_id)
    verification.verify(account=draft, actor=by)
    return AwsAccount.objects.get(pk=account.pk)


@transaction.atomic
def delete(*, account: AwsAccount, confirm: str, by: User) -> None:
    """Disconnect an account: its credentials are destroyed, its history stays under its name.

    Raises NotConfirmed unless `confirm` is the alias, HubInUse while other accounts are reached through it.
    """
    account = _locked(account)
    if confirm != account.alias:
        raise NotConfirmed(f"Confirm with the alias “{account.alias}”.", attr="confirm")
    spokes = list(account.spokes.filter(deleted_at=None).order_by("alias").values_list("alias", flat=True))
    if spokes:
        raise HubInUse(f"Give these accounts another way in first: {', '.join(spokes)}.")
    credentials.destroy(account=account)
    Grant.objects.filter(account=account).delete()
    account.deleted_at = clock.now()
    account.hub = None
    account.access_key_hint = ""
    account.save(update_fields=["deleted_at", "hub", "access_key_hint"])
    _published(account)
    jobs.enqueue("resources.sweep_operations")  # what waits in it is cancelled now, not when the scheduler comes by
    audit.record(verbs.ACCOUNT_DELETED, actor=by, account=account)


@transaction.atomic
def purge(*, account: AwsAccount, confirm: str, by: User) -> None:
    """Delete a disconnected account with everything that was kept under its name. The audit trail stays.

    Raises NotConfirmed unless `confirm` is the alias, StillConnected for an account that is in use.
    """
    row = AwsAccount.objects.select_for_update().get(pk=account.pk)
    if row.deleted_at is None:
        raise StillConnected("Disconnect the account first; purging is a second step.")
    if confirm != row.alias:
        raise NotConfirmed(f"Confirm with the alias “{row.alias}”.", attr="confirm")
    frozen = AwsAccount(pk=row.pk, alias=row.alias, account_id=row.account_id, environment=row.environment)
    Alert.objects.filter(accounts=row).delete()
    row.delete()
    audit.record(verbs.ACCOUNT_PURGED, actor=by, account=frozen)


def _draft(new: NewAccount, by: User) -> AwsAccount:
    """The row as it will be, not saved, everything checked that can be without AWS."""
    draft = AwsAccount(
        alias=inputs.alias(new.alias),
        environment=inputs.environment(new.environment),
        regions=inputs.region_names(new.regions),
        capabilities=inputs.capability_names(new.capabilities),
        account_id=inputs.account_number(new.expected_account_id),
        created_by=by,
    )
    if new.reservation:
        draft.external_id = _reserved(new.reservation)
    _refuse_taken_alias(draft)
    _take_way(draft, new.credentials, by)
    _refuse_connected(draft)
    return draft


def _take_way(draft: AwsAccount, given: CredentialInput, by: User) -> None:
    """Set how the account is reached."""
    draft.role_arn, draft.hub, draft.access_key_hint = "", None, ""
    draft.credentials_expire_at, draft.key_created_at = None, None
    match given:
        case KeyInput():
            draft.auth_method, draft.access_key_hint = AuthMethod.ACCESS_KEY, given.hint
            draft.credentials_expire_at = given.expires_at
        case HostInput():
            draft.auth_method = AuthMethod.AMBIENT
        case RoleInput():
            draft.auth_method, draft.role_arn, draft.hub = AuthMethod.ASSUME_ROLE, given.role_arn, _hub(given.hub, by)
            number = identifiers.account_number_of_role(given.role_arn) or ""
            if draft.account_id not in ("", number):
                raise WrongAccount(f"The role is in account {number}, not in {draft.account_id}.", attr="role_arn")
            draft.account_id = number


def _hub(reference: str, by: User) -> AwsAccount | None:
    if not reference:
        return None
    try:
        hub = selectors.get_for(by, reference, Perm.ACCOUNTS_MANAGE)
    except CloudconsoleError as error:
        raise InvalidInput("There is no such AWS account.", attr="hub") from error
    if hub.status == Status.ERROR:
        raise HubNotUsable(f"“{hub.alias}” is not working itself: {hub.status_detail}", attr="hub")
    return hub


def _proven(draft: AwsAccount, key: KeyInput | None, by: User) -> CallerIdentity:
    """Who the credentials are, according to AWS. A refusal is audited and raised."""
    try:
        identity = sts.whoami(credentials.unstored_access(draft, key, by))
    except AwsError as refusal:
        _record_refusal(draft, by, refusal.code, refusal.request_id)
        raise
    if draft.account_id not in ("", identity.account_id):
        _record_refusal(draft, by, WrongAccount.code, identity.request_id)
        raise WrongAccount(f"The credentials are of account {identity.account_id}, not of {draft.account_id}.", attr="account_id")
    return identity


def _sealed(draft: AwsAccount, key: KeyInput | None) -> Sealed | None:
    return credentials.seal(draft, key) if key else None


@transaction.atomic
def _record_refusal(draft: AwsAccount, by: User, code: str, aws_request_id: str) -> None:
    known = draft if draft.pk else None
    detail = {"code": code, "auth_method": str(draft.auth_method)}
    audit.record(
        verbs.CREDENTIALS_REFUSED,
        actor=by,
        subject=draft.alias,
        account=known,
        target=draft.role_arn,
        outcome="refused",
        detail=detail,
        aws_request_id=aws_request_id,
    )


@transaction.atomic
def _store_new(draft: AwsAccount, key: Sealed | None, by: User, aws_request_id: str) -> None:
    _hold_hub(draft)
    _save(draft)
    if key:
        credentials.put(account=draft, sealed=key)
    _published(draft)
    jobs.enqueue("costs.tick")  # its first costs are due now, not when the scheduler comes by
    audit.record(
        verbs.ACCOUNT_ADDED,
        actor=by,
        subject=draft.alias,
        account=draft,
        detail={"auth_method": str(draft.auth_method), "status": str(draft.status)},
        aws_request_id=aws_request_id,
    )


def _apply(draft: AwsAccount, changes: AccountChanges) -> list[str]:
    """Set what changes; the names of the fields that did."""
    given = {
        "alias": None if changes.alias is None else inputs.alias(changes.alias),
        "environment": None if changes.environment is None else inputs.environment(changes.environment),
        "regions": None if changes.regions is None else inputs.region_names(changes.regions),
        "capabilities": None if changes.capabilities is None else inputs.capability_names(changes.capabilities),
        "approval": None if changes.approval is None else inputs.approval(changes.approval),
    }
    changed = {name: value for name, value in given.items() if value is not None and value != getattr(draft, name)}
    for name, value in changed.items():
        setattr(draft, name, value)
    if "alias" in changed:
        _refuse_taken_alias(draft)
    return sorted(changed)


@transaction.atomic
def _store_change(draft: AwsAccount, fields: list[str], by: User) -> None:
    if fields:
        _locked(draft)
        _save(draft, fields)
        _published(draft)
        # Who weakens the second person's say is told with what it became.
        told = {"approval": str(draft.approval)} if "approval" in fields else {}
        audit.record(verbs.ACCOUNT_CHANGED, actor=by, account=draft, detail={"fields": ", ".join(fields), **told})


@transaction.atomic
def _store_replacement(draft: AwsAccount, fields: list[str], key: Sealed | None, by: User, aws_request_id: str) -> None:
    _locked(draft)
    _hold_hub(draft)
    _save(draft, [*fields, *_WAY])
    if key:
        credentials.put(account=draft, sealed=key)
    else:
        credentials.destroy(account=draft)
    _published(draft)
    detail = {"auth_method": str(draft.auth_method), "fields": ", ".join(fields)}
    audit.record(verbs.CREDENTIALS_REPLACED, actor=by, account=draft, detail=detail, aws_request_id=aws_request_id)


def _save(row: AwsAccount, fields: list[str] | None = None) -> None:
    """Save, and tell which of the unique things was taken when two people were at it at the same time."""
    try:
        with transaction.atomic():
            row.save(update_fields=fields, force_insert=fields is None)
    except IntegrityError:
        _refuse_taken_alias(row)
        _refuse_connected(row)
        raise


def _refuse_taken_alias(draft: AwsAccount) -> None:
    if AwsAccount.objects.filter(alias__iexact=draft.alias, deleted_at=None).exclude(pk=draft.pk).exists():
        raise AliasTaken(f"Another account is called “{draft.alias}”.", attr="alias")


def _refuse_connected(draft: AwsAccount) -> None:
    same = AwsAccount.objects.filter(account_id=draft.account_id, deleted_at=None).exclude(pk=draft.pk)
    other = same.first() if draft.account_id else None
    if other is not None:
        raise AlreadyConnected(f"{draft.account_id} is connected as “{other.alias}”.", attr="account_id")


def _hold_hub(row: AwsAccount) -> None:
    """Keep the hub from being removed while this row starts to use it."""
    if row.hub is not None:
        _locked(row.hub)


def _reserved(note: str) -> str:
    try:
        return str(signing.loads(note, salt=_RESERVATION, max_age=_RESERVATION_LASTS_S))
    except signing.BadSignature as error:
        raise InvalidInput("The external id is too old. Start again.", attr="reservation") from error


def _locked(account: AwsAccount) -> AwsAccount:
    """The row, held until the transaction ends. Raises NotFound when it was removed meanwhile."""
    row = AwsAccount.objects.select_for_update().filter(pk=account.pk, deleted_at=None).first()
    if row is None:
        raise selectors.AccountNotFound("There is no such AWS account.")
    return row


def _published(row: AwsAccount) -> None:
    realtime.publish("account", row.pk, row.pk)
