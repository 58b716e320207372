"""What every journal does: the same tests against SQLite and against the twin in memory."""

import pytest

from taskrun.errors import HeldError, JournalError, JournalTooNewError, NotFoundError
from taskrun.journal.base import Revision
from tests.journal.samples import DEFINITION, a_run, an_entry, some_entries


def test_a_run_comes_back_as_it_was_recorded(journal):
    row = a_run(parent="0123456789abc", options={"jobs": 2, "deep": [{"é": None}]})
    journal.create_run(row, DEFINITION)
    assert journal.run(row.id) == row
    assert journal.definition(row.id) == DEFINITION
    assert journal.entries(row.id) == []


def test_a_definition_may_come_as_json(journal):
    row = a_run()
    journal.create_run(row, b'{"format": 1, "name": "deploy"}')
    assert journal.definition(row.id) == {"format": 1, "name": "deploy"}


def test_a_large_definition_comes_back_whole(journal):
    row, definition = a_run(), {"tasks": [{"name": f"task {number} é"} for number in range(5000)]}
    journal.create_run(row, definition)
    assert journal.definition(row.id) == definition


def test_entries_come_back_in_order_and_equal(journal):
    row = a_run()
    first = [an_entry(1, kind="flow", name="deploy", attempt=0)]
    journal.create_run(row, DEFINITION, first)
    second = some_entries(40, first=2)
    journal.append(row.id, second, epoch=1)
    assert journal.entries(row.id) == first + second


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"outputs": {"text": "line\nline\t\x00\x1f", "quote": "\"'\\"}},
        {
            "outputs": {"a": [1, 2.5, None, True, {"b": []}]},
            "failure": {"type": "ExitCode", "message": "ü 漢 🙂"},
        },
        {"message": "stray byte \udce9 of a file name"},
        {"big": "x" * 300_000},
        {"number": 2**70, "small": 1e-300},
    ],
)
def test_any_json_value_survives(journal, data):
    row = a_run()
    journal.create_run(row, DEFINITION)
    journal.append(row.id, [an_entry(1, data=data)], epoch=1)
    assert journal.entries(row.id)[0].data == data
    assert journal.verify(row.id) is None


def test_times_are_kept_to_the_microsecond(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    times = [1795509185.2337854, 1795509185.9999999, 0.0, 4102444800.1234567]
    journal.append(row.id, [an_entry(seq, time=time) for seq, time in enumerate(times, 1)], epoch=1)
    read = [entry.time for entry in journal.entries(row.id)]
    assert read == pytest.approx(times, abs=1e-6, rel=0)
    journal.append(row.id, [an_entry(seq, time=time) for seq, time in enumerate(read, 5)], epoch=1)
    assert [entry.time for entry in journal.entries(row.id, 4)] == read


def test_what_is_read_is_not_shared_with_what_was_written(journal):
    row, data = a_run(), {"outputs": {"items": [1]}}
    journal.create_run(row, DEFINITION)
    journal.append(row.id, [an_entry(1, data=data)], epoch=1)
    data["outputs"]["items"].append(2)
    journal.entries(row.id)[0].data["outputs"]["items"].append(3)
    assert journal.entries(row.id)[0].data == {"outputs": {"items": [1]}}


def test_reading_goes_on_after_a_seq_and_stops_at_a_limit(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    all_ten = some_entries(10)
    journal.append(row.id, all_ten[:4], epoch=1)
    journal.append(row.id, all_ten[4:], epoch=1)
    assert journal.entries(row.id, 3) == all_ten[3:]
    assert journal.entries(row.id, 3, 2) == all_ten[3:5]
    assert journal.entries(row.id, 0, 4) == all_ten[:4]
    assert journal.entries(row.id, 0, 0) == []
    assert journal.entries(row.id, 10) == []
    assert journal.entries(row.id, 99) == []


def test_runs_do_not_see_each_others_entries(journal):
    one, two = a_run(), a_run()
    journal.create_run(one, DEFINITION, some_entries(3))
    journal.create_run(two, DEFINITION, some_entries(2))
    journal.append(one.id, some_entries(2, first=4), epoch=1)
    journal.append(two.id, some_entries(1, first=3), epoch=1)
    assert journal.entries(one.id) == some_entries(5)
    assert journal.entries(two.id) == some_entries(3)


def test_the_standing_changes_with_the_entries(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    journal.append(row.id, some_entries(1), epoch=1, state="RUNNING")
    assert journal.run(row.id) == row._replace(state="RUNNING")
    journal.append(row.id, some_entries(1, first=2), epoch=1)
    assert journal.run(row.id).state == "RUNNING"
    journal.append(row.id, [], epoch=1, state="SUCCESS", exit_code=0, ended=1769851900)
    assert journal.run(row.id) == row._replace(state="SUCCESS", exit_code=0, ended=1769851900.0)


def test_a_run_that_goes_on_after_its_end_has_no_exit_code(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    journal.append(row.id, [], epoch=1, state="SUSPENDED", exit_code=3, ended=5.0)
    journal.append(row.id, [], epoch=1, state="RESUMING")
    assert journal.run(row.id) == row._replace(state="RESUMING", exit_code=None, ended=None)


def test_exit_code_and_end_can_be_set_without_a_state(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    journal.append(row.id, [], epoch=1, state="FAILURE")
    journal.append(row.id, [], epoch=1, exit_code=3)
    journal.append(row.id, [], epoch=1, ended=7.5)
    assert journal.run(row.id) == row._replace(state="FAILURE", exit_code=3, ended=7.5)


def test_a_gap_or_a_repetition_in_the_numbers_is_refused_and_nothing_is_written(journal):
    row = a_run()
    journal.create_run(row, DEFINITION, some_entries(3))
    for numbers in ([3], [5], [4, 4], [4, 6], [0], [5, 4]):
        with pytest.raises(JournalError, match="where entry . belongs"):
            journal.append(row.id, [an_entry(number) for number in numbers], epoch=1, state="RUNNING")
    assert journal.entries(row.id) == some_entries(3)
    assert journal.run(row.id) == row
    journal.append(row.id, some_entries(1, first=4), epoch=1)


def test_a_value_that_is_not_json_is_refused_and_nothing_is_written(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    with pytest.raises(TypeError):
        journal.append(row.id, [an_entry(1), an_entry(2, data={"set": {1}})], epoch=1, state="RUNNING")
    assert journal.entries(row.id) == []
    assert journal.run(row.id) == row


def test_the_same_id_twice_is_refused(journal):
    row = a_run()
    journal.create_run(row, DEFINITION, some_entries(2))
    with pytest.raises(JournalError, match=row.id):
        journal.create_run(row._replace(name="other"), {"other": 1})
    assert journal.run(row.id) == row
    assert journal.entries(row.id) == some_entries(2)


def test_after_a_take_over_the_former_writer_writes_nothing(connect):
    former, newcomer = connect(), connect()
    row = a_run()
    former.create_run(row, DEFINITION)
    former.append(row.id, some_entries(2), epoch=1, state="RUNNING")
    epoch = newcomer.take_over(row.id, pid=99, host="beta", boot_id="other")
    assert epoch == 2
    with pytest.raises(HeldError, match="process 99 on beta") as caught:
        former.append(row.id, some_entries(1, first=3), epoch=1, state="SUCCESS", exit_code=0)
    assert caught.value.holder["pid"] == 99
    newcomer.append(row.id, some_entries(1, first=3), epoch=2)
    with pytest.raises(HeldError):
        former.append(row.id, [], epoch=1)
    assert newcomer.entries(row.id) == former.entries(row.id) == some_entries(3)
    expected = row._replace(state="RUNNING", epoch=2, pid=99, host="beta", boot_id="other")
    assert former.run(row.id) == expected


def test_an_epoch_from_the_future_is_refused_too(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    with pytest.raises(HeldError):
        journal.append(row.id, some_entries(1), epoch=2)
    assert journal.entries(row.id) == []


def test_every_take_over_has_a_larger_epoch(connect):
    one, two = connect(), connect()
    row = a_run()
    one.create_run(row, DEFINITION)
    epochs = [journal.take_over(row.id, pid=1, host="h", boot_id="b") for journal in (one, two, one, one)]
    assert epochs == [2, 3, 4, 5]


def test_a_run_taken_back_and_forth_keeps_one_history(connect):
    journals = [connect(), connect()]
    row = a_run()
    journals[0].create_run(row, DEFINITION)
    for turn in range(6):
        journal = journals[turn % 2]
        epoch = journal.take_over(row.id, pid=turn, host="h", boot_id="b")
        for seq in (2 * turn + 1, 2 * turn + 2):
            journal.append(row.id, some_entries(1, first=seq), epoch=epoch)
    journals[1].append(row.id, some_entries(1, first=13), epoch=7)
    journals[0].append(row.id, some_entries(1, first=14), epoch=7)
    assert journals[0].entries(row.id) == some_entries(14)
    assert journals[1].verify(row.id) is None


def a_flow_entry(seq, state):
    return an_entry(seq, "deploy", kind="flow", old_state=None, state=state)


def test_who_took_a_run_over_is_told_with_the_state_it_left(journal):
    row, other = a_run(), a_run()
    for each in (row, other):
        journal.create_run(each, DEFINITION, [a_flow_entry(1, "RUNNING")])
    epoch = journal.take_over(row.id, pid=1, host="h", boot_id="b", verb="resume")
    journal.append(row.id, [a_flow_entry(2, "RESUMING"), a_flow_entry(3, "SUSPENDED")], epoch=epoch)
    journal.take_over(other.id, pid=1, host="h", boot_id="b", verb="revert")
    epoch = journal.take_over(row.id, pid=1, host="h", boot_id="b", verb="revert")
    found = [(each.epoch, each.verb, each.state) for each in journal.continuations([row.id])]
    assert found == [(2, "resume", "SUSPENDED"), (3, "revert", "SUSPENDED")]
    journal.append(row.id, [a_flow_entry(4, "REVERTING")], epoch=epoch)
    assert [each.run for each in journal.continuations([other.id, row.id])] == [other.id, row.id, row.id]
    assert journal.continuations([row.id])[-1].state == "REVERTING"
    assert journal.continuations([]) == []


def test_a_run_may_go_on_with_another_definition(journal):
    row = a_run()
    journal.create_run(row, DEFINITION, some_entries(2))
    changed = {**DEFINITION, "tasks": [{"name": "build"}]}
    told = an_entry(3, "deploy", {"message": "goes on"}, kind="log", old_state=None, state=None)
    journal.revise(row.id, Revision(changed, "cd" * 32, {"target": "prod"}), told, epoch=1)
    assert journal.definition(row.id) == changed
    assert journal.run(row.id) == row._replace(sha256="cd" * 32, inputs={"target": "prod"})
    assert journal.runs() == [journal.run(row.id)]
    (entry,) = journal.entries(row.id, after=2)
    assert entry.data["message"] == "goes on"
    journal.append(row.id, some_entries(1, first=4), epoch=1, state="RUNNING")
    journal.revise(row.id, Revision(DEFINITION, row.sha256, row.inputs), told._replace(seq=5), epoch=1)
    assert journal.definition(row.id) == DEFINITION
    assert journal.run(row.id).sha256 == row.sha256
    assert journal.verify(row.id) is None


def test_who_was_taken_over_changes_no_definition(connect):
    former, newcomer = connect(), connect()
    row = a_run()
    former.create_run(row, DEFINITION)
    newcomer.take_over(row.id, pid=1, host="h", boot_id="b")
    told = an_entry(1, "deploy", {}, kind="log", old_state=None, state=None)
    with pytest.raises(HeldError):
        former.revise(row.id, Revision({"name": "other"}, "", {}), told, epoch=1)
    assert newcomer.definition(row.id) == DEFINITION
    assert newcomer.entries(row.id) == []


def test_a_run_of_a_newer_format_is_shown_but_not_taken_over(journal):
    row = a_run(format=99, version="9.0")
    journal.create_run(row, DEFINITION)
    assert journal.runs() == [row]
    with pytest.raises(JournalTooNewError, match=r"newer taskrun \(9.0"):
        journal.take_over(row.id, pid=1, host="h", boot_id="b")
    assert journal.run(row.id) == row


def test_runs_are_listed_newest_first_by_limit_and_state(journal):
    rows = [a_run(f"run{number}", state=state) for number, state in enumerate(["A", "B", "A", "C"])]
    for row in rows:
        journal.create_run(row, DEFINITION)
    assert journal.runs() == rows[::-1]
    assert journal.runs(2) == rows[:1:-1]
    assert journal.runs(states=["A"]) == [rows[2], rows[0]]
    assert journal.runs(1, states={"A", "B"}) == [rows[2]]
    assert journal.runs(states=["D"]) == []
    assert journal.runs(0) == []


def test_a_run_is_found_by_id_prefix_or_latest(journal):
    for run_id in ("aa11", "aa22", "b7"):
        journal.create_run(a_run(run_id), DEFINITION)
    assert journal.find("aa11").id == "aa11"
    assert journal.find("b").id == "b7"
    assert journal.find(" AA2 ").id == "aa22"
    assert journal.find("latest").id == "b7"


def test_an_id_that_is_a_prefix_of_another_is_found(journal):
    for run_id in ("aa", "aabb"):
        journal.create_run(a_run(run_id), DEFINITION)
    assert journal.find("aa").id == "aa"


def test_an_ambiguous_prefix_lists_the_candidates(journal):
    for number in range(12):
        journal.create_run(a_run(f"aa{number:02}"), DEFINITION)
    with pytest.raises(NotFoundError, match=r"fits several runs: aa00, aa01.*aa07, \.\.\.") as caught:
        journal.find("aa")
    assert caught.value.exit_code == 4


def test_an_unknown_run_names_near_ones(journal):
    journal.create_run(a_run("1m86aztpg98z8"), DEFINITION)
    for ask in (journal.find, journal.run, journal.definition, journal.entries, journal.requests):
        with pytest.raises(NotFoundError, match="1m86aztpg98z9") as caught:
            ask("1m86aztpg98z9")
        assert caught.value.hint == "did you mean 1m86aztpg98z8?"


@pytest.mark.parametrize(
    "given", ["zzz", "", "../..", "%", "_", "'; DROP TABLE runs", "é", "\udce9", "a" * 10_000]
)
def test_nonsense_is_no_run(journal, given):
    journal.create_run(a_run("abc"), DEFINITION)
    with pytest.raises(NotFoundError) as caught:
        journal.find(given)
    assert "the newest are abc" in caught.value.hint


def test_an_empty_journal_says_how_to_make_a_first_run(journal):
    for given in ("latest", "abc", ""):
        with pytest.raises(NotFoundError, match="there is no run yet") as caught:
            journal.find(given)
        assert "taskrun run FILE" in caught.value.hint
    assert journal.runs() == []


def test_requests_are_read_once_in_order(connect):
    driver, other = connect(), connect()
    row, second = a_run(), a_run()
    for each in (row, second):
        driver.create_run(each, DEFINITION)
    assert driver.requests(row.id) == []
    first = other.request(row.id, "suspend", {})
    other.request(second.id, "cancel", {})
    later = other.request(row.id, "resolve", {"task": "build", "as": "done", "outputs": {"é": 1}})
    found = driver.requests(row.id)
    assert [(it.id, it.verb, it.args) for it in found] == [
        (first, "suspend", {}),
        (later, "resolve", {"task": "build", "as": "done", "outputs": {"é": 1}}),
    ]
    assert driver.requests(row.id, first) == found[1:]
    assert driver.requests(row.id, later) == []


def test_a_request_for_no_run_is_refused(journal):
    journal.create_run(a_run("abc"), DEFINITION)
    with pytest.raises(NotFoundError):
        journal.request("abd", "suspend", {})


def test_the_change_counter_changes_when_another_connection_commits(connect):
    one, two = connect(), connect()
    row = a_run()
    one.create_run(row, DEFINITION)
    before = two.change_counter()
    assert two.change_counter() == before
    one.append(row.id, some_entries(1), epoch=1)
    after = two.change_counter()
    assert after != before
    assert two.change_counter() == after
    two.entries(row.id)
    assert two.change_counter() == after


def test_a_deleted_run_is_gone_with_all_that_was_its_own(connect):
    journal, other = connect(), connect()
    keep, drop = a_run("keep1"), a_run("drop1")
    for row in (keep, drop):
        journal.create_run(row, DEFINITION, some_entries(2))
        journal.request(row.id, "suspend", {})
    other.append(drop.id, some_entries(1, first=3), epoch=1)
    journal.delete_run(drop.id)
    for ask in (journal.run, journal.entries, journal.definition, journal.requests, journal.delete_run):
        with pytest.raises(NotFoundError):
            ask(drop.id)
    with pytest.raises(NotFoundError):
        other.append(drop.id, some_entries(1, first=4), epoch=1)
    with pytest.raises(NotFoundError):
        other.entries(drop.id)
    assert journal.runs() == [keep]
    assert journal.definition(keep.id) == DEFINITION
    assert journal.entries(keep.id) == some_entries(2)
    assert len(journal.requests(keep.id)) == 1


def test_a_deleted_id_can_be_used_again_and_starts_afresh(connect):
    journal, other = connect(), connect()
    row = a_run("again")
    journal.create_run(row, DEFINITION, some_entries(5))
    assert len(other.entries(row.id)) == 5
    journal.delete_run(row.id)
    journal.create_run(row, {"other": True}, some_entries(2))
    assert other.entries(row.id) == some_entries(2)
    assert journal.definition(row.id) == {"other": True}
    other.append(row.id, some_entries(1, first=3), epoch=1)
    assert journal.entries(row.id) == some_entries(3)


def test_a_sound_run_has_no_damage(journal):
    row = a_run()
    journal.create_run(row, DEFINITION, some_entries(30))
    journal.request(row.id, "suspend", {"why": "lunch"})
    journal.append(row.id, some_entries(5, first=31), epoch=1, state="SUCCESS", exit_code=0, ended=9.0)
    journal.append(row.id, some_entries(5, first=36), epoch=1)
    assert journal.verify(row.id) is None


def test_a_closed_journal_says_so(journal):
    row = a_run()
    journal.create_run(row, DEFINITION)
    journal.close()
    journal.close()
    for ask in (lambda: journal.runs(), lambda: journal.append(row.id, [], epoch=1), journal.change_counter):
        with pytest.raises(JournalError, match="closed"):
            ask()
