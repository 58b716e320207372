"""How scripts are rewritten and rendered."""

import os
import stat
import subprocess

import pytest

from taskrun.errors import ExpressionError
from taskrun.spec.render import render_script, script, script_problems

V1, V2 = "${TASKRUN_V1}", "${TASKRUN_V2}"


def rewritten(source):
    assert script_problems(source) == []
    return script(source).text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("echo ${{ x }}", f'echo "{V1}"'),
        ("echo a${{ x }}b", f'echo a"{V1}"b'),
        ("X=${{ x }} cmd", f'X="{V1}" cmd'),
        ("echo > ${{ x }}", f'echo > "{V1}"'),
        ('echo "a ${{ x }} b"', f'echo "a {V1} b"'),
        ("echo $(echo ${{ x }})", f'echo $(echo "{V1}")'),
        ('echo "$(echo ${{ x }} "${{ x }}")"', f'echo "$(echo "{V1}" "{V1}")"'),
        ("echo `echo ${{ x }}`", f'echo `echo "{V1}"`'),
        ('echo "`echo ${{ x }}`"', f'echo "`echo "{V1}"`"'),
        ("`echo \\`echo ${{ x }}\\``", f'`echo \\`echo "{V1}"\\``'),
        ('"`echo \\"${{ x }}\\"`"', f'"`echo \\"{V1}\\"`"'),
        ("echo 'a' ${{ x }} 'b'", f"echo 'a' \"{V1}\" 'b'"),
        ("echo 'a'\\''b' ${{ x }}", f"echo 'a'\\''b' \"{V1}\""),
        ('echo "it\'s ${{ x }}"', f'echo "it\'s {V1}"'),
        ("echo \\' ${{ x }}", f"echo \\' \"{V1}\""),
        ("cat <<EOF\n${{ x }} '${{ x }}' \"${{ x }}\"\nEOF\n", f"cat <<EOF\n{V1} '{V1}' \"{V1}\"\nEOF\n"),
        ("cat <<EOF\n$(echo ${{ x }})\nEOF\n", f'cat <<EOF\n$(echo "{V1}")\nEOF\n'),
        ("cat <<-EOF\n\ta\n\tEOF\necho ${{ x }}", f'cat <<-EOF\n\ta\n\tEOF\necho "{V1}"'),
        ("cat <<A <<B\n${{ x }}\nA\n'\nB\necho ${{ x }}", f"cat <<A <<B\n{V1}\nA\n'\nB\necho \"{V1}\""),
        ("cat <<'EOF'\n'\nEOF\necho ${{ x }}", f"cat <<'EOF'\n'\nEOF\necho \"{V1}\""),
        ("cat <<E | tr a ${{ x }}\n${{ x }}\nE\n", f'cat <<E | tr a "{V1}"\n{V1}\nE\n'),
        ("x=$(cat <<E\n${{ x }}'\nE\n)\necho ${{ x }}", f"x=$(cat <<E\n{V1}'\nE\n)\necho \"{V1}\""),
        ("cat <<E\n\\\nE\n'${{ x }}'\nE\necho ${{ x }}", f"cat <<E\n\\\nE\n'{V1}'\nE\necho \"{V1}\""),
        ("cat <<<${{ x }}", f'cat <<<"{V1}"'),
        ("echo $((${{ x }} << 2)) ' '", f"echo $(({V1} << 2)) ' '"),
        ("echo $( (echo ${{ x }}) )", f'echo $( (echo "{V1}") )'),
        ("echo $((echo ${{ x }}) )", f'echo $((echo "{V1}") )'),
        ("((n = ${{ x }} << 2))", f"((n = {V1} << 2))"),
        ("((echo ${{ x }}); echo)", f'((echo "{V1}"); echo)'),
        ("for ((i=0; i<${{ x }}; i++)); do :; done", f"for ((i=0; i<{V1}; i++)); do :; done"),
        ("case ${{ x }} in ${{ y }}) ;; esac", f'case "{V1}" in "{V2}") ;; esac'),
        ("$(case a in a) echo ${{ x }};; esac)", f'$(case a in a) echo "{V1}";; esac)'),
        ('"$(case a in (a|b) echo;; c) ;; esac; echo ${{ x }})"', f'"$(case a in (a|b) echo;; c) ;; esac; echo "{V1}")"'),
        ("echo ${a:-${{ x }}}", f'echo ${{a:-"{V1}"}}'),
        ('echo "${a:-${{ x }}}"', f'echo "${{a:-{V1}}}"'),
        ('echo "${a#${{ x }}}"', f'echo "${{a#"{V1}"}}"'),
        ("echo ${a:${{ x }}:1}", f"echo ${{a:{V1}:1}}"),
        ("echo ${a[${{ x }}]}", f"echo ${{a[{V1}]}}"),
        ("echo ${#a} ${#} $# $$ ${{ x }}", f'echo ${{#a}} ${{#}} $# $$ "{V1}"'),
        ("echo $[${{ x }}+1]", f"echo $[{V1}+1]"),
        ("f() { echo ${{ x }}; }", f'f() {{ echo "{V1}"; }}'),
        ("a=(${{ x }} b)", f'a=("{V1}" b)'),
        ("diff <(echo ${{ x }}) >(cat)", f'diff <(echo "{V1}") >(cat)'),
        ("[[ a == @(x|'y') ]] && echo ${{ x }}", f"[[ a == @(x|'y') ]] && echo \"{V1}\""),
        ("echo a#${{ x }}", f'echo a#"{V1}"'),
        ("echo $'it\\'s' ${{ x }}", f"echo $'it\\'s' \"{V1}\""),
        ('echo $"${{ x }}"', f'echo $"{V1}"'),
        ("echo \\\\${{ x }}", f'echo \\\\"{V1}"'),
        ("echo \\\n${{ x }}", f'echo \\\n"{V1}"'),
        ("ssh ${{ x }} uptime", f'ssh "{V1}" uptime'),
        ("ssh -p 22 host rm ${{ quote(x) }}", f'ssh -p 22 host rm "{V1}"'),
        ("sh -c 'echo \"$1\"' sh ${{ x }}", f"sh -c 'echo \"$1\"' sh \"{V1}\""),
        ("export A=${{ x }}", f'export A="{V1}"'),
    ],
)  # fmt: skip
def test_an_expression_becomes_a_reference_fit_for_where_it_stands(source, expected):
    assert rewritten(source) == expected


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("echo '${{ x }}'", "single quotes"),
        ("echo \"$(echo '${{ x }}')\"", "single quotes"),
        ("echo `echo '${{ x }}'`", "single quotes"),
        ("echo ${a:-'${{ x }}'}", "single quotes"),
        ("awk '{print \"${{ x }}\"}'", "single quotes"),
        ("echo $'${{ x }}'", "$'...'"),
        ("cat <<'EOF'\n${{ x }}\nEOF", "quoted delimiter"),
        ('cat <<"EOF"\n${{ x }}\nEOF', "quoted delimiter"),
        ("cat <<\\EOF\n${{ x }}\nEOF", "quoted delimiter"),
        ("cat <<${{ x }}\nEOF", "delimiter of a here-document"),
        ("echo \\${{ x }}", "backslash"),
        ('echo "\\${{ x }}"', "backslash"),
        ("cat <<E\n\\${{ x }}\nE", "backslash"),
        ("echo `echo \\${{ x }}`", "backslash"),
        ("echo ${${{ x }}}", "variable's name"),
        ("cat <<E\n${a#${{ x }}}\nE", "here-document"),
        ("echo $${{ x }}", "cannot read the ${{"),
        ('echo "$${{ x }}"', "cannot read the ${{"),
        ("eval ${{ x }}", "eval runs"),
        ('eval "a=${{ x }}"', "eval runs"),
        ("trap \"rm ${{ x }}\" EXIT", "trap runs"),
        ('sh -c "echo ${{ x }}"', "inner shell"),
        ('sudo -n bash -ec "echo ${{ x }}"', "inner shell"),
        ("find . | xargs /bin/sh -c ${{ x }}", "inner shell"),
        ("ssh -p 22 host rm ${{ x }}", "other side"),
        ("A=b env -i ssh host ${{ x }}", "other side"),
        ('python3.11 -c "print(${{ quote(x) }})"', "code the program runs"),
        ('perl -pe "s/a/${{ x }}/"', "code the program runs"),
        ("for i do eval ${{ x }}; done", "eval runs"),
        ("function f { eval ${{ x }}; }", "eval runs"),
        ("case x in x) eval ${{ x }};; esac", "eval runs"),
        ("if eval ${{ x }}; then :; fi", "eval runs"),
        ("echo $(eval ${{ x }})", "eval runs"),
        ("export ${{ x }}=1", "name of a variable"),
        ("unset ${{ x }}", "name of a variable"),
        ("read -r ${{ x }}", "name of a variable"),
        ("printf -v ${{ x }} 1", "name of a variable"),
        ("[[ -v ${{ x }} ]]", "name of a variable"),
        ("echo ${{ 1 + }}", "ends too early"),
        ("echo ${{ x", "never closed"),
        ("echo \0 ${{ x }}", "NUL"),
    ],
)  # fmt: skip
def test_a_place_where_no_value_can_stand_is_a_problem(source, word):
    ((offset, message),) = script_problems(source)
    assert word in message
    assert source[offset:].startswith(("${{", "$${{", "\0", "}}", " }}")) or "1 +" in source
    with pytest.raises(ExpressionError) as raised:
        script(source)
    assert raised.value.offset == offset


def test_all_problems_are_told_in_order():
    source = "echo '${{ a }}' ok ${{ b }} '${{ c }}' \\${{ d }}"
    assert [offset for offset, _ in script_problems(source)] == [6, 29, 40]


def test_an_expression_in_a_comment_is_neither_evaluated_nor_a_problem():
    source = "echo a # was ${{ tasks.gone.outputs.x }}, '${{ 1\n + }}'\n"
    assert rewritten(source) == "echo a # was ${{ tasks.gone.outputs.x }}, '${{ 1 + }}'\n"
    assert script(source).variables == ()


def test_an_escaped_opening_gives_the_characters():
    assert rewritten("echo '$${{ x }}'") == "echo '${{ x }}'"
    assert rewritten('echo "\\$${{ x }}"') == 'echo "\\${{ x }}"'
    assert rewritten("cat <<'E'\n$${{ x }}\nE\n") == "cat <<'E'\n${{ x }}\nE\n"


def test_the_same_expression_twice_shares_its_variable():
    found = script('echo ${{ x }} ${{ y }} "${{x}}"')
    assert found.text == f'echo "{V1}" "{V2}" "{V1}"'
    assert [(name, expression.source) for name, expression in found.variables] == [
        ("TASKRUN_V1", "x"),
        ("TASKRUN_V2", "y"),
    ]


def test_a_script_knows_where_its_expressions_stand():
    source = "echo ${{ inputs.a }} # ${{ no }}\necho ${{ item }}"
    shown = [(source[at : at + len(expression.source)]) for at, expression in script(source).uses]
    assert shown == ["inputs.a", "item"]


def test_a_script_without_expressions_stays_as_it_is():
    assert script("echo ${HOME} '$x'") == ("echo ${HOME} '$x'", (), frozenset(), ())


@pytest.mark.parametrize(
    "source",
    [
        "echo $((${{ x }} + 1))",
        "((${{ x }} > 1))",
        "let a=${{ x }}",
        "[[ ${{ x }} -eq 1 ]]",
        "[[ a == b && 1 -lt ${{ x }} ]]",
        "declare -i a=${{ x }}",
        "echo ${a:${{ x }}}",
        "echo ${a[${{ x }}]}",
        "echo $[${{ x }}]",
    ],
)
@pytest.mark.parametrize("value", ["a[$(touch pwned)]", "1+1", "", "08", "x", 1.5, True, None, [1], "1\n"])
def test_only_whole_numbers_go_into_arithmetic(source, value, tmp_path):
    with pytest.raises(ExpressionError, match="whole number"):
        render_script(source, {"x": value}, str(tmp_path))


@pytest.mark.parametrize("value", [0, -3, 12, "7", "-1"])
def test_whole_numbers_do_go_into_arithmetic(value, tmp_path):
    text, environment = render_script("echo $((5-${{ x }}))", {"x": value}, str(tmp_path))
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell, "-c", text], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{5 - int(value)}\n"


def test_values_become_text_or_json(tmp_path):
    scope = {"v": {"t": "a", "n": 1.5, "b": True, "z": None, "l": [1, "é"], "m": {"k": False}}}
    source = " ".join(f"${{{{ v.{key} }}}}" for key in "tnbzlm")
    environment = render_script(source, scope, str(tmp_path))[1]
    assert list(environment.values()) == ["a", "1.5", "true", "", '[1, "é"]', '{"k": false}']


def test_a_value_with_nul_is_refused(tmp_path):
    with pytest.raises(ExpressionError, match="NUL"):
        render_script("echo ${{ x }}", {"x": "a\0b"}, str(tmp_path))


def test_half_a_character_is_refused(tmp_path):
    with pytest.raises(ExpressionError, match="half a character"):
        render_script("echo ${{ x }}", {"x": "a\ud800b"}, str(tmp_path))


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_long_value_travels_through_a_private_file(shell, tmp_path):
    value = "é'\"$(touch pwned)\n * " * 8_000 + "\n\n"
    text, environment = render_script("printf %s ${{ x }} && env", {"x": value}, str(tmp_path))
    (name,) = environment
    path = environment[name]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert text.count("\n") == 0
    environment |= {"PATH": os.environ["PATH"], "TASKRUN_V1": "from outside"}
    done = subprocess.run([shell, "-c", text], env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().startswith(value)
    assert b"TASKRUN_V1" not in done.stdout[len(value.encode()) :]
    assert not (tmp_path / "pwned").exists()


def test_many_values_together_stay_below_what_the_system_takes(tmp_path):
    scope = {"v": [str(number) * 50_000 for number in range(10)] * 6}
    source = "printf %s " + " ".join(f"${{{{ v[{number}] + '{number}' }}}}" for number in range(60))
    text, environment = render_script(source, scope, str(tmp_path))
    assert sum(map(len, environment.values())) < 700_000
    done = subprocess.run(
        ["sh", "-c", text],
        env=environment | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "".join(str(number % 10) * 50_000 + str(number) for number in range(60))


def test_long_values_of_scripts_at_the_same_time_do_not_meet(tmp_path):
    texts = [render_script("printf %s ${{ x }}", {"x": letter * 200_000}, str(tmp_path)) for letter in "ab"]
    for letter, (text, environment) in zip("ab", texts, strict=True):
        environment |= {"PATH": os.environ["PATH"]}
        done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == letter * 200_000
    assert list(tmp_path.iterdir()) == []
