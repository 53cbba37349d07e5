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
from accounts.models.first_run import FirstRun
from accounts.models.key_rotation import ExpiryAnnouncement, KeyRotation, RotationStatus
from accounts.models.keys import Invitation, PersonalToken, Scope
from accounts.models.organizations import (
    ADOPTION_OPEN,
    Adoption,
    AdoptionBatch,
    AdoptionStatus,
    Discovery,
    OrganizationMember,
)
from accounts.models.people import Grant, User

__all__ = [
    "ADOPTION_OPEN",
    "Adoption",
    "AdoptionBatch",
    "AdoptionStatus",
    "AuthMethod",
    "AwsAccount",
    "AwsCredential",
    "CapabilityCheck",
    "CapabilityStatus",
    "Discovery",
    "EncryptionKey",
    "Environment",
    "ExpiryAnnouncement",
    "FirstRun",
    "Grant",
    "Invitation",
    "KeyRotation",
    "OrganizationMember",
    "PersonalToken",
    "RotationStatus",
    "Scope",
    "Status",
    "User",
    "make_external_id",
]
