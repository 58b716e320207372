"""TR4xx: expressions. TR5xx: expressions in shell scripts."""

from taskrun.spec.catalog.entry import Entry

_HELLO = "name: hello\ninputs: {login: alice}\ntasks:\n"

ENTRIES: dict[str, Entry] = {
    "TR401": Entry(
        "expression that cannot be read",
        "Expressions look like Python's, with fewer things in them: literals, names, arithmetic, comparisons, "
        "`and or not in`, `x if c else y`, indexing, and a table of functions.",
        _HELLO + "  - name: show\n    echo: ${{ inputs.login + }}\n",
        _HELLO + '  - name: show\n    echo: ${{ inputs.login + "!" }}\n',
    ),
    "TR402": Entry(
        "text where an expression is needed",
        "The whole field is one expression, so there is no text around it and the braces are left out.",
        _HELLO + "  - name: show\n    echo: hi\n    if: ${{ inputs.login }} == 'alice'\n",
        _HELLO + "  - name: show\n    echo: hi\n    if: inputs.login == 'alice'\n",
    ),
    "TR403": Entry(
        "expression where a fixed value is needed",
        "This value has to be known before a run, so it cannot be an expression.",
        'name: hello\ninputs: {login: "${{ run.user }}"}\ntasks: [{name: show, echo: hi}]\n',
        "name: hello\ninputs: {login: alice}\ntasks: [{name: show, echo: hi}]\n",
    ),
    "TR404": Entry(
        "braces of another tool",
        "Expressions are written `${{ ... }}`. `{{ inputs.x }}` is plain text here, and `${inputs.x}` is nothing a "
        "shell knows.",
        _HELLO + "  - name: show\n    echo: hi {{ inputs.login }}\n",
        _HELLO + "  - name: show\n    echo: hi ${{ inputs.login }}\n",
    ),
    "TR501": Entry(
        "expression where the shell expands nothing",
        "In a script an expression becomes a reference to a shell variable, so that no value can become code. Inside "
        "single quotes, quoted here-documents and comments the shell expands no variables. Use double quotes, or "
        "close the single ones around the expression. For the characters themselves write `$${{`.",
        _HELLO + "  - name: show\n    run: echo '${{ inputs.login }}'\n    revert: none\n",
        _HELLO + '  - name: show\n    run: echo "${{ inputs.login }}"\n    revert: none\n',
    ),
}
