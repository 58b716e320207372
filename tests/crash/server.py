"""Tries crash points: everything is imported once, and each command of a point runs in a fork of that.

Started with the library of `faults.c` preloaded. Lines in: points. Lines out: what became of each, as JSON.
"""

import ctypes
import faulthandler
import gc
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.cli.main import main
from taskrun.cli.workflows import load_definition
from taskrun.executors import linux
from taskrun.executors.warm import WORD
from taskrun.journal.sqlite import SqliteJournal
from tests.crash.page import NEVER, Fault, Page, arm
from tests.crash.points import Point
from tests.crash.scenes import SCENES, Scene
from tests.crash.world import Oracle

PATIENCE = 30.0  # a machine that is busy is slow, not stuck
_SUBREAPER = 36


class Stop(Exception):
    """The point cannot go on; the text is a violation."""


class Server:
    """`base` is a directory of its own, on a file system in memory if there is one."""

    def __init__(self, library: str, effect: str, base: str) -> None:
        self.library = library
        self.effect = effect
        self.base = base
        self._number = 0
        self._templates: dict[str, str] = {}
        self._service: subprocess.Popen[str] | None = None
        self._port = ""

    def file_of(self, scene: Scene) -> str:
        path = f"{self.base}/{scene.name}.yaml"
        if not os.path.exists(path):
            with open(path, "w") as file:
                text = scene.text.replace("EFFECT", self.effect)
                file.write(text.replace("PORT", self._service_port()) if "PORT" in text else text)
        return path

    def _service_port(self) -> str:
        if self._service is None:
            self._service = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.service"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._service.stdout is not None
            self._port = self._service.stdout.readline().strip()
        return self._port

    def close(self) -> None:
        if self._service is not None:
            self._service.communicate()

    def template(self, scene: Scene) -> str:
        """A state directory with an empty journal and the compiled scene; or with its finished run, if that is to be
        killed while it is undone.
        """
        if scene.name not in self._templates:
            place = self._templates[scene.name] = f"{self.base}/template-{scene.name}"
            os.makedirs(f"{place}/world")
            write_files(f"{place}/world", scene.before)
            attempt = Attempt(self, scene, place)
            first = ["run", self.file_of(scene), *attempt.jobs] if scene.begun != "run" else None
            if not scene.cold:
                code = attempt.command(
                    first or [self.file_of(scene)], NEVER, call=main if first else _prepare
                )
                assert code == 0, attempt.said()
                self._wait_for_orphans()
        return self._templates[scene.name]

    def counted(self, scene: Scene) -> dict[str, list[int]]:
        """The calls that each role makes when nothing is killed, by kind."""
        found: dict[str, list[int]] = {}
        for role in ("taskrun", "task"):
            attempt = self._attempt(scene)
            attempt.command(attempt.first(), Fault(role, 0))
            assert attempt.page is not None
            for each in ("taskrun", "supervisor", "any") if role == "taskrun" else ("task",):
                found[each] = attempt.page.kinds(each)
            self._wait_for_orphans()
            attempt.clean()
        return found

    def _wait_for_orphans(self) -> None:
        """A supervisor that outlives its taskrun may still write where the next point copies from."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            mine = {self._service.pid} if self._service is not None else set()
            left = [child for child in children_of() if child not in mine and not _reaped(child)]
            if not left:
                return
            time.sleep(0.001)
        raise Stop(f"alive after the end: {[name_of(child) for child in left]}")

    def try_point(self, point: Point) -> dict[str, Any]:
        started = time.monotonic()
        attempt = self._attempt(SCENES[point.scene])
        faults = attempt.run_point(point)
        took = time.monotonic() - started
        report = {
            "point": str(point),
            "fired": attempt.fired,
            "codes": attempt.codes,
            "faults": faults,
            "took": round(took, 4),
        }
        if not faults:
            faults += attempt.cleaned()
        if faults:
            report["place"] = attempt.place
        return report

    def _attempt(self, scene: Scene) -> "Attempt":
        template = self.template(scene)
        self._number += 1
        place = f"{self.base}/p{os.getpid()}-{self._number}"
        shutil.copytree(template, place, copy_function=_copy)
        return Attempt(self, scene, place)


class Attempt:
    """One point under way, in a directory of its own."""

    def __init__(self, server: Server, scene: Scene, place: str) -> None:
        self.server = server
        self.scene = scene
        self.place = place
        self.fired: list[str] = []
        self.codes: list[int] = []
        self.page: Page | None = None
        self.boot = ""
        self.jobs = ["--jobs", str(scene.jobs)]

    # ------------------------------------------------------------------ commands

    def first(self) -> list[str]:
        if self.scene.begun == "run":
            return ["run", self.server.file_of(self.scene), *self.jobs, "-o", "plain"]
        return [self.scene.begun, "latest", *self.jobs, "-o", "plain"]

    def command(self, arguments: list[str], fault: Fault, *, call: Callable[[list[str]], int] = main) -> int:
        """Run one command of taskrun in a fork; its exit code, negative for a signal."""
        # A file of its own each time: a supervisor that outlives its taskrun still looks at the one it was given.
        self.page = Page(f"{self.place}/page.{len(self.codes)}", fault, self.boot)
        output = f"{self.place}/said.{len(self.codes)}"
        pid = os.fork()
        if pid == 0:
            self._be_taskrun(arguments, fault, output, call)
        code = self._wait(pid, arguments)
        if self.page.fired:
            self.fired.append(f"{fault.role} {self.page.fired}")
        self.page.disarm()
        self.codes.append(code)
        return code

    def _be_taskrun(
        self, arguments: list[str], fault: Fault, output: str, call: Callable[[list[str]], int]
    ) -> None:
        code = 99
        try:
            fd = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(fd, 1)
            os.dup2(fd, 2)
            faulthandler.enable(fd)
            os.environ["TASKRUN_HOME"] = f"{self.place}/home"
            os.environ["CRASH_WORLD"] = f"{self.place}/world"
            assert self.page is not None
            if fault.role == "task":
                os.environ["LD_PRELOAD"] = self.server.library
                os.environ["TASKRUN_FAULTS_PAGE"] = self.page.path
            arm(self.server.library, self.page)
            code = call(arguments)
            sys.stdout.flush()
        finally:
            os._exit(code)

    def _wait(self, pid: int, arguments: list[str]) -> int:
        fd = os.pidfd_open(pid)
        try:
            if not select.select([fd], [], [], PATIENCE)[0]:
                os.kill(pid, signal.SIGABRT)  # its stack goes into what it said
                os.waitpid(pid, 0)
                raise Stop(f"`{arguments[0]}` does not end")
        finally:
            os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def said(self, number: int = -1) -> str:
        number = number if number >= 0 else len(self.codes) - 1
        with open(f"{self.place}/said.{number}", errors="replace") as file:
            return file.read()

    # ------------------------------------------------------------------ a point

    def run_point(self, point: Point) -> list[str]:
        """Kill, take over, look: in a process of its own that inherits every orphan. What is wrong."""
        ends = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.close(ends[0])
            try:
                faults = self._guarded(point)
                answer = json.dumps([faults, self.fired, self.codes]).encode()
                while answer:
                    answer = answer[os.write(ends[1], answer) :]
            finally:
                os._exit(0)
        os.close(ends[1])
        with os.fdopen(ends[0], "rb") as pipe:
            answer = pipe.read()
        os.waitpid(pid, 0)
        faults, self.fired, self.codes = json.loads(answer) if answer else (["the test itself died"], [], [])
        return faults

    def _guarded(self, point: Point) -> list[str]:
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        faults = self._judged(point)
        try:
            _end_children()
        except Stop as stop:
            faults.append(str(stop))
        return faults

    def _judged(self, point: Point) -> list[str]:
        try:
            return self._go_through(point)
        except Stop as stop:
            return [str(stop)]
        except BaseException as error:
            import traceback

            return [f"the test itself failed: {error!r}", traceback.format_exc()]

    def _go_through(self, point: Point) -> list[str]:
        code = self.command(self.first(), point.faults[0])
        self._check_code(code, point.faults[0])
        if point.cut < 1:
            self._cut_power(point.cut)
        for fault in point.faults[1:]:
            code = self.command([point.last, "latest", *self.jobs, "-o", "plain"], fault)
            self._check_code(code, fault)
        return self._settle(point)

    def _settle(self, point: Point) -> list[str]:
        """Take over for the last time, and again: nothing may change any more."""
        fragile = any(f.victim in ("supervisor", "everything") or (f.victim == "itself" and f.role != "taskrun")
                      for f in point.faults)  # fmt: skip
        troubled = any(fault.mode != "kill" for fault in point.faults)
        command = point.last
        code = self._take_over(command)
        if (
            code == 3 and troubled
        ):  # a look after the rollback that could not be started: it is asked for again
            command = "revert"
            code = self._take_over(command)
        for _ in range(4):
            if code != 3 or not self.scene.asks:
                break
            self._decide()
            code = self._take_over("resume")
        self._expect_quiet()
        oracle = Oracle(self.scene, f"{self.place}/world", fragile=fragile, troubled=troubled)
        if code == 4:
            return ["no such run, but something was begun"] if any(oracle.begins.values()) else []
        faults = oracle.check(code, command)
        if code == 3 and self.scene.stuck:
            faults += self._check_left(oracle)
        if code in (0, 1) and "before it began" not in self.said():
            faults += self._check_again(1 if command == "revert" else code)
        return faults

    def _take_over(self, command: str) -> int:
        code = self.command([command, "latest", *self.jobs, "-o", "ndjson"], NEVER)
        deadline = time.monotonic() + PATIENCE
        while code == 5 and time.monotonic() < deadline:
            time.sleep(0.01)  # a supervisor that was only just forked may still hold what it inherited
            code = self.command([command, "latest", *self.jobs, "-o", "ndjson"], NEVER)
        return code

    def _check_code(self, code: int, fault: Fault) -> None:
        """Whatever happens to a command, it is not a bug that it ends with; where storage fails it says so."""
        said = self.said()
        expected = {0, 1, 3, 4, 5, -signal.SIGKILL}
        if fault.mode != "kill":
            expected = {0, 1, 2, 3}
            if code == 2 and os.path.exists(f"{self.place}/world/log"):
                raise Stop(f"it ended with 2, which says that nothing ran: {said[-2000:]}")
        if code not in expected or "Traceback" in said:
            raise Stop(f"command {len(self.codes)} ended with {code}: {said[-2000:]}")

    def _cut_power(self, share: float) -> None:
        """Another boot; of the log of attempts, which is never synced, only the beginning is there."""
        _end_children()
        self.boot = "00000000-0000-0000-0000-00000000000b\n"
        runs = f"{self.place}/home/runs"
        for run in os.listdir(runs) if os.path.exists(runs) else ():
            log = f"{runs}/{run}/attempts.log"
            if os.path.exists(log):
                os.truncate(log, int(os.path.getsize(log) * share))

    def _summary(self) -> dict[str, Any]:
        """The last line of the last command's events."""
        for line in reversed(self.said().splitlines()):
            if line.startswith('{"kind":"summary"'):
                found: dict[str, Any] = json.loads(line)
                return found
        raise Stop(f"it ended with {self.codes[-1]} and no summary: {self.said()[-2000:]}")

    def _check_left(self, oracle: Oracle) -> list[str]:
        summary = self._summary()
        return oracle.check_left(summary["applied"], summary["unknown"])

    def _decide(self) -> None:
        """Be the person who is asked: look at the world, tidy up where something is half done, and say so."""
        unknown = self._summary()["unknown"]
        if not unknown:
            raise Stop(f"it ended with 3, and nothing is unknown: {self.said()[-2000:]}")
        for name in unknown:
            oracle = Oracle(self.scene, f"{self.place}/world", fragile=True)
            verdict = "--done" if oracle._there[name] == "ended" else "--not-done"
            if verdict == "--not-done":
                with open(f"{self.place}/world/log", "a") as log:
                    log.write(
                        "\n"
                        + "\n".join(f"{verb} {name} person 0 0 0 ." for verb in ("undo-begin", "undo-end"))
                        + "\n"
                    )
                made = f"{self.place}/world/made.{name}"
                if os.path.exists(made):
                    os.unlink(made)
            code = self.command(["resolve", "latest", name, verdict], NEVER)
            if code != 0:
                raise Stop(f"resolve {name} {verdict} ended with {code}: {self.said()}")

    def _check_again(self, code: int) -> list[str]:
        before = _rows(f"{self.place}/home/journal.db")
        again = self.command(["resume", "latest", "-o", "plain"], NEVER)
        faults = [] if again == code else [f"resumed once more it ended with {again} instead of {code}"]
        if _rows(f"{self.place}/home/journal.db") != before:
            faults.append("resuming a run that had ended changed the journal")
        return faults

    def _expect_quiet(self) -> None:
        """The command has ended: no task is alive, and a supervisor is at most on its way out."""
        give_up = time.monotonic() + PATIENCE
        while not _reap():
            children = children_of()
            for child in children:
                below = attempts_below(child)
                if below and name_of(child) == "taskrun-keeper":
                    raise Stop(f"alive after the end: {[name_of(each) for each in below]}")
            if time.monotonic() > give_up:
                raise Stop(f"alive after the end: {[name_of(child) for child in children]}")
            time.sleep(0.001)

    def clean(self) -> None:
        shutil.rmtree(self.place)

    def cleaned(self) -> list[str]:
        """Nobody may be at work there any more, so nothing may come into being while it is removed."""
        try:
            self.clean()
        except OSError as error:
            return [f"while its files were removed: {error}; there are {_users_of(self.place)}"]
        return []


def _prepare(arguments: list[str]) -> int:
    """Everything a first run leaves behind for the next, but no run."""
    load_definition(arguments[0], quiet=True)
    SqliteJournal.open(os.environ["TASKRUN_HOME"]).close()
    return 0


def write_files(world: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        with open(f"{world}/{name}", "w") as file:
            file.write(text)


def _copy(source: str, target: str) -> None:
    """The space that the journal keeps in reserve is never written to, so it need not be copied."""
    if source.endswith("/reserve"):
        os.link(source, target)
    else:
        shutil.copy(source, target)


def _rows(path: str) -> dict[str, list[Any]]:
    """All the journal holds."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    finally:
        db.close()


def children_of(pid: int = 0) -> list[int]:
    pid = pid or os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def attempts_below(supervisor: int) -> list[int]:
    """Those of its children that live and are no nursery, and what a nursery's have become: attempts, in sessions of their own.

    Whoever has no command line is on its way from fork to exec, or out: it is known when looked at again.
    """
    found = []
    for child in alive_below(supervisor):
        command = linux.read_bytes(f"/proc/{child.pid}/cmdline")
        if command.endswith(f"\0{WORD}\0".encode()):
            found += [each.pid for each in alive_below(child.pid) if each.session != child.pid]
        elif command:
            found.append(child.pid)
    return found


def alive_below(pid: int) -> list[linux.Process]:
    children = (linux.process(child) for child in children_of(pid))
    return [child for child in children if child is not None and not child.is_gone]


def name_of(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _users_of(place: str) -> list[str]:
    """The processes that were given this place in their environment."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if place.encode() in file.read():
                    found.append(f"{pid} {name_of(int(pid))}")
        except OSError:
            continue
    return found


def _reaped(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _reap() -> bool:
    """Reap the dead; is there no child left at all? The list in /proc may miss one that has just come in."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _end_children() -> None:
    """Nothing of one point may live on into the next."""
    give_up = time.monotonic() + PATIENCE
    while not _reap():
        for child in children_of():
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > give_up:
            raise Stop(f"cannot be ended: {[name_of(child) for child in children_of()]}")
        time.sleep(0.0005)


def warm() -> None:
    """Import whatever a command may import, so that the forks need not."""
    import importlib

    for name in (
        "taskrun.cli.run taskrun.cli.resume taskrun.cli.revert taskrun.cli.resolve taskrun.cli.workflows"
        " taskrun.spec.compiler taskrun.spec.inputs taskrun.executors.supervisor taskrun.executors.recovery"
        " taskrun.actions.run taskrun.actions.exec_ taskrun.actions.echo taskrun.actions.sleep taskrun.actions.assert_"
        " taskrun.spec.schema taskrun.journal.sqlite encodings.idna difflib hashlib"
    ).split():
        importlib.import_module(name)


def serve(library: str, effect: str, base: str) -> None:
    os.environ.pop("LD_PRELOAD", None)  # what is not told so is not to be preloaded
    server = Server(library, effect, base)
    warm()
    gc.freeze()
    answers: dict[str, Callable[[str], Any]] = {
        "count": lambda scene: server.counted(SCENES[scene]),
        "try": lambda point: server.try_point(Point.parse(point)),
    }
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        print(json.dumps(answers[verb](rest)), flush=True)
    server.close()


if __name__ == "__main__":
    serve(*sys.argv[1:4])
