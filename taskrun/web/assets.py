"""The page's own files, read once from the installed package: a request chooses among them by name."""

from importlib.resources import files
from typing import NamedTuple

from starlette.responses import Response

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Asset(NamedTuple):
    body: bytes
    media_type: str

    def response(self) -> Response:
        return Response(self.body, media_type=self.media_type)


def load() -> dict[str, Asset]:
    found = {}
    for file in files("taskrun.web").joinpath("static").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            found[file.name] = Asset(file.read_bytes(), kind)
    return found
