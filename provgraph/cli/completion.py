"""``provdb completion``."""

from collections.abc import Callable, Mapping

import click

from provgraph.cli.words import AVAILABLE


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a shell's completion script.

    bash: add `eval "$(provdb completion bash)"` to ~/.bashrc; zsh: the same in ~/.zshrc, after compinit;
    fish: `provdb completion fish > ~/.config/fish/completions/provdb.fish`.
    """
    group = ctx.parent.command if ctx.parent else None
    assert isinstance(group, click.Group)
    options = {}
    for name in AVAILABLE:
        found = group.get_command(ctx, name)
        assert found is not None
        flags = [o for p in found.params if isinstance(p, click.Option) and not p.hidden for o in p.opts]
        words = list(found.commands) if isinstance(found, click.Group) else []
        options[name] = [*words, *sorted(flags), "--help"]
    options["completion"] = ["bash", "zsh", "fish", "--help"]
    options["help"] = [*AVAILABLE, "--help"]
    click.echo(_SCRIPTS[shell](options), nl=False)


def _bash(options: Mapping[str, list[str]]) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(found)}" ;;' for name, found in options.items())
    return f"""\
# The first word is one of provdb's or any command; after a command, that command's own completion goes on.
_provdb() {{
  local cur="${{COMP_WORDS[COMP_CWORD]}}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(options)} -c --help --version" -- "$cur") $(compgen -c -- "$cur"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) if declare -F _command_offset >/dev/null; then _command_offset 1; return; fi ;;
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -X '-*' -W "$words" -- "$cur")) ;;  # files, where nothing fits
  esac
}}
complete -o default -F _provdb provdb
"""


def _zsh(options: Mapping[str, list[str]]) -> str:
    cases = "\n".join(f"    {name}) compadd -- {' '.join(found)}; _files ;;" for name, found in options.items())
    described = " ".join(f'"{name}:{AVAILABLE[name]}"' for name in options)
    return f"""\
#compdef provdb
_provdb() {{
  if (( CURRENT == 2 )); then
    local -a questions=({described})
    _describe question questions
    _command_names -e
    return
  fi
  case "$words[2]" in
{cases}
    *) shift words; (( CURRENT-- )); _normal ;;
  esac
}}
compdef _provdb provdb
"""


def _fish(options: Mapping[str, list[str]]) -> str:
    lines = ["# The first word is one of provdb's or any command; after a command, its own completion goes on."]
    lines += [
        f"complete -c provdb -n __fish_use_subcommand -a {name} -d '{AVAILABLE[name].replace(chr(39), '')}'"
        for name in options
    ]
    for name, found in options.items():
        for option in found:
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            flag = flag if option.startswith("-") else f"-a {option}"
            lines.append(f"complete -c provdb -n '__fish_seen_subcommand_from {name}' {flag}")
    names = " ".join(options)
    lines.append(
        f"complete -c provdb -n 'not __fish_seen_subcommand_from {names}' -x -a '(__fish_complete_subcommand)'"
    )
    return "\n".join(lines) + "\n"


_SCRIPTS: dict[str, Callable[[Mapping[str, list[str]]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
