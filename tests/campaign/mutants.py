"""Breaks the machine by hand, in one place at a time, and checks that it is noticed.

    python -m tests.campaign.mutants [--only WORD] [--schedules 4000]

Each mutant is a source replacement. It is caught by a short simulation, by the tests of the engine, or it survives: then a
test is missing. The first part are bugs the machine has had; the seeds that caught them are in `tests/sim/test_regressions.py`.
Exit code 1 when one survives.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]

SIMULATE = """
import sys
from tests.sim.schedules import play
for seed in range(int(sys.argv[1])):
    try:
        play(seed)
    except Exception as error:
        print(seed, str(error).splitlines()[0][:90])
        sys.exit(1)
"""


class Mutant(NamedTuple):
    """``old`` must occur once in ``file`` (a module of the engine)."""

    name: str
    file: str
    old: str
    new: str


HAD = (
    Mutant(
        "a rollback keeps what a smaller one had reached",
        "backward",
        "        if self.reached:\n",
        "        if lo < 0:\n",
    ),
    Mutant(
        "what had waited for room and needs none any more keeps the next one waiting",
        "forward",
        "                if section in self._held:\n                    self._let_go()",
        "                if section < 0:\n                    self._let_go()",
    ),
    Mutant(
        "a restored machine forgets the outcomes that wait for a place",
        "asking",
        "        if state == UNKNOWN and core.goes_forward(node):\n            core.forward.push(node)\n",
        "        if state == UNKNOWN:\n            pass\n",
    ),
    Mutant(
        "a restored machine forgets the undos that wait for a place",
        "asking",
        "        elif state == REVERT_FAILURE and not self._record.is_given_up(node):\n            core.backward.push(node)\n",
        "",
    ),
    Mutant(
        "a machine that goes on in another flow waits for what has had its time",
        "machine",
        "machine._core.at = max(machine.record.at, at)",
        "machine._core.at = machine.record.at",
    ),
    Mutant(
        "others start between the failure of a flow and its next round",
        "machine",
        " or self._core.falls != falls:",
        ":",
    ),
    Mutant(
        "a flow that comes down waits for ever for what only a person knows",
        "rerunning",
        "(unknown := core.backward.first_unknown(lo, hi)) is not None",
        "(unknown := core.backward.first_unknown(lo, lo)) is not None",
    ),
    Mutant(
        "a restored machine lets a probe hold up the undo that asked it",
        "record",
        "                    self.undo_probes[node] = None\n",
        "                    pass\n",
    ),
    Mutant(
        "a wait between two tries of an undo is dropped with its flow",
        "inflight",
        "            if states[node] != REVERTING:\n                self.end_wait(node)",
        "            self.end_wait(node)",
    ),
    Mutant(
        "an undo between two tries is taken for one under way",
        "backward",
        "return HOLD if node in self._inflight.busy or node in self._inflight.waiting else UNDO",
        "return HOLD",
    ),
    Mutant(
        "a restored machine takes an undo between two tries for one under way",
        "asking",
        "        if node in self._record.due:\n",
        "        if node in self._record.due and state != REVERTING:\n",
    ),
    Mutant(
        "an attempt that never began hides what an earlier one left",
        "record",
        '        if data.get("started") is not False:\n            self.inert[node] = 0\n',
        '        self.inert[node] = data.get("started") is False\n',
    ),
    Mutant(
        "a check that finds our own work disowns it",
        "record",
        '            if not (data and data.get("already")):\n                self.inert[node] = 0\n',
        '            self.inert[node] = bool(data and data.get("already"))\n',
    ),
    Mutant(
        "what a person undid by hand is not done again",
        "unknown",
        "        elif state == REVERTED:\n            self._core.start_over(node)\n",
        "        elif state == REVERTED:\n            pass\n",
    ),
    Mutant(
        "outcomes left open are all settled at once when the run goes on",
        "unknown",
        "        is_stopped = not self._core.goes_forward(node)\n        if is_stopped and",
        "        is_stopped = not self._core.goes_forward(node)\n        if not is_stopped:\n            self.start(node)\n        elif",
    ),
    Mutant(
        "a failed undo of a lost attempt is forgotten over a suspension",
        "record",
        "            self.doomed = self.doomed or self.phase == FORWARD\n",
        "",
    ),
    Mutant(
        "a list without values lets its flow run",
        "doing",
        "        elif attempts_of(self._record, node) < 1:\n            self._fail_controller(node, _NOTHING_TO_TRY)\n",
        "",
    ),
    Mutant(
        "an empty list that was evaluated lets its flow run",
        "doing",
        "failure = event.failure if event.size or event.failure else _NOTHING_TO_TRY",
        "failure = event.failure",
    ),
    Mutant(
        "a decided condition is forgotten in a crash",
        "doing",
        '            self._core.note("log", node, 0, {"condition": event.holds})\n',
        "            self._record.decided[node] = event.holds\n",
    ),
    Mutant(
        "an answer to an earlier question is taken for this one's",
        "inflight",
        "        return asked is None or asked == numbers[node]",
        "        return True",
    ),
    Mutant(
        "a skip ignores what stands earlier in the file before the task itself",
        "doing",
        "for each in (*inside, *reached):",
        "for each in sorted((*inside, *reached)):",
    ),
    Mutant(
        "a tolerated task that was undone is not done again from a savepoint",
        "asking",
        "        if state == REVERTED or untouched:",
        "        if (state == REVERTED and not self._flow.tolerated[node]) or untouched:",
    ),
    Mutant(
        "what was ignored after a savepoint stays ignored",
        "asking",
        "untouched = state in (SUCCESS, FAILURE, IGNORE)",
        "untouched = state in (SUCCESS, FAILURE)",
    ),
    Mutant(
        "what was found done after a savepoint stays done",
        "asking",
        "untouched = state in (SUCCESS, FAILURE, IGNORE)",
        "untouched = state in (FAILURE, IGNORE)",
    ),
    Mutant(
        "a stopped task whose condition failed is run without one",
        "asking",
        "            if record.inert[node]:\n",
        "            if record.inert[node] and node < 0:\n",
    ),
    Mutant(
        "a stopped run does not undo again what it stopped for",
        "unknown",
        "            elif self._record.is_given_up(node):\n",
        "            elif node < 0:\n",
    ),
    Mutant(
        "a revert of a run under way forgets its savepoint",
        "asking",
        '{"failure": _ASKED_FOR, "order": order, "floor": floor}',
        '{"failure": _ASKED_FOR, "order": order}',
    ),
    Mutant(
        "a revert of a run under way only stops it where a failure would",
        "asking",
        '{"failure": _ASKED_FOR, "order": order, "floor": floor}',
        '{"failure": _ASKED_FOR, "floor": floor}',
    ),
    Mutant(
        "a savepoint that was not reached means the beginning",
        "asking",
        "if self._record.state[savepoint] != SUCCESS:",
        "if self._record.state[savepoint] is None:",
    ),
    Mutant(
        "a controller runs a pivot again",
        "scopes",
        "return RUN if is_past_pivot(record, begin, end) else section",
        "return section",
    ),
    Mutant(
        "a pivot that succeeds while its flow drains is undone",
        "rerunning",
        "if is_past_pivot(self._record, lo, hi):",
        "if hi < 0:",
    ),
    Mutant(
        "a crash in a rollback tries failed undos again",
        "record",
        "            if old == SUSPENDED or (old == FAILURE and self.phase == ROLLING):\n                self._try",
        "            if old:\n                self._try",
    ),
    Mutant(
        "a flow that is undone without a command runs again after others have started",
        "machine",
        "            if backward.reached or",
        "            if",
    ),
    Mutant(
        "an undone flow runs again in a run that is being suspended",
        "rerunning",
        "if not core.backward.reached or self._record.run != RUNNING:",
        "if not core.backward.reached:",
    ),
    Mutant(
        "a wait holds up a suspension",
        "core",
        '        self.move_flow(SUSPENDING, {"reason": reason} if reason else None)\n        self.inflight.drop_waits()\n',
        '        self.move_flow(SUSPENDING, {"reason": reason} if reason else None)\n',
    ),
    Mutant(
        "a failing run cannot be suspended",
        "asking",
        "        if run in (RUNNING, REVERTING) or (run == FAILURE and phase == FAILED):",
        "        if run in (RUNNING, REVERTING):",
    ),
    Mutant(
        "an undo that fails during a suspension is given up",
        "undoing",
        "        if event.final or tries >= retry.attempts:",
        "        if event.final or tries >= retry.attempts or self._record.run not in (RUNNING, REVERTING):",
    ),
    Mutant(
        "a person may decide while the probe is being asked",
        "unknown",
        "        if node in self._core.inflight.busy:\n            raise",
        "        if node < 0:\n            raise",
    ),
    Mutant(
        "an irreversible task is undone again and again",
        "backward",
        "        if not record.is_applied(node) or record.is_given_up(node):",
        "        if not record.is_applied(node) or node in record.stuck:",
    ),
    Mutant(
        "a fan-out in a flow that is skipped is asked for its list",
        "doing",
        "(self._flow.conditional[node] or self._flow.expands[node])",
        "self._flow.conditional[node]",
    ),
    Mutant(
        "a failure brings down another flow when a fan-out has grown",
        "doing",
        "        return RUN if scope == RUN else up",
        "        return RUN if scope == RUN else scope",
    ),
    Mutant(
        "thousands of waits are looked through for each failure",
        "inflight",
        "        if hi - lo < len(self.waiting):",
        "        if hi < lo:",
    ),
    Mutant(
        "what a skip has reached already is walked again",
        "forward",
        "                if after != limit and walked.get(after, -1) < limit:",
        "                if after != limit and after not in found:",
    ),
)

NEVER_HAD = (
    Mutant(
        "a late result is believed",
        "inflight",
        "        return numbers[node] == attempt",
        "        return True",
    ),
    Mutant(
        "a result of what is not under way is believed",
        "inflight",
        "        if self.busy.get(node) != what:\n            return False\n        numbers = self._record.undos",
        "        numbers = self._record.undos",
    ),
    Mutant(
        "one job too many",
        "machine",
        "while len(inflight.busy) < inflight.jobs and",
        "while len(inflight.busy) <= inflight.jobs and",
    ),
    Mutant(
        "a serial run gives a task's place away between two attempts",
        "inflight",
        "        if self.jobs == 1 and self._record.flow.kinds[node] == TASK:",
        "        if self.jobs < 1:",
    ),
    Mutant(
        "the rollback does not wait for what still runs",
        "machine",
        "        if not core.inflight.is_drained(0, len(self.flow)):\n            return False\n",
        "",
    ),
    Mutant(
        "a flow is undone while something in it still runs",
        "rerunning",
        "            if not core.inflight.is_drained(lo, hi, but=self._record.undo_probes):\n                continue\n",
        "",
    ),
    Mutant(
        "a probe in flight does not hold up the rollback",
        "inflight",
        "_FORWARD_WORK = frozenset({DOING, PROBING, DECIDING, LISTING})",
        "_FORWARD_WORK = frozenset({DOING, DECIDING, LISTING})",
    ),
    Mutant(
        "the earliest start is undone first",
        "backward",
        "heapq.heappush(self._ready, (-self._record.order[node], node))",
        "heapq.heappush(self._ready, (self._record.order[node], node))",
    ),
    Mutant(
        "an undo does not wait for those that depend on its task",
        "backward",
        "                if remaining[before]:\n                    continue\n",
        "",
    ),
    Mutant(
        "a failed undo does not hold what it depended on",
        "backward",
        "        return node in record.stuck and not record.is_given_up(node)",
        "        return False",
    ),
    Mutant(
        "an irreversible task holds what it depended on",
        "undoing",
        "        elif self._flow.undo[node] == UNDO_IMPOSSIBLE:\n            self._core.clear(node)",
        "        elif node < 0:\n            self._core.clear(node)",
    ),
    Mutant(
        "an ignored task hides a dependency from the rollback",
        "backward",
        "                if verdict == PASS:\n                    stack.append(before)\n",
        "                if verdict == PASS and self._record.order[before] == 0:\n                    stack.append(before)\n",
    ),
    Mutant(
        "a rollback with a residue is called complete",
        "machine",
        "        elif self.record.residue():\n            core.move_flow(FAILURE)\n",
        "",
    ),
    Mutant(
        "an undo that succeeds does not free the next",
        "undoing",
        "            self._core.start_over(node)\n        else:\n            self._core.clear(node)",
        "            self._core.start_over(node)",
    ),
    Mutant(
        "an undo is tried once too often",
        "undoing",
        "event.final or tries >= retry.attempts",
        "event.final or tries > retry.attempts",
    ),
    Mutant(
        "a final answer of an undo is not taken for final",
        "undoing",
        "event.final or tries >= retry.attempts",
        "tries >= retry.attempts",
    ),
    Mutant(
        "a lost undo counts as a try",
        "record",
        '            self.undo_base[node] += bool(data.get("lost"))\n',
        "",
    ),
    Mutant(
        "a task is tried once too often",
        "doing",
        "and tries < retry.attempts and",
        "and tries <= retry.attempts and",
    ),
    Mutant(
        "tries are not counted anew in the next round",
        "record",
        "            self.base[node] = self.attempt[node]\n        if transition.old",
        "            pass\n        if transition.old",
    ),
    Mutant(
        "a failure that must not be retried is",
        "doing",
        " and event.retryable and",
        " and",
    ),
    Mutant(
        "a controller runs its flow once too often",
        "scopes",
        "            if record.attempt[begin] < attempts_of(record, begin):",
        "            if record.attempt[begin] <= attempts_of(record, begin):",
    ),
    Mutant(
        "an exhausted controller fails the run at once",
        "scopes",
        "            if controller.revert_all:\n                return RUN",
        "            return RUN",
    ),
    Mutant(
        "a controller that reverts all does not",
        "scopes",
        "            if controller.revert_all:\n                return RUN\n",
        "",
    ),
    Mutant(
        "an inner flow that is to run again does so in spite of the outer one",
        "record",
        "        for inner in [s for s in self.scopes if lo < sections[s].begin < hi]:\n            del self.scopes[inner]\n",
        "",
    ),
    Mutant(
        "what is inside a flow that runs again is not counted anew",
        "rerunning",
        "        core.forward.recount(begin, end)\n",
        "",
    ),
    Mutant(
        "conditions inside a flow that runs again are not asked again",
        "record",
        "            self._forget_condition(inner)",
        "            inner",
    ),
    Mutant(
        "a failed flow starts new tasks while it drains",
        "forward",
        "        if record.scopes and record.is_stopped(self._flow.section[node]):\n            return False\n",
        "",
    ),
    Mutant(
        "a failed undo in a flow that is to run again does not fail the run",
        "undoing",
        "        if self._record.run == RUNNING:\n            message",
        "        if node < 0:\n            message",
    ),
    Mutant(
        "the delay of a controller is not waited for",
        "rerunning",
        "        if due <= core.at:",
        "        if due:",
    ),
    Mutant(
        "the delay of a task's retry is not waited for",
        "doing",
        "        if due <= core.at:\n            self.run_task(node)",
        "        if due:\n            self.run_task(node)",
    ),
    Mutant(
        "a timer of long ago is believed",
        "machine",
        "        if inflight.waiting.get(node) != event.due:",
        "        if node not in inflight.waiting:",
    ),
    Mutant(
        "a resume forgets to start the timers",
        "asking",
        "        self._core.commands += [c.StartTimer(node, waiting[node]) for node in sorted(waiting)]",
        "        waiting",
    ),
    Mutant(
        "a restored machine does not know what ran",
        "asking",
        "        elif state == RUNNING:\n            busy[node] = DOING\n",
        "",
    ),
    Mutant(
        "a restored machine does not know what was being undone",
        "asking",
        "        elif state == REVERTING:\n            busy[node] = UNDOING\n",
        "",
    ),
    Mutant(
        "a resumed rollback goes forward",
        "asking",
        "        if phase == ROLLING:\n            self._core.move_flow(REVERTING)\n        elif phase == FAILED:",
        "        if phase == FAILED:",
    ),
    Mutant(
        "a failure during a suspension is forgotten",
        "machine",
        "        if record.run == RUNNING and record.doomed:\n            core.fail_run(None)\n            return True\n",
        "",
    ),
    Mutant(
        "a savepoint is undone with what came after it",
        "backward",
        "        if record.order[node] <= record.floor:",
        "        if record.order[node] < record.floor:",
    ),
    Mutant(
        "a rollback to a savepoint calls the run reverted",
        "machine",
        "core.move_flow(SUSPENDED if self.record.floor else REVERTED)",
        "core.move_flow(REVERTED)",
    ),
    Mutant(
        "a pivot does not keep the run from rolling back",
        "machine",
        "        if record.ordered != FORCED and is_past_pivot(record, 0, len(self.flow), record.floor):\n            return True\n",
        "",
    ),
    Mutant(
        "a revert past a pivot is not refused",
        "asking",
        "        if not event.force and is_past_pivot",
        "        if event.at < 0 and is_past_pivot",
    ),
    Mutant(
        "a probe's no is taken for a yes",
        "unknown",
        "SUCCESS if event.done else PENDING",
        "SUCCESS",
    ),
    Mutant(
        "a probe is not asked",
        "unknown",
        "        if self._flow.probed[node]:",
        "        if node < 0:",
    ),
    Mutant(
        "a lost attempt is repeated where it should be undone",
        "unknown",
        'self._doing.run_task if policy == "rerun" else',
        'self._doing.run_task if policy != "ask" else',
    ),
    Mutant(
        "a rollback undoes what a person should look at first",
        "backward",
        '            return self._flow.on_lost[node] == "ask" and record.probes.get(node) != AGAIN',
        "            return False",
    ),
    Mutant(
        "cancelling stops nothing",
        "asking",
        "            self._core.fail_run(event.failure, order=CANCELLED)\n            self._stop_attempts()\n",
        "            self._core.fail_run(event.failure, order=CANCELLED)\n",
    ),
    Mutant(
        "a tolerated failure fails the run",
        "doing",
        "        if self._flow.tolerated[node]:",
        "        if node < 0:",
    ),
    Mutant(
        "a tolerated failure is not passed after a restore",
        "forward",
        "return state in (IGNORE, SUCCESS) or (state == FAILURE and bool(self._flow.tolerated[node]))",
        "return state in (IGNORE, SUCCESS)",
    ),
    Mutant(
        "a skip of dependents ends at the end of the flow",
        "doing",
        'limit = flow.sections[around].end if depth == "flow" else len(flow)',
        "limit = flow.sections[around].end",
    ),
    Mutant(
        "a skip of the flow does not end at its end",
        "doing",
        'limit = flow.sections[around].end if depth == "flow" else len(flow)',
        "limit = len(flow)",
    ),
    Mutant(
        "undos wait until nothing else can start",
        "machine",
        "            if not backward.is_empty:\n                self._undoing.start(backward.pop())\n",
        "            if not backward.is_empty and (self.record.run == REVERTING or forward.is_empty):\n"
        "                self._undoing.start(backward.pop())\n",
    ),
    Mutant(
        "the last ready task in file order comes first",
        "forward",
        "            if state == PENDING:\n                heapq.heappush(self._ready, node)",
        "            if state == PENDING:\n                self._ready.insert(0, node)",
    ),
    Mutant(
        "a new round keeps the idempotency key of the old one",
        "record",
        "            self.rounds[node] = self.rounds.get(node, 0) + 1\n",
        "            pass\n",
    ),
)


def run(command: list[str], folder: pathlib.Path) -> subprocess.CompletedProcess:
    """A mutant that never ends is caught as well."""
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "FAILED does not end", "")


def copy(folder: pathlib.Path) -> None:
    no_cache = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "taskrun", folder / "taskrun", ignore=no_cache)
    for name in ("cases", "engine", "sim"):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name, ignore=no_cache)
    shutil.copy(ROOT / "tests" / "__init__.py", folder / "tests" / "__init__.py")
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")


def noticed(folder: pathlib.Path, schedules: int, *, cost: bool) -> tuple[str, str]:
    """What the simulation says of a copy, or if it says nothing, what the tests of the engine say; empty: nothing."""
    simulated = run([sys.executable, "-c", SIMULATE, str(schedules)], folder)
    if simulated.returncode:
        return (simulated.stdout.strip() or simulated.stderr.strip()[-90:], "")
    tests = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-W", "ignore", "tests/engine"]
    if not cost:
        tests.append("--ignore=tests/engine/test_cost.py")
    tests += ["--ignore=tests/engine/test_view.py", "tests/sim/test_regressions.py"]
    tested = run([sys.executable, *tests], folder)
    failed = [
        line.split("::")[-1].split(" - ")[0]
        for line in tested.stdout.splitlines()
        if line.startswith(("FAILED", "ERROR"))
    ]
    if tested.returncode and not failed:
        failed = [f"pytest ended with {tested.returncode}"]
    return ("", failed[0] if failed else "")


def tried(mutant: Mutant, schedules: int) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy(folder)
        path = folder / "taskrun" / "engine" / f"{mutant.file}.py"
        source = path.read_text()
        if source.count(mutant.old) != 1:
            return ("", f"no mutant: {source.count(mutant.old)} places in {mutant.file}.py")
        path.write_text(source.replace(mutant.old, mutant.new))
        return noticed(folder, schedules, cost="walked" in mutant.name or "waits are looked" in mutant.name)


def sound(schedules: int) -> tuple[str, str]:
    """Without a mutant nothing may be noticed: else every mutant would be caught, for no reason of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copy(folder)
        return noticed(folder, schedules, cost=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schedules", type=int, default=4_000)
    parser.add_argument("--only", default="", help="mutants whose name holds this word")
    given = parser.parse_args()
    if any(wrong := sound(given.schedules)):
        print(f"the engine itself is found fault with: {wrong}")
        return 1
    survivors = 0
    print(f"{'mutant':75} {'simulation: seed, violation':60} test")
    for mutant in (m for m in HAD + NEVER_HAD if given.only in m.name):
        simulated, tested = tried(mutant, given.schedules)
        wrong = tested.startswith("no mutant")
        survives = wrong or not (simulated or tested)
        survivors += survives
        print(
            f"{mutant.name:75.75} {simulated or '-':60.60} {'SURVIVES ' if survives else ''}{tested or '-'}",
            flush=True,
        )
    print(f"{len(HAD) + len(NEVER_HAD)} mutants, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
