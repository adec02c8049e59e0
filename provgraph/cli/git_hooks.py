"""``provdb git-hooks``."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from provgraph.cli.output import NOTHING_FOUND, json_option, note, print_json, say

if TYPE_CHECKING:
    from provgraph.session.git_hooks import GitHooks


@click.group(name="git-hooks")
def command() -> None:
    """Record what git does: commits as versions, and which files a checkout, merge or rebase changed.

    For the repository of the folder you are in, and its submodules. Hooks that are there already go on running, also
    those of husky, the pre-commit framework, or a folder that core.hooksPath names. A hook never stops git, prints
    nothing, and does nothing where there is no project. `provdb git commit` needs no hooks.
    """


@command.command()
@json_option
def install(as_json: bool) -> int:
    """Put recording into post-commit, post-merge, post-checkout and post-rewrite; again, to renew it."""
    from provgraph.session.git_hooks import install

    return _answer(install, as_json)


@command.command()
@json_option
def status(as_json: bool) -> int:
    """Which hooks record."""
    from provgraph.session.git_hooks import status

    return _answer(status, as_json)


@command.command()
@json_option
def remove(as_json: bool) -> int:
    """Restore the hooks as they were."""
    from provgraph.session.git_hooks import remove

    _answer(remove, as_json)
    return 0


def _answer(ask: "Callable[[str], GitHooks]", as_json: bool) -> int:
    found = ask(os.getcwd())
    if as_json:
        print_json(found.to_json())
    else:
        from provgraph.render.git_hooks import git_hooks_text

        say(git_hooks_text(found.to_json()))
    note(found.notes)
    return 0 if found.recording else NOTHING_FOUND
