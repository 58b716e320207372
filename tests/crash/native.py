"""The two C programs of these tests, compiled when they are first needed: `faults.c` and `effect.c`."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
COMPILE = ("-O1", "-Wall", "-Wextra", "-Werror")


class NoCompiler(Exception):
    """Crash points cannot be tried without a C compiler."""


def compiler() -> str:
    found = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("cc")
    if found is None:
        raise NoCompiler("no C compiler (gcc or cc) to build the library that kills at a chosen system call")
    return found


def built() -> tuple[str, str]:
    """Paths of the library and of the program, built once for each version of their sources."""
    sources = [HERE / "faults.c", HERE / "effect.c"]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"taskrun-crash-{os.getuid()}-{digest}"
    library, effect = place / "faults.so", place / "effect"
    if not (library.exists() and effect.exists()):
        place.mkdir(mode=0o700, exist_ok=True)
        compile_to(sources[0], library, "-shared", "-fPIC", "-ldl", "-lpthread")
        compile_to(sources[1], effect)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return str(library), str(effect)


def compile_to(source: Path, target: Path, *options: str) -> None:
    """Into a name of its own first: several test processes may be at it at the same time."""
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    subprocess.run([compiler(), *COMPILE, "-o", str(fresh), str(source), *options], check=True)
    fresh.rename(target)
