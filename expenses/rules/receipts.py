"""Files that may be receipts: what they are by their bytes, and pictures without what else was in them."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import warnings
from dataclasses import dataclass
from typing import Final

import pikepdf
import pikepdf.settings
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
PDF: Final = "application/pdf"
_PICTURES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
_EXTENSIONS: Final = {PDF: ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}
_LEFT_BEHIND: Final = ("/Metadata", "/OpenAction", "/AA", "/PieceInfo", "/JavaScript")
# Links to pages and addresses stay; a viewer asks before it follows them.
_DOING: Final = tuple(
    pikepdf.Name(name) for name in ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition")
)
# A packed stream may be a thousand times what it takes in the file. For the whole process, so set before anybody reads.
_UNPACKED: Final = 100 * 1024 * 1024
pikepdf.settings.set_qpdf_limits(
    doc_max_warnings=100,
    parser_max_container_size=1_000_000,
    flate_max_memory=_UNPACKED,
    png_max_memory=_UNPACKED,
    run_length_max_memory=_UNPACKED,
    tiff_max_memory=_UNPACKED,
)

# What the reader of pictures raises for broken ones.
_BROKEN: Final = (
    UnidentifiedImageError,
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ReceiptRefused(ValueError):
    """One plain sentence says why."""


@dataclass(frozen=True)
class Receipt:
    """`sha256` is of the bytes as they came, so that the same file is known again."""

    content_type: str
    content: bytes
    sha256: str


def read(sent: bytes) -> Receipt:
    """What is kept of a file. Its name and what the browser called it decide nothing. Raises ReceiptRefused."""
    if len(sent) > MAX_BYTES:
        raise ReceiptRefused(f"A receipt has at most {MAX_BYTES // 1024 // 1024} MB.")
    digest = hashlib.sha256(sent).hexdigest()
    if sent.startswith(b"%PDF-"):
        return Receipt(PDF, _pdf(sent), digest)
    content_type, content = _picture(sent)
    return Receipt(content_type, content, digest)


def _pdf(sent: bytes) -> bytes:
    """Its pages and attachments (electronic invoices are such); who wrote it with what, and what it would do, stay behind."""
    out = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(sent), suppress_warnings=True) as pdf:
            if not pdf.pages:
                raise ReceiptRefused("The PDF has no pages.")
            del pdf.docinfo
            for one in pdf.objects:
                _bare(one)
            pdf.save(out, deterministic_id=True)
    except pikepdf.PasswordError as error:
        raise ReceiptRefused("The PDF is encrypted. Send it without a password.") from error
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, ValueError, RuntimeError) as error:
        if isinstance(error, ReceiptRefused):
            raise
        raise ReceiptRefused("The PDF is broken: it cannot be opened.") from error
    return out.getvalue()


def _bare(thing: pikepdf.Object) -> None:
    """Without what tells or does something, in it and in what is written into it; what it points to is another object."""
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for name in _LEFT_BEHIND:
            if name in thing:
                del thing[name]
        if isinstance(action := thing.get("/A"), pikepdf.Dictionary) and action.get("/S") in _DOING:
            del thing["/A"]
        parts = [part for _, part in thing.items()]
    else:
        parts = list(thing.as_list()) if isinstance(thing, pikepdf.Array) else []
    for part in parts:
        if isinstance(part, pikepdf.Object) and not part.is_indirect:
            _bare(part)


def _picture(sent: bytes) -> tuple[str, bytes]:
    """The pixels alone, upright: place, camera and comments are left behind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(sent), formats=tuple(_PICTURES))
            if picture.width * picture.height > MAX_PIXELS:
                raise ReceiptRefused("The picture has too many pixels.")
            # Behind the first picture of a phone's JPEG there may be others, which makes it another format to the reader.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            bare = ImageOps.exif_transpose(picture)
            bare.info = {}
            out = io.BytesIO()
            bare.save(out, kind, **({"quality": 90} if kind in ("JPEG", "WEBP") else {}))
    except _BROKEN as error:
        if isinstance(error, ReceiptRefused):
            raise
        raise ReceiptRefused("Send a picture (JPEG, PNG, WebP, GIF) or a PDF.") from error
    return _PICTURES[kind], out.getvalue()


def file_name(given: str, content_type: str) -> str:
    """A harmless name with the ending of what the file is."""
    stem = re.sub(r"[^\w .()-]+", "_", given.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].rsplit(".", 1)[0]).strip(" ._")
    return f"{stem[:100] or 'receipt'}{_EXTENSIONS[content_type]}"
