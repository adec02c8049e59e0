"""The options that bound a segment, for every command that makes segments."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click


def by_kind(_ctx: click.Context, _parameter: click.Parameter, given: Iterable[str]) -> dict[str, list[str]] | None:
    """``activity=utility,command`` …, as keys by kind."""
    found: dict[str, list[str]] = {}
    for text in given:
        kind, sign, keys = text.partition("=")
        names = [key.strip() for key in keys.split(",") if key.strip()]
        if not sign or not names:
            raise click.BadParameter(f"{text!r}: write KIND=KEY,KEY, as in activity=utility,command")
        found.setdefault(kind.strip().lower(), []).extend(names)
    return found or None


def further(_ctx: click.Context, _parameter: click.Parameter, given: Iterable[str]) -> dict[str, int] | int | None:
    """``2``, or ``REF=2`` …, as a number or numbers by reference."""
    everywhere: list[int] = []
    chosen: dict[str, int] = {}
    for text in given:
        reference, _, number = text.rpartition("=")
        if not number.isascii() or not number.isdigit():
            raise click.BadParameter(f"{text!r}: write K, or REF=K; K is a number of activities")
        if reference:
            chosen[reference] = int(number)
        else:
            everywhere.append(int(number))
    if everywhere and chosen:
        raise click.BadParameter("either K alone, for the vertices asked for, or REF=K for others; name those too")
    return chosen or (max(everywhere) if everywhere else None)


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option("--exclude", multiple=True, metavar="PREDICATE", help="Leave out what this holds for (repeat)."),
    click.option("--since", metavar="TIME", help="Without activities that ended before (a time, commit or tag)."),
    click.option("--until", metavar="TIME", help="Without activities that started later."),
    click.option("--agent", metavar="NAME", help="Only activities of this person."),
    click.option(
        "--match", multiple=True, metavar="KIND=KEY,KEY", callback=by_kind,
        help="Properties that similar walks agree on (repeat).",
    ),
    click.option(
        "--expand", multiple=True, metavar="[REF=]K", callback=further,
        help="K activities further back from the ends, or from REF (repeat).",
    ),
    click.option(
        "--expand-downstream", multiple=True, metavar="[REF=]K", callback=further, help="The same into the future."
    ),
    click.option("--no-similar", is_flag=True, help="Direct paths alone."),
    click.option("--environment", is_flag=True, help="Also the installed software."),
)  # fmt: skip


def boundary_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """They arrive as ``boundary``: keyword arguments for ``Project.segment``."""

    @wraps(command)
    def bounded(
        *args: Any,
        exclude: tuple[str, ...],
        since: str | None,
        until: str | None,
        agent: str | None,
        match: dict[str, list[str]] | None,
        expand: dict[str, int] | int | None,
        expand_downstream: dict[str, int] | int | None,
        no_similar: bool,
        environment: bool,
        **more: Any,
    ) -> Any:
        boundary: dict[str, Any] = {
            "exclude": exclude, "since": since, "until": until, "agent": agent, "match": match, "expand": expand,
            "expand_downstream": expand_downstream, "similar": not no_similar, "environment": environment,
        }  # fmt: skip
        return command(*args, boundary=boundary, **more)

    for option in reversed(_OPTIONS):
        bounded = option(bounded)
    return bounded
