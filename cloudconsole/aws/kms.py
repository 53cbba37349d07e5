"""Envelope encryption by the AWS Encryption SDK: KMS makes and opens data keys, the texts never leave this process.

Messages name their key and carry the encryption context; the commitment policy is the strict one. Data keys are kept in
memory for some minutes, apart for each context, so that KMS is not asked for every single secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import aws_encryption_sdk
from aws_encryption_sdk import exceptions as sdk
from aws_encryption_sdk.caches.local import LocalCryptoMaterialsCache
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.materials_managers.caching import CachingCryptoMaterialsManager
from aws_encryption_sdk.materials_managers.default import DefaultCryptoMaterialsManager
from cryptography.exceptions import InvalidTag

from cloudconsole.aws import calls, clients
from cloudconsole.aws.credentials import Access, Ambient
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.translation import garbled

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]{1,128}")
_CACHED_DATA_KEYS = 1_000
_MESSAGES_PER_DATA_KEY = 1_000
# Both sides are this installation, so a signature with a key pair of its own for each message would prove nothing more.
_ALGORITHM = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY


class CiphertextRefused(ValueError):
    """Not a message of this key and context, or damaged. Its text holds no secret."""


@dataclass(frozen=True)
class KmsKey:
    """A KMS key by its full ARN, used as this server's own AWS identity. `cache_s`: how long data keys are kept."""

    arn: str
    cache_s: float = 300.0

    @property
    def region(self) -> str:
        found = _KEY_ARN.fullmatch(self.arn)
        return found["region"] if found else ""


def is_key_arn(text: str) -> bool:
    """Whether `text` is the full ARN of a KMS key; aliases can be pointed elsewhere and are none."""
    return _KEY_ARN.fullmatch(text) is not None


def encrypt(key: KmsKey, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """`plaintext` as a message of the AWS Encryption SDK, bound to `context`. Raises AwsError."""

    def request() -> bytes:
        message, _ = _client().encrypt(
            source=plaintext,
            materials_manager=_materials(key),
            encryption_context=dict(context),
            algorithm=_ALGORITHM,
        )
        return bytes(message)

    try:
        return calls.call(_access(key), "kms", "GenerateDataKey", key.region, request)
    except sdk.AWSEncryptionSDKClientError as error:
        raise garbled("kms", "GenerateDataKey", type(error).__name__) from None


def decrypt(key: KmsKey, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
    """What `encrypt` was given. Raises AwsError, or CiphertextRefused for a message of another key or context."""

    def request() -> bytes:
        plaintext, header = _client().decrypt(source=ciphertext, materials_manager=_materials(key))
        if any(header.encryption_context.get(name) != value for name, value in context.items()):
            raise CiphertextRefused("It was encrypted for something else.")
        return bytes(plaintext)

    try:
        return calls.call(_access(key), "kms", "Decrypt", key.region, request)
    except (sdk.AWSEncryptionSDKClientError, InvalidTag) as error:
        raise CiphertextRefused(f"It is no message of this key ({type(error).__name__}).") from None
    except AwsError as error:
        if error.aws_code in ("InvalidCiphertextException", "IncorrectKeyException"):
            raise CiphertextRefused(error.detail) from None
        raise


class _MasterKey(KMSMasterKey):  # type: ignore[misc]
    """Lets KMS's own refusals through: the SDK would swallow them into "unable to decrypt any data key"."""

    def _generate_data_key(self, algorithm: Any, encryption_context: Any = None) -> Any:
        try:
            return super()._generate_data_key(algorithm, encryption_context)
        except sdk.GenerateKeyError as error:
            raise (error.__cause__ or error) from None

    def _decrypt_data_key(self, encrypted_data_key: Any, algorithm: Any, encryption_context: Any = None) -> Any:
        try:
            return super()._decrypt_data_key(encrypted_data_key, algorithm, encryption_context)
        except sdk.DecryptKeyError as error:
            raise (error.__cause__ or error) from None


class _Process:
    """The data keys that one process holds. A forked child starts with none."""

    def __init__(self) -> None:
        self.start()
        os.register_at_fork(after_in_child=self.start)

    def start(self) -> None:
        self._lock = Lock()
        self._managers: dict[tuple[KmsKey, str], Any] = {}

    def materials(self, key: KmsKey) -> Any:
        # The endpoint is part of it, as it is for the clients.
        named = (key, os.environ.get("AWS_ENDPOINT_URL", ""))
        with self._lock:
            if named not in self._managers:
                self._managers[named] = _new_materials(key)
            return self._managers[named]


_process = _Process()


def forget_data_keys() -> None:
    """Drop every data key held in memory, so that the next use asks KMS."""
    _process.start()


def _materials(key: KmsKey) -> Any:
    return _process.materials(key)


def _new_materials(key: KmsKey) -> Any:
    master = _MasterKey(key_id=key.arn, client=clients.client("kms", key.region))
    if key.cache_s <= 0:
        return DefaultCryptoMaterialsManager(master)
    return CachingCryptoMaterialsManager(
        master_key_provider=master,
        cache=LocalCryptoMaterialsCache(capacity=_CACHED_DATA_KEYS),
        max_age=float(key.cache_s),
        max_messages_encrypted=_MESSAGES_PER_DATA_KEY,
    )


def _client() -> Any:
    policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy, max_encrypted_data_keys=1)


def _access(key: KmsKey) -> Access:
    return Access(key="kms", source=Ambient(), region=key.region)
