"""What the schema refuses, in plain words, at the place where it stands."""

import pytest

from tests.spec.workflows import found, ids, of_task, one, task

TASKS = "\ntasks: [{name: t, echo: hi}]"


def test_an_unknown_key_of_the_workflow_gets_a_suggestion():
    finding, shown = one("name: f\ndescripton: x" + TASKS)
    assert (finding.id, shown) == ("TR201", "descripton")
    assert finding.help == "did you mean `description`?"


def test_a_key_of_a_task_at_the_top_of_the_file_is_explained():
    finding, shown = one("name: f\nneeds: [a]" + TASKS)
    assert (finding.id, shown, finding.help) == ("TR201", "needs", "this is a key of a task")


def test_an_unknown_key_of_a_task_gets_a_suggestion_and_no_second_finding():
    finding, shown = one(of_task("run: x\nrevrt: y"))
    assert (finding.id, shown, finding.help) == ("TR201", "revrt", "did you mean `revert`?")


def test_an_unknown_field_of_an_action_gets_a_suggestion():
    finding, shown = one(of_task("run: {script: x, shel: bash}\nrevert: none"))
    assert (finding.id, shown, finding.help) == ("TR201", "shel", "did you mean `shell`?")


def test_an_unknown_key_of_a_retry_is_answered_with_a_suggestion_or_with_all_there_are():
    finding, _ = one(of_task("echo: x\nretry: {attempts: 2, dely: 1s}"))
    assert finding.help == "did you mean `delay`?"
    finding, _ = one(of_task("echo: x\nretry: {attempts: 2, zzz: 1s}"))
    assert finding.help.startswith("there are `attempts`, `delay`")


@pytest.mark.parametrize(
    ("text", "word", "near"),
    [
        ("name: f\ninputs: {a: {typ: string}}" + TASKS, "typ", "type"),
        ("name: f\nsecrets: {a: {evn: A}}" + TASKS, "evn", "env"),
        ("name: f\ndefaults: {timout: 5s}" + TASKS, "timout", "timeout"),
        (
            of_task("http: {url: http://u, auth: {username: a, password: b, usrname: c}}"),
            "usrname",
            "username",
        ),
        (of_task("run: x\nrevert: {run: y, rtry: {attempts: 2}}"), "rtry", "retry"),
        (of_task("echo: x\nprobe: {run: y, donif: x}"), "donif", "done_if"),
    ],
)
def test_unknown_keys_are_found_in_every_map(text, word, near):
    finding, shown = one(text)
    assert (finding.id, shown, finding.help) == ("TR201", word, f"did you mean `{near}`?")


def test_a_missing_name_of_the_workflow_is_said_once_at_its_start():
    finding, _ = one("tasks: [{name: t, echo: hi}]")
    assert (finding.id, finding.line, finding.column) == ("TR202", 1, 1)
    assert finding.message == "a workflow needs `name`"
    assert finding.help == "add: name: my_workflow"


def test_missing_tasks_are_said_once():
    finding, _ = one("name: f")
    assert (finding.id, finding.message) == ("TR202", "a workflow needs `tasks`")


def test_a_missing_field_of_an_action_is_said_at_its_fields():
    finding, _ = one(of_task("copy: {from: a}"))
    assert (finding.id, finding.line, finding.message) == ("TR202", 4, "`copy` needs `to`")
    assert finding.help == "add `to: ...`"


@pytest.mark.parametrize("word", ["true", "False", "TRUE"])
def test_a_boolean_in_a_text_field_is_to_be_put_in_quotes(word):
    finding, shown = one(of_task(f"run: x\nrevert: none\nenv: {{A: {word}}}"))
    assert (finding.id, shown, finding.help) == ("TR204", word, f'put it in quotes: "{word}"')
    assert finding.message == f"`A` takes text, and `{word}` without quotes is a boolean"


@pytest.mark.parametrize("word", ["", "~", "null"])
def test_nothing_in_a_text_field_is_an_error(word):
    finding, _ = one(of_task(f"echo: x\ndescription: {word}"))
    assert (finding.id, finding.message) == ("TR204", "`description` is empty")


@pytest.mark.parametrize("text", ["1.10", "007", "1e3", "0x10", "NO", "on", "22:30:00", "2026-01-02", "-1"])
def test_a_text_field_keeps_what_was_typed(text):
    assert task(of_task(f"run: x\nrevert: none\nenv: {{A: {text}}}"))["env"] == {"A": text}


def test_a_list_in_a_text_field_is_named_as_such():
    finding, _ = one(of_task("echo: x\ndescription: [a]"))
    assert (finding.id, finding.message) == ("TR203", "`description` takes text, not a list")


def test_an_item_of_a_list_is_named_by_its_number():
    finding, shown = one(of_task("exec: [ls, true]\nrevert: none"))
    assert (finding.id, shown) == ("TR204", "true")
    assert finding.message.startswith("item 2 of `exec` takes text")


def test_an_action_of_the_wrong_shape_says_which_shapes_there_are():
    finding, _ = one(of_task("run: [a, b]\nrevert: none"))
    assert (finding.id, finding.message) == ("TR203", "`run` takes text or a map, not a list")
    finding, _ = one(of_task("exec: ls -l\nrevert: none"))
    assert finding.message == '`exec` takes a list or a map, not the text "ls -l"'
    assert finding.help == "write program and arguments as a list, or use `run` for a shell script"


def test_a_plain_text_for_an_action_without_a_main_field_shows_its_fields():
    finding, shown = one(of_task("copy: a b"))
    assert (finding.id, shown) == ("TR203", "a b")
    assert finding.help == "write its fields: `copy: {from: ..., to: ...}`"


def test_tasks_that_are_no_list_are_explained_once():
    finding, _ = one("name: f\ntasks: {name: t, echo: hi}")
    assert (finding.id, finding.message) == ("TR203", "`tasks` takes a list, not a map")
    assert finding.help == "a task is `- name: ...` with an action below it"


def test_a_task_that_is_only_text_does_not_hide_the_others():
    text = "name: f\ntasks:\n  - just text\n  - {name: t, echo: hi, needs: [x]}\n  - {name: t, echo: hi}"
    assert ids(text) == ["TR203", "TR602", "TR301"]


def test_a_file_that_is_no_map_says_what_a_workflow_is():
    for text in ("- a\n- b", "just text"):
        finding = found(text)[0]
        assert finding.id == "TR203"
        assert finding.message == "a workflow file is a map with `name:` and `tasks:`"


@pytest.mark.parametrize("text", ["5 minutes", "5", "1.5", "m5", "30s5", "-5s", "s"])
def test_a_bad_duration_is_shown_with_the_right_way(text):
    finding, shown = one(of_task(f"echo: x\ntimeout: {text}"))
    assert (finding.id, shown) == ("TR205", text)


def test_a_bare_number_as_duration_gets_its_unit_suggested():
    finding, _ = one(of_task("echo: x\ntimeout: 30"))
    assert finding.message == "`timeout`: `30` has no unit"
    assert finding.help == "did you mean `30s`?"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("2d", 172800.0),
        ("1.5h", 5400.0),
        ("0s", 0.0),
    ],
)
def test_durations_become_seconds(text, seconds):
    value = task(of_task(f"echo: x\ntimeout: {text}"))["timeout"]
    assert value == seconds
    assert type(value) is float


def test_units_out_of_order_and_endless_durations_are_refused():
    assert "out of order" in one(of_task("echo: x\ntimeout: 5s1m"))[0].message
    assert "out of order" in one(of_task("echo: x\ntimeout: 1m1m"))[0].message
    assert "ten years" in one(of_task("echo: x\ntimeout: 99999d"))[0].message


def test_a_quoted_number_is_no_number():
    finding, shown = one(of_task('echo: x\nretry: {attempts: "3"}'))
    assert (finding.id, shown, finding.help) == ("TR206", '"3"', "remove the quotes")


@pytest.mark.parametrize("text", ["1.5", "many", "true", "${{ 3 }}"])
def test_attempts_are_a_whole_number_known_before_the_run(text):
    assert ids(
        of_task(f"echo: x\nretry: {{attempts: {text if '$' not in text else chr(34) + text + chr(34)}}}")
    ) == ["TR206"]


def test_a_number_that_is_too_small_is_told_its_limit():
    finding, _ = one(of_task("echo: x\nretry: {attempts: 0}"))
    assert (finding.id, finding.message) == ("TR213", "`attempts` must be at least 1, not 0")


@pytest.mark.parametrize(
    ("text", "better"), [("yes", "true"), ('"true"', "true"), ("off", "false"), ('"no"', "false")]
)
def test_a_word_for_a_boolean_gets_the_right_one_suggested(text, better):
    finding = found(of_task(f"echo: x\nallow_failure: {text}"))[-1]
    assert (finding.id, finding.help) == ("TR207", f"write `{better}`")


def test_a_wrong_choice_gets_a_suggestion_or_all_choices():
    finding, shown = one("name: f\npattern: linaer" + TASKS)
    assert (finding.id, shown, finding.help) == ("TR208", "linaer", "did you mean `linear`?")
    finding, _ = one("name: f\npattern: whatever" + TASKS)
    assert finding.help == "there are `linear`, `unordered`, `graph`"


@pytest.mark.parametrize("name", ["make dir", "1st", "é", '""', "a.b"])
def test_a_bad_name_of_a_task_is_said_once(name):
    finding, _ = one(f"name: f\npattern: graph\ntasks:\n  - {{name: {name}, echo: hi}}")
    assert (finding.id, finding.line) == ("TR209", 4)


def test_what_refers_to_a_task_with_a_bad_name_is_not_wrong_a_second_time():
    text = "name: f\npattern: graph\ntasks:\n  - {name: 1st, echo: hi}\n  - {name: b, echo: hi, needs: [1st]}"
    assert ids(text) == ["TR209"]


def test_bad_names_of_inputs_are_found_at_the_key():
    finding, shown = one("name: f\ninputs: {my-input: 1}" + TASKS)
    assert (finding.id, shown) == ("TR209", "my-input")


def test_an_empty_list_of_tasks_is_said_once():
    finding, _ = one("name: f\ntasks: []")
    assert (finding.id, finding.message) == ("TR210", "`tasks` is an empty list")


@pytest.mark.parametrize("mode", ["0644", "644", '"0644"', "0o644"])
def test_file_modes_are_octal_however_they_are_typed(mode):
    value = task(of_task(f"file: {{path: a, content: b, mode: {mode}}}"))["fields"]["mode"]
    assert int(value, 8) == 0o644


def test_a_mode_that_is_not_octal_is_refused():
    finding, shown = one(of_task("file: {path: a, content: b, mode: u+x}"))
    assert (finding.id, shown, finding.help) == ("TR203", "u+x", 'write it in octal, as `"0644"`')


def test_free_fields_take_any_json():
    json = "{n: 1, f: 1.5, b: true, z: null, l: [a, 2], t: '3'}"
    fields = task(of_task(f"http: {{post: http://u, json: {json}}}\nrevert: none"))["fields"]
    assert fields["json"] == {"n": 1, "f": 1.5, "b": True, "z": None, "l": ["a", 2], "t": "3"}


def test_what_json_has_no_number_for_is_refused():
    finding, _ = one(of_task("http: {post: http://u, json: {n: .inf}}\nrevert: none"))
    assert (finding.id, finding.help) == ("TR203", "put it in quotes")


@pytest.mark.parametrize(
    ("text", "value"), [("201", [201]), ("2xx", ["2xx"]), ("[204, 404, 5xx]", [204, 404, "5xx"])]
)
def test_expected_statuses_are_a_list_whatever_was_typed(text, value):
    assert task(of_task(f"http: {{get: http://u, expect: {text}}}"))["fields"]["expect"] == value


@pytest.mark.parametrize("text", ["99", "600", "ok", "2x", "[201, ok]"])
def test_statuses_that_do_not_exist_are_refused(text):
    assert ids(of_task(f"http: {{get: http://u, expect: {text}}}")) == ["TR203"]


def test_exit_codes_are_a_list_within_a_byte():
    assert task(of_task("run: {script: x, expect: 3}\nrevert: none"))["fields"]["expect"] == [3]
    assert "0 to 255" in one(of_task("run: {script: x, expect: 256}\nrevert: none"))[0].message


def test_findings_do_not_run_into_the_thousands_of_rounds():
    tasks = "".join(f"  - {{name: t{i}, run: [x], revert: none}}\n" for i in range(2000))
    assert ids("name: f\ntasks:\n" + tasks) == ["TR203"] * 2000
