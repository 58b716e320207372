"""Reads an `env_file`: ``NAME=value`` lines with quotes and ``export``, as python-dotenv understands them."""

from io import StringIO

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from taskrun.errors import UsageError


def read(path: str) -> dict[str, str]:
    """The variables in the file. UsageError if it is not there, or not all of it can be understood."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise UsageError(f"env_file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"env_file {path} is not UTF-8 text") from error
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise UsageError(f"env_file {path}, line {binding.original.line}: expected NAME=value")
    found = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in found.items() if value is not None}
