from accounts.models.alerts import Alert, AlertAccount, AlertRead, PastAlert
from accounts.models.aws_account import (
    FILES_ONLY,
    Approval,
    AuthMethod,
    AwsAccount,
    AwsCredential,
    CapabilityCheck,
    CapabilityStatus,
    Environment,
    Status,
    make_external_id,
)
from accounts.models.channels import (
    DEAD_LETTERS,
    DELIVERY_OPEN,
    ChannelKind,
    Delivery,
    DeliveryStatus,
    Notice,
    NotificationChannel,
    NotificationRoute,
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
    "DEAD_LETTERS",
    "DELIVERY_OPEN",
    "FILES_ONLY",
    "Adoption",
    "AdoptionBatch",
    "AdoptionStatus",
    "Alert",
    "AlertAccount",
    "AlertRead",
    "Approval",
    "AuthMethod",
    "AwsAccount",
    "AwsCredential",
    "CapabilityCheck",
    "CapabilityStatus",
    "ChannelKind",
    "Delivery",
    "DeliveryStatus",
    "Discovery",
    "EncryptionKey",
    "Environment",
    "ExpiryAnnouncement",
    "FirstRun",
    "Grant",
    "Invitation",
    "KeyRotation",
    "Notice",
    "NotificationChannel",
    "NotificationRoute",
    "OrganizationMember",
    "PastAlert",
    "PersonalToken",
    "RotationStatus",
    "Scope",
    "Status",
    "User",
    "make_external_id",
]
