from accounts.models.aws_account import (
    AuthMethod,
    AwsAccount,
    AwsCredential,
    CapabilityCheck,
    CapabilityStatus,
    Environment,
    Status,
    make_external_id,
)
from accounts.models.encryption import EncryptionKey
from accounts.models.keys import Invitation, PersonalToken, Scope
from accounts.models.people import Grant, User

__all__ = [
    "AuthMethod",
    "AwsAccount",
    "AwsCredential",
    "CapabilityCheck",
    "CapabilityStatus",
    "EncryptionKey",
    "Environment",
    "Grant",
    "Invitation",
    "PersonalToken",
    "Scope",
    "Status",
    "User",
    "make_external_id",
]
