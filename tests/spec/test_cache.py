"""The cache of compiled definitions: believed only while everything it was made from is the same."""

import os
import pathlib

from taskrun.spec import cache
from taskrun.spec.compiler import compile_file

TEXT = "name: w\ntasks:\n  - {name: a, run: echo a, revert: none}\n"


def kept(tmp_path: pathlib.Path, text: str = TEXT) -> tuple[str, str]:
    path, folder = tmp_path / "w.yaml", tmp_path / "cache"
    path.write_text(text)
    compiled = compile_file(str(path))
    cache.keep(str(folder), str(path), compiled.text, compiled.definition)
    return str(folder), str(path)


def test_a_file_seen_before_gives_the_same_definition(tmp_path: pathlib.Path) -> None:
    folder, path = kept(tmp_path)
    assert cache.find(folder, path) == (compile_file(path).definition, TEXT)


def test_a_changed_file_is_not_found(tmp_path: pathlib.Path) -> None:
    folder, path = kept(tmp_path)
    pathlib.Path(path).write_text(TEXT.replace("echo a", "echo b"))
    assert cache.find(folder, path) is None


def test_a_file_elsewhere_with_the_same_bytes_is_another_file(tmp_path: pathlib.Path) -> None:
    folder, path = kept(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(TEXT)
    assert cache.find(folder, str(other)) is None


def test_a_damaged_cache_is_no_cache(tmp_path: pathlib.Path) -> None:
    folder, path = kept(tmp_path)
    (place,) = pathlib.Path(folder).iterdir()
    whole = place.read_bytes()
    for cut in range(0, len(whole), 7):
        place.write_bytes(whole[:cut])
        assert cache.find(folder, path) is None


def test_a_changed_included_file_makes_the_definition_stale(tmp_path: pathlib.Path) -> None:
    inner = tmp_path / "inner.yaml"
    inner.write_text(TEXT)
    folder, path = kept(tmp_path, "name: o\ntasks:\n  - {name: sub, workflow: inner.yaml}\n")
    assert cache.find(folder, path) is not None
    inner.write_text(TEXT.replace("echo a", "echo b"))
    assert cache.find(folder, path) is None


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(TEXT)
    compiled = compile_file(str(path))
    (tmp_path / "file").write_text("in the way")
    cache.keep(str(tmp_path / "file" / "cache"), str(path), compiled.text, compiled.definition)
    assert cache.find(str(tmp_path / "file" / "cache"), str(path)) is None


def test_the_cache_is_private_and_does_not_grow_for_ever(tmp_path: pathlib.Path) -> None:
    folder, _ = kept(tmp_path)
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert all(place.stat().st_mode & 0o777 == 0o600 for place in pathlib.Path(folder).iterdir())
    for number in range(cache.KEPT + 5):
        pathlib.Path(folder, f"old{number}").write_bytes(b"")
    kept(tmp_path)
    assert len(list(pathlib.Path(folder).iterdir())) == cache.KEPT
