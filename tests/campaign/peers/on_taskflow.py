"""The linear scene on TaskFlow with SQLite persistence: started, or gone on with if its logbook has it already."""

import contextlib
import os
import subprocess
import sys

from taskflow import engines, task
from taskflow.patterns import linear_flow
from taskflow.persistence import backends, models

EFFECT, FAIL = os.environ["CRASH_EFFECT"], os.environ["CRASH_FAIL"]


def call(verb: str, name: str, *more: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_PRELOAD", "TASKRUN_"))}
    subprocess.run([EFFECT, verb, name, *more], check=True, env=env)


class Effect(task.Task):
    def __init__(self, name: str, more: tuple[str, ...] = ()) -> None:
        super().__init__(name=name)
        self._more = more

    def execute(self) -> None:
        call("do", self.name, *self._more)

    def revert(self, *_: object, **__: object) -> None:
        call("undo", self.name)


def make_flow() -> linear_flow.Flow:
    last = Effect("c", ("fail=9",) if FAIL == "yes" else ())
    return linear_flow.Flow("linear").add(Effect("a"), Effect("b"), last)


def main() -> int:
    backend = backends.fetch({"connection": f"sqlite:///{sys.argv[1]}/taskflow.db"})
    with contextlib.closing(backend.get_connection()) as connection:
        connection.upgrade()
        details = [detail for book in connection.get_logbooks() for detail in book]
        details = [detail for detail in details if "factory" in (detail.meta or {})]
        if details:
            engine = engines.load_from_detail(details[0], backend=backend)
        else:
            book = models.LogBook("book")
            connection.save_logbook(book)
            engine = engines.load_from_factory(make_flow, book=book, backend=backend)
    try:
        engine.run()
    except Exception as error:
        print(f"failed: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
