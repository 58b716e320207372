"""Makes the pictures of docs/pictures/ from the real program, each on a pseudo-terminal of its own.

    python docs/pictures.py              all of them
    python docs/pictures.py rollback     one of them

It needs the extra `test` (pyte). Run ids and times in the pictures are those of the run that was photographed.
"""

import fcntl
import io
import os
import pathlib
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from typing import NamedTuple

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "pictures"
COLUMNS, HEIGHT = 80, 24
PATIENCE = 60.0  # seconds until a program that says nothing is given up
THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
    [(110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255), (86, 212, 221), (255, 255, 255)],
)  # fmt: skip
FRAME = """<svg class="{unique_id}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Picture(NamedTuple):
    """A command typed in the scratch folder. ``when`` is a word at whose sight the picture is taken; without it, at the end."""

    name: str
    title: str
    command: str
    when: str = ""
    before: tuple[str, ...] = ()
    height: int = HEIGHT


HELLO = """\
name: hello
inputs:
  port: {type: integer, default: 8080}
tasks:
  - name: make_dir
    run: mkdir demo
    revert: rmdir demo
  - name: write
    run: echo "port = ${{ inputs.port }}" > demo/app.conf
    revert: rm demo/app.conf
  - name: check
    run: grep -q 8080 demo/app.conf
    revert: none
"""

RELEASE = """\
name: release
description: Build, upload to three mirrors, switch over.
inputs:
  smoke: {type: string, default: "true"}
tasks:
  - name: build
    run: mkdir -p out && sleep 0.6 && echo app-1.4.2 > out/app
    revert: rm -r out
  - name: mirrors
    pattern: unordered
    tasks:
      - {name: north, run: "sleep 0.4; cp out/app north", revert: "sleep 0.5; rm -f north"}
      - {name: south, run: "sleep 1.6; cp out/app south", revert: "sleep 0.5; rm -f south"}
      - {name: west, run: "echo 31 of 60 files; sleep 2.2; cp out/app west", revert: "sleep 0.5; rm -f west"}
  - name: switch
    symlink: {path: current, to: out/app}
  - name: smoke_test
    run: sleep 0.3; test -e current && ${{ inputs.smoke }} || { echo "GET /health -> 503" >&2; exit 1; }
    revert: none
"""

MISTAKES = """\
name: release
inputs:
  version: {type: sting}
tasks:
  - name: build
    run: make ${{ input.version }}
    revrt: make clean
  - name: build
    run: echo '${{ inputs.version }}'
    revert: none
"""

PICTURES = (
    Picture("run", "taskrun run release.yaml", "run release.yaml --jobs 4", when="31 of 60"),
    Picture(
        "rollback", "taskrun run release.yaml -i smoke=false", "run release.yaml --jobs 4 -i smoke=false"
    ),
    Picture("validate", "taskrun validate release.yaml", "validate mistakes.yaml", height=40),
    Picture(
        "plan",
        "taskrun plan release.yaml --fail-at smoke_test",
        "plan release.yaml --fail-at smoke_test",
        height=60,
    ),
    Picture("rehearse", "taskrun rehearse hello.yaml --kill", "rehearse hello.yaml --kill"),
    Picture("runs", "taskrun runs", "runs", before=("run hello.yaml", "revert", "run hello.yaml -i port=80")),
)


def main(names: list[str]) -> None:
    PLACE.mkdir(exist_ok=True)
    for picture in PICTURES:
        if not names or picture.name in names:
            take(picture)


def take(picture: Picture) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("hello.yaml", HELLO), ("release.yaml", RELEASE), ("mistakes.yaml", MISTAKES)):
            pathlib.Path(folder, name).write_text(text)
        for command in picture.before:
            screen(command, folder, HEIGHT)
        lines = screen(picture.command, folder, picture.height, picture.when)
    draw(picture, lines)


def screen(command: str, folder: str, height: int, when: str = "") -> list[Text]:
    """What stands on a terminal of 80 columns when the command is over, or at the sight of ``when``."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(folder)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, COLUMNS, 0, 0))
        env = {
            **os.environ,
            "TASKRUN_HOME": f"{folder}/.home",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        os.execve(sys.executable, [sys.executable, "-m", "taskrun", *command.split()], env)
    page = pyte.Screen(COLUMNS, height)
    stream = pyte.ByteStream(page)
    taken = follow(fd, stream, lambda: bool(when) and any(when in line for line in page.display))
    lines = [styled(page, row) for row in range(height)] if taken else []
    follow(fd, stream, lambda: False)
    os.waitpid(pid, 0)
    os.close(fd)
    if when and not taken:
        raise SystemExit(f"{when!r} never came:\n" + "\n".join(page.display))
    return trimmed(lines or [styled(page, row) for row in range(height)])


def follow(fd: int, stream: pyte.ByteStream, there: Callable[[], bool]) -> bool:
    """Feed the emulator until ``there()``, and a little longer for the frame to be whole; False when the program has ended."""
    end = time.monotonic() + PATIENCE
    seen = 0.0
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                return False
            stream.feed(data)
        if there():
            seen = seen or time.monotonic()
            if time.monotonic() - seen > 0.5:
                return True
    raise SystemExit("the program goes on and on")


def styled(page: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = page.buffer[row][column]
        text.append(
            cell.data,
            Style(color=colour(cell.fg), bold=cell.bold, reverse=cell.reverse, dim=cell.fg == "brightblack"),
        )
    text.rstrip()
    return text


def colour(name: str) -> Color | None:
    if name == "default":
        return None
    if len(name) == 6 and all(c in "0123456789abcdef" for c in name):
        return Color.parse(f"#{name}")
    return Color.parse(
        {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))
    )


def trimmed(lines: list[Text]) -> list[Text]:
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return lines


def draw(picture: Picture, lines: list[Text]) -> None:
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines:
        console.print(line, no_wrap=True, crop=True)
    path = PLACE / f"{picture.name}.svg"
    console.save_svg(
        str(path), title=picture.title, theme=THEME, code_format=FRAME, unique_id=f"taskrun-{picture.name}"
    )
    print(path.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
