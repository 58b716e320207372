"""The other side of the action ``python``: run as a script by the task's interpreter, never imported.

It reads what to do from standard input, leaves the value (or the exception) as JSON in a file, and ends
with 0, with 1 after an exception, or as ``sys.exit`` says. Works on any Python from 3.9 on, and imports
only what it needs: a task in a line of a thousand starts it anew.

With the argument ``warm`` it is a nursery instead, for its own Python only: it forks processes that are at once what the others
become after they have started. See ``taskrun.executors.warm``.
"""

import sys

if __name__ == "__main__" and sys.path and sys.path[0] == __file__.rpartition("/")[0]:
    del sys.path[0]  # the folder of this file: its http.py must not stand before the library's

import io
import json
import os

MYPY = False  # only a type checker sees it otherwise: to import `typing` takes as long as to start
if MYPY:
    from _socket import socket as _Socket  # noqa: N812
    from collections.abc import Callable
    from typing import Any

_MESSAGE_LIMIT = 10_000
_DIE_WITH_PARENT, _KILL = 1, 9  # PR_SET_PDEATHSIG, SIGKILL
_CODE = "<code of the task>"


class NotJSON(Exception):  # noqa: N818 - its name is the failure's type
    """A value that cannot be handed on to other tasks."""


class TooLarge(Exception):  # noqa: N818 - its name is the failure's type
    """A value that is no value but data."""


def main() -> int:
    wanted = json.loads(_read(int(_read(11))))
    _forget(wanted["value"])
    sys.path.insert(0, wanted["folder"])
    _reconfigure()
    try:
        value = _run(wanted["code"], wanted["args"]) if wanted["call"] is None else _call(wanted)
        if value is not None:  # nothing is what is taken for the value where none is left
            _leave(wanted["value"], _encoded(value, wanted["limit"]))
    except SystemExit:
        raise
    except BaseException as error:  # the task's failure, whatever it is
        _leave(wanted["value"], json.dumps({"error": type(error).__name__, "message": _message(error)}))
        _print_traceback(error, wanted["code"])
        return 1
    return 0


def _reconfigure() -> None:
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _read(count: int) -> bytes:
    """Exactly so many bytes: what follows is the standard input of the code that is called."""
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            raise SystemExit("taskrun: the description of the task on standard input is cut short")
        data += chunk
    return data


def _run(code: str, args: "dict[str, object] | None") -> object:
    namespace = {"__name__": "__taskrun__", **(args or {})}
    exec(compile(code, _CODE, "exec"), namespace)  # noqa: S102 - running the author's code is the action
    return namespace.get("result")


def _call(wanted: "dict[str, object]") -> object:
    from importlib import import_module  # noqa: PLC0415 - code does without

    module, _, path = str(wanted["call"]).partition(":")
    function: object = import_module(module)
    for name in path.split("."):
        function = getattr(function, name)
    if not callable(function):
        raise TypeError(f"{wanted['call']} is a {type(function).__name__}, not a function")
    args = wanted["args"]
    if isinstance(args, dict):
        return function(**args)
    return function(*args) if isinstance(args, list) else function()


def _encoded(value: object, limit: int) -> str:
    try:
        text = json.dumps({"value": value}, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJSON(f"the value is a {type(value).__name__} that is not JSON: {error}") from None
    if len(text) > limit:
        raise TooLarge(f"the value is {len(text):,} bytes of JSON; a task can hand on {limit:,}")
    return text


def _leave(path: str, text: str) -> None:
    """All of it or nothing: the process may be killed at any moment."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _forget(path: str) -> None:
    """What an earlier process of the same attempt left is not this one's value."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _message(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception as broken:
        message = f"its message cannot be shown: {type(broken).__name__}"
    return message if len(message) <= _MESSAGE_LIMIT else message[:_MESSAGE_LIMIT] + "…"


def _print_traceback(error: BaseException, code: "str | None") -> None:
    """To the task's log, from the author's first line on."""
    import linecache  # noqa: PLC0415 - only failures print one
    import traceback  # noqa: PLC0415

    if code is not None:
        linecache.cache[_CODE] = (len(code), None, code.splitlines(keepends=True), _CODE)
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace)


def _serve() -> int:
    """Be the nursery, until the supervisor is gone, and this process with it."""
    import _socket  # noqa: PLC0415 - only a nursery
    import array  # noqa: F401, PLC0415 - what all of its children want
    import ctypes  # noqa: PLC0415
    import gc  # noqa: PLC0415
    import importlib  # noqa: F401, PLC0415 - what most of its children want
    import marshal  # noqa: F401, PLC0415
    import select  # noqa: PLC0415
    import struct  # noqa: F401, PLC0415

    supervisor, connection, poll = os.getppid(), _socket.socket(fileno=3), select.poll()
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, _KILL)
    _warm_up()  # what is made at its first use is made once, and not in every child
    gc.collect()
    gc.freeze()
    connection.send(b"r")
    children: dict[int, int] = {}  # by a descriptor that tells of their end
    spare = -1  # a pipe in which the spare says that it is one no more
    while os.getppid() == supervisor:
        if spare < 0:
            spare, tell = os.pipe()
            pid = os.fork()
            if pid == 0:
                for fd in (spare, *children):
                    os.close(fd)
                return _wait_for_work(connection, tell)
            os.close(tell)
            end = os.pidfd_open(pid)  # type: ignore[attr-defined,unused-ignore]
            children[end] = pid
            poll.register(spare, select.POLLIN)
            poll.register(end, select.POLLIN)
        for fd, _ in poll.poll():
            poll.unregister(fd)
            os.close(fd)
            if fd == spare:
                spare = -1
            else:
                _tell_end(connection, children.pop(fd))
    return 0


def _tell_end(connection: "_Socket", pid: int) -> None:
    """Only when it is told the child is reaped: if this process is killed before, the supervisor inherits it."""
    import struct  # noqa: PLC0415 - as above

    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    is_exit = ended.si_code == os.CLD_EXITED
    connection.send(struct.pack("ii", pid, ended.si_status << 8 if is_exit else ended.si_status))
    os.waitpid(pid, 0)


def _wait_for_work(connection: "_Socket", tell: int) -> int:
    """Be the spare, and then the process of an attempt: of what it is to do nothing is done before it may begin."""
    import array  # noqa: PLC0415 - as above
    import struct  # noqa: PLC0415

    _warm_up()
    data, ancillary, _, _ = connection.recvmsg(1 << 18, 64)
    if not data or not ancillary:
        os._exit(1)  # there is no supervisor any more
    os.close(tell)
    connection.close()
    os.setsid()
    *fds, link = array.array("i", ancillary[0][2])
    os.write(link, struct.pack("i", os.getpid()))
    _become(data, fds)  # while the supervisor writes down who this is
    if os.read(link, 1) != b"g":
        os._exit(1)
    os.close(link)
    _leave_with(main)
    return 0


def _warm_up() -> None:
    """Touch what every task touches: after a fork the first touch of anything takes a while."""
    import marshal  # noqa: PLC0415 - as above

    environment, _ = marshal.loads(marshal.dumps((dict(os.environ), "")))  # noqa: S302 - made right here
    _put_on({**environment, "TASKRUN_TASK": "x"})
    wanted = json.loads(json.dumps({"code": "result = [1]", "args": {"a": 1}}))
    _encoded(_run(wanted["code"], wanted["args"]), 100)
    _reconfigure()


def _become(data: bytes, fds: "list[int]") -> None:
    """Put on the environment, the place and the descriptors of an attempt."""
    import marshal  # noqa: PLC0415 - as above

    environment, cwd, argv = marshal.loads(data)  # noqa: S302 - from the supervisor, over a private socket
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    _put_on(environment)
    sys.stdin = sys.__stdin__ = _stream(0, "r", sys.stdin)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _stream(1, "w", sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _stream(2, "w", sys.stderr)  # type: ignore[misc]
    sys.argv[:] = argv[1:]
    os.chdir(cwd)


def _stream(fd: int, mode: str, like: "Any") -> "Any":
    """A standard stream as the interpreter makes it, which has asked what is behind the descriptor."""
    raw = io.FileIO(fd, mode, closefd=False)
    raw.name = like.name
    buffer = like.buffer
    binary: Any
    if isinstance(buffer, io.FileIO):  # PYTHONUNBUFFERED
        binary = raw
    else:
        binary = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        binary,
        encoding=like.encoding,
        errors=like.errors,
        newline="\n" if mode == "w" else None,
        line_buffering=like.line_buffering,
        write_through=like.write_through,
    )


def _put_on(environment: "dict[str, str]") -> None:
    here = dict(os.environ)  # to ask it name by name takes three times as long
    for name in here:
        if name not in environment:
            del os.environ[name]
    for name, value in environment.items():
        if here.get(name) != value:
            os.environ[name] = value


def _leave_with(code_of: "Callable[[], int]") -> None:
    """End as a Python ends, but for taking all its objects apart, which takes longer than most tasks."""
    try:
        code: object = code_of()
    except SystemExit as leaving:
        code = leaving.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()  # noqa: SLF001 - what the interpreter itself calls at its end
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()  # noqa: SLF001 - likewise
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120  # as Python does
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    sys.exit(_serve() if sys.argv[1:] == ["warm"] else main())
