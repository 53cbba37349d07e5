"""KMS as AWS refuses: moto goes on using keys that are disabled or waiting to be deleted (KMS guide, "Key states")."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cloudconsole.simulator.wire import AwsError

# What needs a key that is enabled; describing, enabling and cancelling a deletion do not.
_USES = frozenset({"Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"})
_KEY_ID_LENGTH = 36  # moto's ciphertexts begin with the key's id
_ANOTHER_KEY = "The key ID in the request does not identify a CMK that can perform this operation."


def refuse_unusable_key(operation: str, arguments: dict[str, Any], account_id: str, region: str) -> None:
    """Raise what KMS answers for a key in a state that forbids its use, and for a ciphertext of another key."""
    if operation not in _USES:
        return
    from moto.kms.models import kms_backends  # imported at the first call, as the rest of moto is

    backend = kms_backends[account_id][region]
    wanted = _known(backend, str(arguments.get("KeyId", "")))
    used = _known(backend, _key_of(str(arguments.get("CiphertextBlob", ""))))
    if wanted is not None and used is not None and wanted is not used:
        raise AwsError("IncorrectKeyException", _ANOTHER_KEY)
    key = used or wanted
    if key is None:
        return  # moto has the words for keys that do not exist
    if key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _known(backend: Any, key_id: str) -> Any:
    name = key_id.rpartition("/")[2] if ":key/" in key_id else key_id
    return backend.keys.get(backend.get_key_id_from_alias(name) if name.startswith("alias/") else name)


def _key_of(ciphertext: str) -> str:
    try:
        return base64.b64decode(ciphertext)[:_KEY_ID_LENGTH].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
