"""TR1xx: reading a file and its YAML."""

from taskrun.spec.catalog.entry import Entry

ENTRIES: dict[str, Entry] = {
    "TR101": Entry(
        "file not found",
        "There is no file with this name. A near name in the same directory is offered where there is one.",
        "taskrun run depoly.yaml",
        "taskrun run deploy.yaml",
    ),
    "TR102": Entry(
        "not a regular file",
        "A workflow is read from a regular file: a directory, a pipe, a socket or a device cannot be read twice, "
        "and a run that is taken up again needs its file.",
        "taskrun run <(generate)",
        "generate > deploy.yaml && taskrun run deploy.yaml",
    ),
    "TR103": Entry(
        "file cannot be read",
        "The operating system refuses to open or read the file; its reason is in the message.",
        "chmod a-r deploy.yaml; taskrun run deploy.yaml",
        "chmod u+r deploy.yaml; taskrun run deploy.yaml",
    ),
    "TR104": Entry(
        "file too large",
        "A workflow file may have 16 MiB, which is more than 100,000 tasks. Data belongs in files of its own.",
        "taskrun run dump.yaml",
        "taskrun run deploy.yaml -i dump=dump.yaml",
    ),
    "TR105": Entry(
        "not UTF-8",
        "The file holds bytes that are not UTF-8, the encoding of every workflow file. The position is that of the "
        "first such byte. Save the file as UTF-8, or convert it with `iconv -f LATIN1 -t UTF-8`.",
        "name: caf<byte e9>",
        "name: cafe",
    ),
    "TR106": Entry(
        "UTF-16 or UTF-32",
        'The file is saved as UTF-16 or UTF-32, as some Windows editors do under the name "Unicode". '
        "Save it as UTF-8, or convert it with `iconv -f UTF-16 -t UTF-8`.",
        "deploy.yaml saved as Unicode",
        "deploy.yaml saved as UTF-8",
    ),
    "TR107": Entry(
        "control character",
        "The file holds a character that cannot be seen and does not belong in a text: a control character, NUL, a "
        "carriage return that ends no line, a byte order mark in the middle, or one of the rare line separators "
        "U+0085, U+2028 and U+2029, which YAML readers take for a line end and editors do not. "
        "Where the character is meant, write it as an escape in double quotes.",
        "name: hello\ndescription: ring \x07\n",
        'name: hello\ndescription: "ring \\x07"\n',
    ),
    "TR108": Entry(
        "bidirectional control character",
        "The file holds a character that makes an editor show text in another order than it is read and run "
        '(CVE-2021-42574, "Trojan Source"): what is reviewed is not what is executed. '
        "Where it is meant, write it as an escape in double quotes.",
        "name: hello\ndescription: a \u202eb\n",
        'name: hello\ndescription: "a \\u202eb"\n',
    ),
    "TR109": Entry(
        "NUL in a string",
        "No command line, environment variable, path or text column can hold the NUL character.",
        'name: hello\ndescription: "a\\0b"\n',
        "name: hello\ndescription: ab\n",
    ),
    "TR110": Entry(
        "empty file",
        "The file holds nothing, or only comments. The smallest workflow has a name and one task.",
        "# nothing yet\n",
        "name: hello\ntasks:\n  - name: greet\n    run: echo hello\n",
    ),
    "TR111": Entry(
        "more than one document",
        "A workflow file holds one YAML document; `---` in the middle begins another. "
        "Put the second workflow into a file of its own.",
        "name: one\n---\nname: two\n",
        "---\nname: one\n",
    ),
    "TR120": Entry(
        "YAML syntax",
        "The text is not YAML from this place on. Nothing behind the place could be checked, so that more mistakes "
        "may show once this one is mended.",
        "name: hello\ndescription: | text\n",
        "name: hello\ndescription: |\n  text\n",
    ),
    "TR121": Entry(
        "tab in indentation",
        "YAML indents with spaces only. Set the editor to insert spaces, or convert the file with `expand`.",
        "name: hello\ninputs:\n\tapi: x\n",
        "name: hello\ninputs:\n  api: x\n",
    ),
    "TR122": Entry(
        "brackets in an unquoted value",
        "Between `{` and `}` or `[` and `]` every bracket, brace and comma belongs to YAML, so that "
        "`${{ expressions }}`, indexes like `a[0]` and shell braces need quotes there.",
        "name: hello\ninputs: {api: ${{ env.API }}}\n",
        'name: hello\ninputs: {api: "${{ env.API }}"}\n',
    ),
    "TR123": Entry(
        "text that needs quotes",
        "An unquoted value may not hold a colon followed by a space, and may not begin with `*`, `&`, `@`, `` ` ``, "
        "`%`, `|` or `>`: these mean something to YAML. Put the value in quotes, or write it as a block with `|`.",
        "name: hello\ndescription: note: this\n",
        'name: hello\ndescription: "note: this"\n',
    ),
    "TR124": Entry(
        "quotes that do not match",
        "A quoted value must end where its quote ends: a quote is never closed, or text follows the closing quote. "
        "To quote a whole shell command that has quotes of its own, use the other kind of quotes or a block with `|`.",
        'name: hello\ndescription: "a" and "b"\n',
        'name: hello\ndescription: \'"a" and "b"\'\n',
    ),
    "TR125": Entry(
        "brackets that do not match",
        "A list or mapping in brackets needs a comma between its entries and its closing bracket.",
        "name: hello\ninputs: {api: x\n",
        "name: hello\ninputs: {api: x}\n",
    ),
    "TR126": Entry(
        "unknown escape",
        "Between double quotes a backslash begins an escape, and this one does not exist. "
        "Single quotes leave backslashes alone; or write the backslash twice.",
        'name: hello\ndescription: "\\d+"\n',
        "name: hello\ndescription: '\\d+'\n",
    ),
    "TR127": Entry(
        "indentation",
        "The line begins at a column that fits nothing above it. The keys of one mapping, and the dashes of one list, "
        "all begin at the same column.",
        "name: hello\n description: x\n",
        "name: hello\ndescription: x\n",
    ),
    "TR128": Entry(
        "line without a key",
        "Between the keys of a mapping stands a line that is neither `key: value` nor an item of a list.",
        "name: hello\ndescription\ntasks: []\n",
        "name: hello\ndescription: x\ntasks: []\n",
    ),
    "TR130": Entry(
        "duplicate key",
        "The same key stands twice in one mapping. Most YAML readers silently take the last; here neither is guessed.",
        "name: one\nname: two\n",
        "name: one\n",
    ),
    "TR131": Entry(
        "key that is not a string",
        "Keys are strings. `true`, `null`, numbers, lists and mappings are not, unless quoted: "
        "`1` and `1.0`, or `true` and `1`, would otherwise be one key. "
        'An expression needs a dollar sign and quotes: `"${{ ... }}"`.',
        "name: hello\nenv:\n  1: one\n",
        'name: hello\nenv:\n  "1": one\n',
    ),
    "TR132": Entry(
        "tag",
        "Tags like `!!str`, `!include` or `!!python/object` are refused: a workflow holds strings, numbers, booleans, "
        "null, lists and mappings. To make a string of a number, quote it.",
        "name: hello\ndescription: !!str 12\n",
        'name: hello\ndescription: "12"\n',
    ),
    "TR133": Entry(
        "unknown alias",
        "`*name` repeats the value marked with `&name`, and there is no such mark above. "
        "A value that only begins with a star needs quotes.",
        "name: hello\ndescription: *text\n",
        'name: hello\ndescription: "*text"\n',
    ),
    "TR134": Entry(
        "alias inside its own value",
        "The value marked with `&name` contains `*name`: it would never end.",
        "name: hello\nenv: &env\n  a: *env\n",
        "name: hello\nenv: &env\n  a: x\n",
    ),
    "TR135": Entry(
        "merge of something else than a mapping",
        "`<<` copies the keys of a mapping, or of a list of mappings, into the mapping around it.",
        "name: hello\nenv:\n  <<: text\n",
        "name: hello\nenv:\n  <<: {a: x}\n",
    ),
    "TR140": Entry(
        "nested too deeply",
        "Lists and mappings may be nested 64 deep, aliases followed. Deep data belongs in a file of its own.",
        "name: hello\ninputs: " + "[" * 64 + "]" * 64 + "\n",
        "name: hello\ninputs: []\n",
    ),
    "TR141": Entry(
        "too many values",
        "A file may hold two million keys and values.",
        "taskrun run dump.yaml",
        "taskrun run deploy.yaml -i dump=dump.yaml",
    ),
    "TR142": Entry(
        "aliases that grow too large",
        "A file may use 1,000 aliases, and what they repeat may come to 200,000 values and 4 million characters: "
        "a few lines of aliases to aliases can otherwise stand for more than any memory holds.",
        "taskrun run bomb.yaml",
        "taskrun run deploy.yaml",
    ),
    "TR143": Entry(
        "number too long",
        "A number may have 4,000 digits. Text made of digits needs quotes.",
        "name: hello\ninputs: {n: " + "9" * 4001 + "}\n",
        'name: hello\ninputs: {n: "' + "9" * 4001 + '"}\n',
    ),
    "TR149": Entry(
        "too many mistakes",
        "After 100 mistakes the rest of the file is not read. Mend these first.",
        "taskrun validate broken.yaml",
        "taskrun validate deploy.yaml",
    ),
    "TR150": Entry(
        "unquoted text over several lines",
        "Unquoted text that goes on in the next line is joined with a space. Mostly this is not meant: a dash or a "
        "key that is indented one column too far becomes a part of the value above. Where it is meant, write the text "
        "as a block with `>` (lines joined) or `|` (lines kept), or put it in quotes.",
        "name: hello\ninputs:\n  - a\n   - b\n",
        "name: hello\ninputs:\n  - a\n  - b\n",
    ),
    "TR151": Entry(
        "word that looks like a boolean",
        "`yes`, `no`, `on` and `off` are plain strings, as in YAML 1.2; older YAML readers made booleans of them. "
        "Write `true` or `false` for a boolean, or put the word in quotes.",
        "name: hello\ninputs: {force: yes}\n",
        "name: hello\ninputs: {force: true}\n",
    ),
    "TR152": Entry(
        "YAML version",
        "The file says `%YAML 1.1` but is read as YAML 1.2, where `yes`, `012` and `12:30` mean something else. "
        "Leave the line out.",
        "%YAML 1.1\n---\nname: hello\n",
        "---\nname: hello\n",
    ),
}
