"""The folders that examples on files work in."""

import pathlib

FILES = {
    "release_switch": {
        "build/app": "#!/bin/sh\necho 1.3.0\n",
        "build/lib/core": "code",
        "releases/1.2.0/app": "#!/bin/sh\necho 1.2.0\n",
        "cache/pages/1": "cached",
    },
    "service_config": {
        "server.ini": "; the server\n[server]\nport = 8080  ; nobody else's\nhost = 0.0.0.0\n\n[log]\nlevel = info\n",
        "proxy.yaml": "# the proxy\nupstream:\n  - host: 127.0.0.1\n    port: 8080   # that of the server\nretries: 3\n",
        "client.json": '{\n    "server": {"url": "http://127.0.0.1:8080/", "timeout": 5}\n}\n',
        "service.env": "# for the start script\nPORT=8080\nexport MODE='quiet please'\n",
        "hosts": "127.0.0.1 localhost\n",
        "state/applied.log": "port 8080\n",
        "state/stale": "",
    },
    "scaffold": {"PROJECTS": "first"},
}


def build(name: str, folder: pathlib.Path) -> None:
    """Fill ``folder`` with what the example finds there."""
    for path, text in FILES[name].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if name == "release_switch":
        (folder / "build/app").chmod(0o755)
        (folder / "current").symlink_to("releases/1.2.0")
