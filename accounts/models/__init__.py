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
from accounts.models.key_rotation import ExpiryAnnouncement, KeyRotation, RotationStatus
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
    "Environment",
    "ExpiryAnnouncement",
    "Grant",
    "KeyRotation",
    "OrganizationMember",
    "RotationStatus",
    "Status",
    "User",
    "make_external_id",
]
