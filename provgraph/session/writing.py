"""Wires what a declaration is written with: who, where, when."""

import os
import platform
from typing import TYPE_CHECKING

from provgraph.client.scrub_words import scrubbed_text
from provgraph.client.settings import read_settings
from provgraph.client.surroundings import IDENTITY
from provgraph.queries.references import resolve
from provgraph.session.declaring import Writing

if TYPE_CHECKING:
    from provgraph.session.opened import Opened
    from provgraph.session.project import Project
    from provgraph.stores import EmbeddedStore


def writing(project: "Project", store: "EmbeddedStore") -> Writing:
    """What a declaration in ``project`` is written with."""
    places = project.places()
    patterns = read_settings(project.root).get("scrub", ())
    extra = tuple(str(pattern) for pattern in patterns) if isinstance(patterns, list) else ()
    return Writing(
        store=store,
        disk=project.disk,
        resolve=lambda text: resolve(store.reader, text, places).uids,
        person=person(project),
        host=platform.node(),
        now=project.now(),
        scrub=lambda text: scrubbed_text(text, extra),
    )


def person(project: "Opened") -> tuple[str, str | None]:
    """(name, e-mail or None) of who asks: git's identity, else the system's user."""
    from provgraph.ingest.describe import Describer

    describer = Describer(lambda _argv, _cwd: {}, lambda: 0, project.root)
    identity = {name: os.environ[name] for name in IDENTITY if os.environ.get(name)}
    return describer.person({"cwd": project.disk.cwd, "identity": identity, "uid": os.getuid()})
