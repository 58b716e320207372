"""SHA-256 without OpenSSL, which takes 2 ms to load and is faster only where there is much to hash."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import sha256 as _small
elif sys.version_info >= (3, 12):
    from _sha2 import sha256 as _small
else:
    from _sha256 import sha256 as _small

MUCH = 128 * 1024


def sha256(data: bytes) -> bytes:
    digest: bytes = _hash(data).digest()
    return digest


def sha256_hex(data: bytes) -> str:
    digest: str = _hash(data).hexdigest()
    return digest


def _hash(data: bytes) -> Any:
    if len(data) < MUCH:
        return _small(data)
    import hashlib  # noqa: PLC0415 - see above

    return hashlib.sha256(data)
