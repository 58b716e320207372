"""Where secrets come from, when they are read, and what is said when they cannot be."""

import pathlib

import pytest

from taskrun.drivers.secrets import LONGEST, Secrets
from taskrun.errors import ExpressionError, UsageError
from taskrun.spec.expressions import parse, render


def made(tmp_path: pathlib.Path, environ: dict[str, str] | None = None, **specs: dict) -> Secrets:
    environ = {"PATH": "/usr/bin:/bin", **(environ or {})}
    return Secrets({"secrets": specs, "dir": str(tmp_path)}, environ)


def test_a_secret_is_read_from_the_environment_a_file_and_a_program(tmp_path: pathlib.Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    secrets = made(
        tmp_path,
        {"TOKEN": "from outside"},
        a={"env": "TOKEN"},
        b={"file": "key"},
        c={"command": ["printf", "two\\nlines\\n"]},
    )
    secrets.prepare()
    scope = {"secrets": secrets}
    assert render("${{ secrets.a }}, ${{ secrets.b }}, ${{ secrets.c }}", scope) == (
        "from outside, from a file, two\nlines"
    )
    assert parse("sorted(secrets)").evaluate({"secrets": list(secrets)}) == ["a", "b", "c"]
    assert secrets.masker.text("from outside: lines") == "***: ***"


def test_all_that_is_missing_is_said_at_once(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").write_text("\n")
    secrets = made(
        tmp_path,
        {"EMPTY": ""},
        a={"env": "NOT_SET"},
        b={"env": "EMPTY"},
        c={"file": "not_there"},
        d={"file": "empty"},
        e={"file": "."},
        f={"command": ["no-such-program-here", "x"]},
    )
    with pytest.raises(UsageError) as caught:
        secrets.prepare()
    assert caught.value.message.splitlines() == [
        "secret `a`: the environment variable NOT_SET is not set",
        "secret `b`: the environment variable EMPTY is empty",
        f"secret `c`: {tmp_path}/not_there cannot be read: No such file or directory",
        f"secret `d`: {tmp_path}/empty is empty",
        f"secret `e`: {tmp_path}/. cannot be read: Is a directory",
        "secret `f`: there is no program 'no-such-program-here'",
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"\xff\xfe", "not UTF-8"), (b"a\0b", "NUL"), (b"x" * (LONGEST + 1), "larger than 65,536")],
)
def test_what_is_no_text_is_refused(data: bytes, why: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(UsageError, match=why):
        made(tmp_path, a={"file": "key"}).prepare()


def test_a_program_is_run_once_and_not_before_it_is_needed(tmp_path: pathlib.Path) -> None:
    secrets = made(tmp_path, a={"command": ["sh", "-c", "echo x >> ran; echo value"]})
    secrets.prepare()
    assert not (tmp_path / "ran").exists()
    assert [secrets["a"], secrets["a"]] == ["value", "value"]
    assert (tmp_path / "ran").read_text() == "x\n"


def test_a_program_that_fails_says_so_without_the_other_secrets(tmp_path: pathlib.Path) -> None:
    secrets = made(
        tmp_path,
        {"TOKEN": "hunter22"},
        a={"env": "TOKEN"},
        b={"command": ["sh", "-c", 'echo "no vault for $TOKEN" >&2; exit 3']},
        c={"command": ["true"]},
    )
    secrets.prepare()
    with pytest.raises(
        ExpressionError, match=r"^secret `b`: `sh` ended with exit code 3: no vault for \*\*\*$"
    ):
        parse("secrets.b").evaluate({"secrets": secrets})
    with pytest.raises(ExpressionError, match="`true` printed nothing"):
        parse("secrets.c").evaluate({"secrets": secrets})


def test_its_text_says_names_only(tmp_path: pathlib.Path) -> None:
    secrets = made(tmp_path, {"TOKEN": "hunter22"}, a={"env": "TOKEN"})
    secrets.prepare()
    assert repr(secrets) == "Secrets(a)"


def test_somebody_who_only_looks_runs_no_program(tmp_path: pathlib.Path) -> None:
    secrets = made(
        tmp_path,
        {"TOKEN": "hunter22"},
        a={"env": "TOKEN"},
        b={"env": "NOT_HERE"},
        c={"command": ["sh", "-c", "echo x > ran"]},
    )
    assert secrets.read_what_is_there() == ["b", "c"]
    assert not (tmp_path / "ran").exists()
    assert secrets.masker.text("hunter22") == "***"
