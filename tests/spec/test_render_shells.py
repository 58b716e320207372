"""For every string, in every context, real shells print exactly that string and run nothing of it."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from taskrun.spec.render import render_script, script_problems

# Each prints the value once; what it prints is between NUL characters.
CONTEXTS = {
    "unquoted": "printf '%s\\0' ${{ v }}",
    "glued": "printf '%s\\0' a${{ v }}b",
    "double": "printf '%s\\0' \"a ${{ v }} b\"",
    "beside single": "printf '%s\\0' 'a'${{ v }}'b'",
    "assignment": "x=${{ v }}; printf '%s\\0' \"$x\"",
    "quoted assignment": 'x="${{ v }}"; printf \'%s\\0\' "$x"',
    "exported": "export x=${{ v }}; printf '%s\\0' \"$x\"",
    "substitution": "printf '%s\\0' \"$(printf %s. ${{ v }})\"",
    "substitution, quoted": 'printf \'%s\\0\' "$(printf %s. "${{ v }}")"',
    "nested substitution": 'printf \'%s\\0\' "$(printf %s "$(printf %s. ${{ v }})")"',
    "backticks": "x=`printf %s. ${{ v }}`; printf '%s\\0' \"$x\"",
    "backticks, quoted": "printf '%s\\0' \"`printf %s. ${{ v }}`\"",
    "backticks, escaped quotes": 'printf \'%s\\0\' "`printf %s. \\"${{ v }}\\"`"',
    "nested backticks": "x=`printf %s. \\`printf %s. ${{ v }} | od -An -v -tx1 | tr -d ' \\n'\\``; printf '%s\\0' \"$x\"",
    "here-document": "cat <<EOF\na ${{ v }} b\nEOF\nprintf '\\0'",
    "here-document with tabs": "cat <<-EOF\n\ta ${{ v }} b\n\tEOF\nprintf '\\0'",
    "here-document in substitution": "printf '%s\\0' \"$(cat <<EOF\na ${{ v }} b\nEOF\n)\"",
    "substitution in here-document": "cat <<EOF\n$(printf %s. ${{ v }})\nEOF\nprintf '\\0'",
    "default": "unset u; printf '%s\\0' ${u:-${{ v }}}",
    "default, quoted": "unset u; printf '%s\\0' \"${u:-a ${{ v }}}\"",
    "default, quoted twice": 'unset u; printf \'%s\\0\' "${u:-"${{ v }}"}"',
    "prefix removed": "x=${{ v }}-rest; printf '%s\\0' \"${x#${{ v }}}\"",
    "suffix removed": "x=rest-${{ v }}; printf '%s\\0' ${x%${{ v }}}",
    "case": "case ${{ v }} in ${{ v }}) printf '%s\\0' ${{ v }};; *) printf 'no\\0';; esac",
    "case in substitution": "printf '%s\\0' \"$(case x in (a|b) ;; x) printf %s. ${{ v }};; esac)\"",
    "loop": "for i in ${{ v }} ${{ v }}; do printf '%s\\0' \"$i\"; done",
    "function": "f() { printf '%s\\0' \"$1\"; }; f ${{ v }}",
    "subshell": "(printf '%s\\0' ${{ v }})",
    "inner shell": 'sh -c \'printf "%s\\0" "$1"\' sh ${{ v }}',
    "eval of quoted": "eval \"printf '%s\\\\0' ${{ quote(v) }}\"",
    "test": "if test ${{ v }} = ${{ v }}; then printf '%s\\0' same; fi",
}
BASH = {
    "array": "a=(x ${{ v }} y); printf '%s\\0' \"${a[1]}\" ${#a[@]}",
    "here-string": "x=$(cat <<<${{ v }}.); printf '%s\\0' \"$x\"",
    "process substitution": "cat <(printf '%s\\0' ${{ v }})",
    "replacement": "x=xay; printf '%s\\0' \"${x/a/${{ v }}}\"",
    "replaced": "x=${{ v }}-; printf '%s\\0' \"${x/${{ v }}-/gone}\"",
    "double bracket": "[[ ${{ v }} == ${{ v }} && x != ${{ v }}. ]] && printf '%s\\0' same",
    "locale string": "printf '%s\\0' $\"${{ v }}\"",
}  # fmt: skip


def _hex(value):
    return (value + ".").encode("utf-8", "surrogateescape").hex()


def expected(value):
    plain, dotted, framed = [value], [value + "."], [f"a {value} b"]
    return {
        "glued": [f"a{value}b"],
        "double": framed,
        "beside single": [f"a{value}b"],
        **dict.fromkeys(["substitution", "substitution, quoted", "nested substitution"], dotted),
        **dict.fromkeys(["backticks", "backticks, quoted", "backticks, escaped quotes"], dotted),
        "nested backticks": [_hex(value) + "."],
        **dict.fromkeys(["here-document", "here-document with tabs"], [f"a {value} b\n"]),
        "here-document in substitution": framed,
        "substitution in here-document": [value + ".\n"],
        "default, quoted": [f"a {value}"],
        "prefix removed": ["-rest"],
        "suffix removed": ["rest-"],
        "case in substitution": dotted,
        "loop": plain * 2,
        "test": ["same"],
        "array": [value, "3"],
        "here-string": dotted,
        "replacement": [f"x{value}y"],
        "replaced": ["gone"],
        "double bracket": ["same"],
    }


NASTY = [
    "$(touch pwned)", "`touch pwned`", "; touch pwned;", "\ntouch pwned\n", "\"; touch pwned; \"", "'; touch pwned; '",
    "'", '"', "\\", "\\\\", "*", "?", "[a-z]", "~", "~root", "$HOME", "${HOME}", "$", "&", "|", "<", ">", "(", ")", "{a,b}",
    "-n", "-e", "--", "#", "!", "!!", "=", "%s", "%", "\n", "\n\n", "\t", "\r", "  ", "EOF", "\nEOF\n", "}}", "${{ v }}", "\x01", "\x7f",
    "é", "\U0001f600", "\u202e", "\ufeff", "a[$(touch pwned)]", "esac", ";;", "\udcff",
]  # fmt: skip
STRINGS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)), max_size=6).map("".join)  # fmt: skip


def outputs(shell, value, contexts, directory):
    printed = {}
    separator = "\nprintf '=section=\\0'\n"
    text, environment = render_script(separator.join(contexts.values()), {"v": value}, str(directory))
    environment |= {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run([shell, "-c", text], env=environment, cwd=directory, capture_output=True)
    sections = done.stdout.decode("utf-8", "surrogateescape").split("=section=\0")
    assert done.stderr == b""
    assert len(sections) == len(contexts)
    for name, section in zip(contexts, sections, strict=True):
        printed[name] = section.split("\0")[:-1]
    return printed


@pytest.mark.parametrize("shell", ["sh", "bash"])
@given(value=STRINGS)
@example(value="")
@example(value="".join(NASTY))
@example(value="-n")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_string_is_printed_as_it_is_and_never_run(shell, value, tmp_path):
    contexts = CONTEXTS | BASH if shell == "bash" else CONTEXTS
    wanted = expected(value)
    for name, printed in outputs(shell, value, contexts, tmp_path).items():
        assert printed == wanted.get(name, [value]), name
    assert not (tmp_path / "pwned").exists()


def test_no_context_here_has_problems():
    for source in (CONTEXTS | BASH).values():
        assert script_problems(source) == []
