"""EC2's error codes, as `codes` has those of every service (EC2 API reference, "Error codes for the Amazon EC2 API")."""

from __future__ import annotations

from collections.abc import Mapping

from cloudconsole.aws.errors import AwsErrorKind as Why
from cloudconsole.aws.readings import Reading

WRONG_STATE = Reading(
    Why.CONFLICT,
    "The instance is not in a state from which this can be done.",
    "Wait until its state has settled, then try again.",
)
KEPT_FROM_TERMINATION = Reading(
    Why.CONFLICT,
    "Termination protection is on for this instance.",
    "If it really shall go, switch the protection off in AWS first; Cloudconsole never does.",
)
KEPT_FROM_STOP = Reading(
    Why.CONFLICT,
    "Stop protection is on for this instance.",
    "If it really shall stop, switch the protection off in AWS first; Cloudconsole never does.",
)
CANNOT_STOP = Reading(
    Why.CONFLICT,
    "An instance of this kind cannot be stopped: one on a one-time Spot request, or one without a volume to keep it on.",
    "It can be rebooted or terminated.",
)
MALFORMED = Reading(
    Why.INVALID_REQUEST,
    "This is not the id of an instance.",
    "An id is “i-” and 17 (or, of old ones, 8) hexadecimal digits.",
)
GONE = Reading(
    Why.NOT_FOUND,
    "AWS does not know this instance here: it was terminated more than an hour ago, or is in another account or region.",
    "Refresh the inventory to see what there is.",
)
PAGE_TOKEN = Reading(
    Why.TOKEN_REFUSED,
    "AWS refused the token for the next page that it had given itself.",
    "Nothing to repair: try again; the stored data was left as it was.",
)

VOLUME_HELD = Reading(
    Why.CONFLICT,
    "Something holds the volume: it is attached to an instance.",
    "Look at it again: what is in use is not deleted.",
)
VOLUME_GONE = Reading(
    Why.NOT_FOUND,
    "AWS does not know this volume here: it was deleted, or is in another account or region.",
    "Refresh the inventory to see what there is.",
)
VOLUME_RESTS = Reading(
    Why.CONFLICT,
    "The volume was changed less than six hours ago, or is still being changed.",
    "Try again when the last change is complete and six hours old.",
)
ADDRESS_GONE = Reading(
    Why.NOT_FOUND,
    "AWS does not know this address here: it was released, or is in another account or region.",
    "Refresh the inventory to see what there is.",
)
ADDRESS_HELD = Reading(
    Why.CONFLICT,
    "Something uses the address.",
    "Look at it again: what is in use is not released.",
)

CODES: Mapping[tuple[str, str], Reading] = {
    ("ec2", "IncorrectInstanceState"): WRONG_STATE,
    ("ec2", "UnsupportedOperation"): CANNOT_STOP,
    ("ec2", "InvalidInstanceID.Malformed"): MALFORMED,
    ("ec2", "InvalidInstanceID.NotFound"): GONE,
    ("ec2", "InvalidNextToken"): PAGE_TOKEN,
    ("ec2", "VolumeInUse"): VOLUME_HELD,
    ("ec2", "InvalidVolume.NotFound"): VOLUME_GONE,
    ("ec2", "VolumeModificationRateExceeded"): VOLUME_RESTS,
    ("ec2", "InvalidAllocationID.NotFound"): ADDRESS_GONE,
    ("ec2", "InvalidIPAddress.InUse"): ADDRESS_HELD,
}
OF_OPERATION: Mapping[tuple[str, str, str], Reading] = {
    ("ec2", "TerminateInstances", "OperationNotPermitted"): KEPT_FROM_TERMINATION,
    ("ec2", "StopInstances", "OperationNotPermitted"): KEPT_FROM_STOP,
}
