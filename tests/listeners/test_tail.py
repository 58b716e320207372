"""The end of an output file, whatever is in it and however long it is."""

import os

from taskrun.listeners.tail import Tail, last_lines


def test_the_last_line_that_holds_anything(tmp_path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"one\ntwo\n\n  \n")
    assert Tail(str(path)).last_line() == b"two"


def test_of_a_line_that_is_redrawn_what_is_seen_last(tmp_path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"start\n 10%\r 20%\r 30%\r")
    assert Tail(str(path)).last_line() == b" 30%"
    path.write_bytes(b"dos line\r\n")
    assert Tail(str(path)).last_line() == b"dos line"


def test_it_follows_a_file_that_grows_appears_or_goes(tmp_path) -> None:
    path = tmp_path / "out"
    tail = Tail(str(path))
    assert tail.last_line() == b""
    path.write_bytes(b"one\n")
    assert tail.last_line() == b"one"
    with path.open("ab") as file:
        file.write(b"two")
    assert tail.last_line() == b"two"
    path.unlink()
    assert tail.last_line() == b"two"


def test_a_huge_file_is_read_from_its_end(tmp_path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        file.truncate(50 * 1024**3)  # sparse: 50 GB
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + b"".join(b"line %d\n" % i for i in range(100)))
    assert Tail(str(path)).last_line() == b"line 99"
    assert last_lines(str(path), 15) == [b"line %d" % i for i in range(85, 100)]


def test_a_line_without_an_end_is_bounded(tmp_path) -> None:
    path = tmp_path / "out"
    path.write_bytes("é".encode() * 1_000_000)
    line = Tail(str(path)).last_line()
    assert len(line) <= 4096
    assert set(line.decode()) == {"é"}  # not even a cut character at its beginning


def test_a_first_line_outside_the_window_is_left_out(tmp_path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"x" * 100 + b"\nlast one\n")
    assert last_lines(str(path), 15, window=20) == [b"last one"]
    assert last_lines(str(path), 15) == [b"x" * 100, b"last one"]


def test_what_is_no_file_has_no_lines(tmp_path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert last_lines(str(fifo), 5) == []  # and does not wait for a writer
    assert last_lines(str(tmp_path), 5) == []
    assert last_lines(str(tmp_path / "missing"), 5) == []
    assert last_lines("/dev/zero", 5) == []


def test_what_an_empty_file_holds_under_its_next_name_is_not_output_of_the_first(
    tmp_path, monkeypatch
) -> None:
    """It gets its next name, and something in it, between the look at it and the reading."""
    first, second, pread = tmp_path / "first", tmp_path / "second", os.pread
    tail = Tail(str(first))

    def late(fd: int, count: int, offset: int) -> bytes:
        first.rename(second)
        second.write_bytes(b"other\n")
        return pread(fd, 100, offset)

    for read in (tail.last_line, lambda: b"".join(last_lines(str(first), 3))):
        first.touch()
        monkeypatch.setattr(os, "pread", late)
        assert read() == b""
        monkeypatch.setattr(os, "pread", pread)
        first.write_bytes(b"own\n")
        assert read() == b"own"
        first.unlink()
