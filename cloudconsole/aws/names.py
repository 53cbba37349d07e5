"""How AWS calls its regions and its customers' buckets.

Source of the latter: "General purpose bucket naming rules" in the S3 user guide.
"""

from __future__ import annotations

import re

# For those who say it in a form or a schema.
REGION = r"^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$"
BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
MIN_LENGTH, MAX_LENGTH = 3, 63

_REGION = re.compile(REGION)
_CHARACTERS = re.compile(r"[a-z0-9.-]+")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def is_region(name: str) -> bool:
    return _REGION.fullmatch(name) is not None


def fault_of_new_bucket(name: str) -> str:
    """Why S3 would refuse to make a bucket of this name, in one sentence; empty when it would not."""
    faults = (
        (not MIN_LENGTH <= len(name) <= MAX_LENGTH, f"A bucket's name has {MIN_LENGTH} to {MAX_LENGTH} characters."),
        (not _CHARACTERS.fullmatch(name), "A bucket's name has lower-case letters, digits, hyphens and dots only."),
        (not (name[:1].isalnum() and name[-1:].isalnum()), "A bucket's name begins and ends with a letter or a digit."),
        (".." in name, "A bucket's name has no two dots in a row."),
        (bool(_ADDRESS.fullmatch(name)), "A bucket's name does not look like an IP address."),
        (name.startswith(_RESERVED_STARTS), f"AWS keeps names that begin with {', '.join(_RESERVED_STARTS)} for itself."),
        (name.endswith(_RESERVED_ENDS), f"AWS keeps names that end with {', '.join(_RESERVED_ENDS)} for itself."),
    )
    return next((sentence for is_at_fault, sentence in faults if is_at_fault), "")
