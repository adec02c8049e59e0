"""``provdb remote``."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

import click

from provgraph.cli.output import clock, json_option, note, print_json, say, stdout_page
from provgraph.cli.sources import project
from provgraph.errors import RemoteError
from provgraph.session.project import Project
from provgraph.stores.credentials import DEFAULT_USER, find_login
from provgraph.stores.remote_url import checked_url

ADD = """\
Know a server under a name; it is not spoken to yet.

\b
provdb remote add team bolt+s://neo4j.example.org:7687 --user alice

The address is kept in .provdb/config.toml, the password never: it comes from PROVDB_TEAM_PASSWORD (TEAM is the
name) or PROVDB_NEO4J_PASSWORD, from the keyring of your system (pip install 'provgraph[keyring]'), or from a file
in your own folder of configuration that only you can read. Given here, it is asked for where you sit at a terminal,
or read with --password-stdin, and kept in the keyring, else in that file. The same name and address again replace
the password.
"""


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The team's servers: Neo4j databases that `push` sends to and `pull` takes from.

    Without a command of its own, it lists them, as `provdb remote list` does.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_remotes)


@command.command("add", help=ADD)
@click.argument("name")
@click.argument("url")
@click.option("--user", metavar="NAME", help="Your name there; without it, `neo4j`.")
@click.option("--password-stdin", is_flag=True, help="Read your password from standard input.")
@click.option("--database", default="neo4j", show_default=True, metavar="NAME", help="The database at the server.")
@click.option("--insecure", is_flag=True, help="Allow a connection that others on the way can read.")
@json_option
def add(
    name: str, url: str, user: str | None, password_stdin: bool, database: str, insecure: bool, as_json: bool
) -> None:
    with project() as here:
        checked = checked_url(url, insecure=insecure)
        password = _password(here, name, checked, user, password_stdin)
        added = here.remotes.add(name, url, user=user, password=password, database=database, insecure=insecure)
        if as_json:
            print_json(here.remotes.to_json())
    if not as_json:
        say(f"{added.name} is {checked}" + (f"; the password is in {added.kept_in}" if added.kept_in else ""))
        if added.trusted:
            say(f"next: provdb push {added.name}  sends what is recorded")
    _tell_trust(here, added.trusted)


def _password(here: Project, name: str, url: str, user: str | None, from_stdin: bool) -> str | None:
    """What was given, or is asked for where it is not known yet; None where there is nobody to ask."""
    if from_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise click.UsageError("--password-stdin, but standard input is empty; pipe one line with the password in")
        return text
    if here.ask is None:
        return None
    if user is None:
        with suppress(RemoteError):
            find_login(name, url, os.environ)
            return None
    return here.ask(f"Password of {user or DEFAULT_USER} at {url} (empty: none is kept)") or None


def _tell_trust(here: Project, trusted: bool) -> None:
    if not trusted:
        look = "look at .provdb/config.toml, then type"
        note([f"this store's configuration is not trusted, so nothing is sent: {look} `provdb trust {here.root}`"])


@command.command("list")
@json_option
def list_remotes(as_json: bool) -> None:
    """The servers that this project knows, and how far behind each is. None is spoken to."""
    with project() as here:
        found = here.remotes.to_json()
    if as_json:
        print_json(found)
    elif found["remotes"]:
        from provgraph.render.remotes import remotes_text

        say(remotes_text(found["remotes"], stdout_page(), clock("relative")))
        _tell_trust(here, found["trusted"])
    else:
        note(["there is no remote yet; `provdb remote add team bolt+s://HOST:7687` names one"])


@command.command("remove")
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Know a server no more. Nothing changes there; what was pulled stays, and so does a password that is kept."""
    with project() as here:
        password = here.remotes.password(name)
        trusted = here.remotes.remove(name)
        if as_json:
            print_json(here.remotes.to_json())
        config = here.remotes.config
    if not as_json:
        say(f"{name} is no remote any more")
    if password:
        note([f"{password}, if no other project needs it"])
    named = [text for value, text in ((config.push_to, "sync.push"), (config.ask_at, "ask.at")) if value == name]
    note(f"{text} in .provdb/config.toml still names {name}; take that out" for text in named)
    _tell_trust(here, trusted)


def counting(what: str) -> Callable[[int, int], None]:
    """Says how far a transfer is, on one line of a terminal that is written over and over; nowhere else."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    def show(done: int, total: int) -> None:
        end = "\n" if done >= total else ""
        click.echo(f"\rprovdb: {done:,} of {total:,} events {what}\x1b[K{end}", err=True, nl=False)

    return show
