"""Contexts nested in contexts at random: real shells print what the script says, and nothing is run; no script is slow."""

import os
import re
import subprocess
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrun.spec.render import render_script, script_problems

NASTY = [
    "$(touch pwned)", "`touch pwned`", "; touch pwned;", "\ntouch pwned\n", "'", '"', "\\", "*", "~", "$HOME", "&", "|", "<", "(", ")",
    "{a,b}", "-n", "#", "!", " ", "  ", "\n", "E1", "\nE1\n", "}", "}}", "x", "é", "esac", "a[$(touch pwned)]",
]  # fmt: skip
VALUES = st.lists(st.sampled_from(NASTY), max_size=5).map("".join)


class Writer:
    """Writes a script and, beside it, what it must print; V stands for the value."""

    def __init__(self, draw):
        self.draw = draw
        self.documents = 0

    def pick(self, number):
        return self.draw(st.integers(0, number - 1))

    def word(self, depth):
        kind = self.pick(10 if depth > 0 else 4)
        if kind < 4:
            return [
                ("${{ v }}", "V"),
                ("'li;#\"$(('", 'li;#"$(('),
                ("\\'x\\\"\\$\\\\", "'x\"$\\"),
                ("a#b", "a#b"),
            ][kind]
        if kind == 4:
            one, other = self.word(depth - 1), self.word(depth - 1)
            return one[0] + other[0], one[1] + other[1]
        if kind == 5:
            return "$((${{ n }}+1))", "43"
        if kind == 6:
            source, printed = self.word(depth - 1)
            return f"${{U:-{source}}}", printed
        source, printed = self.quoted(depth - 1)
        return ('"${U:-' + source + '}"' if kind == 7 else f'"{source}"'), printed

    def quoted(self, depth):
        kind = self.pick(8 if depth > 0 else 4)
        if kind < 4:
            return [
                ("${{ v }}", "V"),
                ("its #1; (", "its #1; ("),
                ('\\"\\$\\\\ \\`', '"$\\ `'),
                (" ${{ v }}${{ v }} ", " VV "),
            ][kind]
        if kind == 4:
            one, other = self.quoted(depth - 1), self.quoted(depth - 1)
            return one[0] + other[0], one[1] + other[1]
        if kind == 5:
            return "$((1<<2))", "4"
        source, printed = self.command(depth - 1)
        if kind == 6:
            return f"$( {source}\nprintf . # it's\n)", printed + "."
        return f"$( ( {source}\nprintf .) )", printed + "."

    def command(self, depth):
        source, printed = self.word(depth)
        kind = self.pick(11 if depth > 0 else 1)
        simple = [
            f"printf %s {source}",
            f"case x in (a|b) ;; 'x') printf %s {source} ;; esac",
            f"{{ printf %s {source}; }}",
            f"( printf %s {source})",
            f"if true; then printf %s {source}; fi",
            f'for i in {source}; do printf %s "$i"; done',
            f'x={source} y=2; printf %s "$x"',
            f'f() {{ printf %s "$1"; }}; f {source}',
        ]
        if kind < len(simple):
            return simple[kind], printed
        if kind == 8:
            inner = _for_backticks(f"printf %s {source}; printf .")
            return f'x=`{inner}`; printf %s "$x"', printed + "."
        self.documents += 1
        mark = f"E{self.documents}"
        if kind == 9:
            return (
                f"cat <<-'{mark}' | tr -d '\\n'\n\tno \" ' here $(\n\t{mark}\nprintf %s {source}",
                "no \" ' here $(" + printed,
            )
        body, shown = self.quoted(depth - 1)
        if '"' in body:
            body = shown = "x"
        return f"cat <<{mark}\n{body}\n{mark}\nprintf %s {source}", f"{shown}\n{printed}"


def _for_backticks(source):
    parts = re.split(r"(\$\{\{ \w \}\})", source)
    return "".join(
        part if position % 2 else re.sub(r"([\\`$])", r"\\\1", part) for position, part in enumerate(parts)
    )


@st.composite
def scripts(draw):
    return Writer(draw).command(draw(st.integers(1, 5)))


@pytest.mark.parametrize("shell", ["sh", "bash"])
@given(script=scripts(), value=VALUES)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nested_contexts_print_what_they_say(shell, script, value, tmp_path):
    source, printed = script
    assert script_problems(source) == []
    text, environment = render_script(source, {"v": value, "n": 42}, str(tmp_path))
    environment |= {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run([shell, "-c", text], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == printed.replace("V", value)
    assert not (tmp_path / "pwned").exists()


PIECES = [
    "${{ x }}", "${{ 'a' }}", "$${{", "$(", ")", "((", "))", "$((", "${a", "${a:-", "${a#", "}", "[[ ", " ]]", "'", '"', "`", "\\", "\n", " ", "#",
    "<<E\n", "<<'E'\n", "<<-E\n", "\nE\n", "case x in ", "esac", ";;", ";", "&", "|", "<", ">", "<(", "a=(", "f() {", "$'", '$"', "$[", "]", "if ",
    "then ", "for ", "do ", "done", "eval ", "sh -c ", "ssh h ", "export ", "let ", "x", "=",
]  # fmt: skip


@given(source=st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=30))
@settings(max_examples=600, deadline=None)
def test_any_script_is_rewritten_or_has_problems_with_places(source):
    found = script_problems(source)
    assert all(0 <= offset <= len(source) and message for offset, message in found)
    assert found == sorted(found)


@pytest.mark.parametrize(
    "piece",
    ["(", "(( ", "$(", "$((", "${", "`", "\\`", '"', "'", "<<E ", "<<E\n", "case x in ", "case x in esac ", "x ", "&", "# \n", ")", "$[", "a=(", "let ",
     "sh ", "sh -c ", "sudo ", "ssh -p ", "-eq ", "[[ ", "a(", "\\", '"${a:-\'', "<", '"`', ";;", "$'", "echo ${{ x }}\n", "'${{ x }}' "],
)  # fmt: skip
@pytest.mark.parametrize("end", [" ${{ x }}", "\n${{ x }}"])
def test_the_time_to_read_a_script_grows_with_its_length_only(piece, end):
    source = piece * (20_000 // len(piece)) + end
    started = time.process_time()
    script_problems(source)
    assert time.process_time() - started < 1
