"""``taskrun completion SHELL``."""

import click
from click.shell_completion import get_completion_class

from taskrun.cli.commands import COMPLETE
from taskrun.cli.group import cli


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script that completes commands, options, runs and tasks in a shell.

    \b
      eval "$(taskrun completion bash)"     in ~/.bashrc
      eval "$(taskrun completion zsh)"      in ~/.zshrc
      taskrun completion fish | source      in config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "taskrun", COMPLETE).source())
    return 0
