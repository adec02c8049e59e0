"""pip and uv: what was asked to be installed. What is installed then is the Environment that the command generated."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from provgraph.ingestors.port import Findings, Match, Moment, Occurrence
from provgraph.ingestors.simple_commands import simple_commands

_WITH_VALUE: Final = frozenset(
    """-c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix --root --python -p
    --platform --python-version --python-platform --implementation --abi --cache-dir --log --proxy --retries --timeout
    --exists-action --trusted-host --cert --client-cert --no-binary --only-binary --upgrade-strategy --progress-bar
    --config-settings --config-setting -C --global-option --src --report --use-feature --use-deprecated
    --root-user-action --keyring-provider --index --default-index --index-strategy --directory --project --resolution
    --prerelease --exclude-newer --link-mode --group --extra --no-extra --no-group --only-group --package --config-file
    --override --build-constraint -b --upgrade-package -P --reinstall-package --refresh-package --color --branch --tag
    --rev --bounds --marker -m --optional --script --no-install-package --no-build-package
    --no-binary-package --torch-backend --python-preference --allow-insecure-host --fork-strategy --constraints
    --overrides --exclude --excludes --build-constraints --config-settings-package --exclude-newer-package
    --no-build-isolation-package --no-editable-package --no-sources-package --output-format --prerelease-package
    --upgrade-group --install-option --resume-retries --preview-features""".split()
)
_FLAGS_OF_PROJECTS: Final = frozenset(("--no-binary", "--editable"))
"""Of ``uv add`` and ``uv sync``; to ``pip``, and to ``uv pip``, they take a value."""
_DRY: Final = ("--dry-run", "--check")
_FILES: Final = ("-r", "--requirement", "--requirements")
_EDITABLE: Final = ("-e", "--editable")
_ACTIONS: Final = ("install", "uninstall", "sync", "add", "remove")
_PIP: Final = re.compile(r"pip[\d.]*")
_PROGRAM: Final = re.compile(r"pip[\d.]*|uv|(?:python|pypy)[\d.]*")
_LISTED: Final = 500
_TEXT: Final = 300


class Asked(NamedTuple):
    """What a command asked for."""

    action: str
    packages: list[str]
    files: list[str]
    editable: list[str]
    dry_run: bool = False
    """Nothing was to be installed, only said what would be."""


class Installing:
    """Reads the words of ``pip install`` and its like."""

    name = "pip"
    version = "2"
    moment = Moment.BEFORE
    match = Match(command=r"\bpip[\d.]*\s.*\b(?:un)?install\b|\buv\s.*\b(?:install|uninstall|sync|add|remove)\b")
    description = "pip and uv: the packages that were asked for"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """Properties of the activity."""
        commands = simple_commands(occurrence.activity.argv)
        every = [asked_for(command.argv) for command in commands if _PROGRAM.fullmatch(command.utility)]
        asked = next((one for one in every if one is not None), None)
        if asked is None:
            return None
        lists = {"packages": asked.packages, "requirements": asked.files, "editable": asked.editable}
        found = {name: [text[:_TEXT] for text in texts[:_LISTED]] for name, texts in lists.items() if texts}
        dry = {"packages_dry_run": True} if asked.dry_run else {}
        return Findings().activity(packages_action=asked.action, **found, **dry).to_json()


def asked_for(argv: Sequence[str]) -> Asked | None:
    """What a command of pip's or uv's asks for; None where it is no installation."""
    program, words = _behind_the_program(list(argv))
    of_pip = program != "uv"
    while words and (words[0].startswith("-") or words[0] == "pip"):
        taken = words.pop(0)
        of_pip = of_pip or taken == "pip"
        if taken in _WITH_VALUE and words:
            words.pop(0)
    if not words or words[0] not in _ACTIONS:
        return None
    asked = Asked(words.pop(0), [], [], [], any(word in _DRY for word in words))
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if not of_pip and name in _FLAGS_OF_PROJECTS:
            continue
        into = asked.files if name in _FILES else asked.editable if name in _EDITABLE else None
        if into is not None:
            given = value if equals else words.pop(0) if words else ""
            into.append(_without_credentials(given))
        elif word.startswith("-r") and len(word) > 2 and not word.startswith("--"):
            asked.files.append(word[2:])
        elif word.startswith("-"):
            if name in _WITH_VALUE and not equals and words:
                words.pop(0)
        elif asked.action == "sync":
            asked.files.extend([word] if of_pip else [])  # `uv sync` takes none
        else:
            asked.packages.append(_without_credentials(word))
    return asked


def _behind_the_program(words: list[str]) -> tuple[str, list[str]]:
    """The program, ``pip`` or ``uv``, and its words."""
    for place, word in enumerate(words):
        name = os.path.basename(word)
        by_module = name == "pip" and place > 0 and words[place - 1] == "-m"
        if by_module or _PIP.fullmatch(name) or name == "uv":
            return name, words[place + 1 :]
    return "", []


def _without_credentials(text: str) -> str:
    """``pkg @ https://user:pass@host/…`` without what stands before the host."""
    before, sign, url = text.rpartition(" @ ") if " @ " in text else ("", "", text)
    try:
        parts = urlsplit(url)
    except ValueError:
        return text
    if "@" not in parts.netloc:
        return text
    return before + sign + urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


INGESTOR = Installing()
