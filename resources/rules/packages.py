"""A deployment package: the zip file that holds a Lambda function's code. Looked into before it is sent anywhere.

Source: "Lambda quotas" in the Lambda developer guide: 50 MB zipped when sent directly. How much may be in it unzipped
is asked of the account itself.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from cloudconsole.core.errors import CloudconsoleError, Kind

MAX_ZIPPED_BYTES = 50 * 1024 * 1024
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
_MAX_ENTRIES = 50_000
_ENCRYPTED = 0x1

# Where the first part of a handler's name is a file, by the beginning of the runtime's name.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "python": (".py", "/__init__.py", ".pyc", ".so"),
    "nodejs": (".js", ".mjs", ".cjs"),
    "ruby": (".rb",),
}


class InvalidPackage(CloudconsoleError):
    """AWS would refuse the file, or it would harm whoever unpacks it."""

    code = "package_invalid"
    title = "The package cannot be deployed"


class PackageTooLarge(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "package_too_large"
    title = "The package is too large"


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file that can be deployed. `code_sha256` is how AWS names its content; `names` are the files in it."""

    size_bytes: int
    unzipped_bytes: int
    code_sha256: str
    names: tuple[str, ...]

    def warning(self, runtime: str, handler: str) -> str:
        """What will probably go wrong, in one sentence; empty when nothing is seen. A layer may bring what is missing."""
        endings = next((ends for start, ends in _ENDINGS.items() if runtime.startswith(start)), ())
        module = _module_of(runtime, handler)
        names = [name.removeprefix("./") for name in self.names]
        if not endings or any(name.startswith(module) and _is_file(name.removeprefix(module), endings) for name in names):
            return ""
        return f"The package has no file {module}{endings[0]}, which the handler {handler} names."


def _module_of(runtime: str, handler: str) -> str:
    """The handler's file without its ending. Python splits at the last dot, the others at the first one after the folders."""
    if runtime.startswith("python"):
        return handler.rpartition(".")[0].replace(".", "/")
    folders, slash, rest = handler.rpartition("/")
    return f"{folders}{slash}{rest.partition('.')[0]}"


def _is_file(rest: str, endings: tuple[str, ...]) -> bool:
    is_extension = ".so" in endings and rest.startswith((".cpython-", ".abi3.")) and rest.endswith(".so")
    return rest in endings or is_extension


def read(stream: BinaryIO, *, max_zipped: int = MAX_ZIPPED_BYTES, max_unzipped: int = MAX_UNZIPPED_BYTES) -> Package:
    """Look into the zip file; nothing is unpacked. Leaves `stream` at its start.

    Raises InvalidPackage, PackageTooLarge.
    """
    size, digest = _measured(stream, max_zipped)
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise InvalidPackage("It is not a zip file, or a damaged one.", attr="zip") from error
    finally:
        stream.seek(0)
    _check(entries)
    unzipped = sum(entry.file_size for entry in entries)
    if unzipped > max_unzipped:
        raise PackageTooLarge(f"Unzipped it has {unzipped:,} bytes; this account allows {max_unzipped:,}.", attr="zip")
    return Package(size, unzipped, digest, tuple(entry.filename for entry in entries))


def _measured(stream: BinaryIO, limit: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(1024 * 1024):
        size += len(chunk)
        if size > limit:
            raise PackageTooLarge(f"AWS takes a zip file of at most {limit:,} bytes directly.", attr="zip")
        digest.update(chunk)
    stream.seek(0)
    return size, base64.b64encode(digest.digest()).decode()


def _check(entries: Iterable[zipfile.ZipInfo]) -> None:
    count = 0
    for entry in entries:
        count += 1
        parts = entry.filename.replace("\\", "/").split("/")
        if entry.filename.startswith("/") or ".." in parts:
            raise InvalidPackage(f"“{entry.filename[:64]}” would be unpacked outside of the function's folder.", attr="zip")
        if entry.flag_bits & _ENCRYPTED:
            raise InvalidPackage("It is protected by a password, which AWS cannot open.", attr="zip")
    if not count:
        raise InvalidPackage("There is nothing in it.", attr="zip")
    if count > _MAX_ENTRIES:
        raise InvalidPackage(f"It has more than {_MAX_ENTRIES:,} entries.", attr="zip")
