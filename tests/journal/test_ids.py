"""Ids of runs and of this boot."""

import re

from taskrun.journal import ids


def test_an_id_is_short_lower_case_and_fit_for_a_path():
    for _ in range(1000):
        assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{13}", ids.new_run_id())


def test_ids_sort_by_the_time_they_were_made():
    times = [0.0, 0.001, 1769851800.123, 1769851800.124, 4102444800.0, 32503680000.0]
    made = [ids.new_run_id(time) for time in times]
    assert made == sorted(made)
    assert len({len(each) for each in made}) == 1


def test_ids_of_one_moment_differ():
    assert len({ids.new_run_id(1769851800.0) for _ in range(200)}) > 190


def test_what_could_be_an_id_is_told_from_what_could_not():
    assert ids.is_run_id(ids.new_run_id())
    for text in ("", "A1", "a.b", "a/b", "latest ", "é", "٣", "a-b", "a_b"):
        assert not ids.is_run_id(text), text


def test_the_boot_has_a_stable_identity():
    assert ids.boot_id() == ids.boot_id()
    assert "\n" not in ids.boot_id()
