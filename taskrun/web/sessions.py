"""The link that is printed and the cookie it is exchanged for.

A link works once. The cookie is signed with a key that lies in the state directory, so a page that is open goes on
after the server was started anew; whoever can read that key can read the journal itself.
"""

import hmac
import os
import secrets
import time

from taskrun.errors import UsageError

KEY, SIZE = "web.key", 32
LASTS = 7 * 24 * 3600


class Sessions:
    def __init__(self, home: str, port: int) -> None:
        self._key = _key(f"{home}/{KEY}")
        self._port = port
        self._tokens: set[str] = set()
        self.cookie = f"taskrun_{port}"  # cookies don't tell ports apart

    def new_token(self) -> str:
        token = secrets.token_urlsafe(SIZE)
        self._tokens.add(token)
        return token

    def exchange(self, token: str) -> str | None:
        """A session for a token, which is worth nothing after that."""
        given = token.encode(errors="replace")
        found = [known for known in self._tokens if hmac.compare_digest(known.encode(), given)]
        if not found:
            return None
        self._tokens.difference_update(found)
        expires = str(int(time.time()) + LASTS)
        return f"{expires}.{self._signature(expires)}"

    def is_valid(self, session: str) -> bool:
        expires, _, signature = session.partition(".")
        if not hmac.compare_digest(self._signature(expires).encode(), signature.encode(errors="replace")):
            return False
        return time.time() < int(expires)

    def _signature(self, expires: str) -> str:
        return hmac.new(self._key, f"{self._port}:{expires}".encode(errors="replace"), "sha256").hexdigest()


def _key(path: str) -> bytes:
    """The key of this state directory, made when there is none."""
    try:
        return _made(path)
    except FileExistsError:
        return _kept(path)
    except OSError as error:
        raise _unusable(path, error) from error


def _made(path: str) -> bytes:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    key = secrets.token_bytes(SIZE)
    with os.fdopen(fd, "wb") as file:
        file.write(key)
    return key


def _kept(path: str) -> bytes:
    """What another server is just writing, or never finished, is no key: then no session outlives this process."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            key = file.read(SIZE + 1)
    except OSError as error:
        raise _unusable(path, error) from error
    return key if len(key) == SIZE else secrets.token_bytes(SIZE)


def _unusable(path: str, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be used: {error.strerror}", hint="remove it: another is made")
