"""curl and wget: where files came from.

A source is an artifact like others, whose path is its URL, without credentials, secrets in the query masked. The
command used it, and what was written down of it is derived from it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from provgraph.client.scrub_words import scrubbed_text
from provgraph.ingestors import posix
from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence
from provgraph.ingestors.simple_commands import SimpleCommand, simple_commands
from provgraph.ingestors.url_globs import Expanded, GlobError, UrlGlob, filled

_PROGRAMS: Final = ("curl", "wget", "wget2")
_SCHEMES: Final = ("http", "https", "ftp", "ftps", "sftp", "scp")
_HOST: Final = re.compile(r"(?:localhost|\[[0-9a-fA-F:.]+\]|[\w-]+(?:\.[\w-]+)+)(?::\d{1,5})?(?:[/?#].*)?\Z", re.ASCII)
_BESIDE: Final = {
    "curl": ("-D", "--dump-header", "-c", "--cookie-jar", "--stderr", "--trace", "--trace-ascii", "--etag-save",
             "--hsts", "--alt-svc", "--libcurl"),
    "wget": ("-o", "--output-file", "-a", "--append-output", "--save-cookies", "--hsts-file", "--rejected-log"),
}  # fmt: skip
"""Options whose file is no download."""
_ERRORS: Final = re.compile(r"2>>?\s*([^\s&;|'\"]+)")
_UPLOADS: Final = ("-T", "--upload-file")
_PATTERN: Final = re.compile(r"[\[\]{}]")
_RECURSIVE: Final = ("-r", "--recursive", "-m", "--mirror", "-p", "--page-requisites")
_SOURCES: Final = 200
_DERIVATIONS: Final = 5_000


class Downloads:
    """Reads the words of curl and wget, and finds the files that they wrote."""

    name = "downloads"
    version = "3"
    moment = Moment.AFTER
    match = Match(command=r"\b(?:curl|wget2?)\s")
    description = "curl, wget: the source of what they download, and which file came from which URL"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any] | None:
        """Sources, what they are used by and what is derived from them."""
        commands = simple_commands(occurrence.activity.argv)
        alone = len(commands) == 1
        requests = [_Request(one, occurrence, alone=alone) for one in commands if one.utility in _PROGRAMS]
        findings = Findings()
        methods = {request.method for request in requests} - {""}
        if len(methods) == 1:
            findings.activity(http_method=methods.pop())
        urls = list(dict.fromkeys(url for request in requests for url in request.urls if "$" not in url))
        for note in dict.fromkeys(note for request in requests for note in request.notes):
            findings.note(note)
        there = len(urls) + sum(request.beyond for request in requests)
        if there > _SOURCES:
            findings.note(f"only {_SOURCES} of {there:,} URLs are recorded as sources")
        if occurrence.activity.exit_status and not occurrence.generated:
            urls = []  # it failed, and nothing came
        kept = set(urls[:_SOURCES])
        for url in urls[:_SOURCES]:
            findings.vertex(url, ["Entity", "Snapshot"], path=url)
            findings.edge("used", "activity", {"key": url})
        derived = dict.fromkeys(
            (file.path, url) for request in requests for file, urls in request.derived() for url in urls if url in kept
        )
        if len(derived) > _DERIVATIONS:
            findings.note(f"only {_DERIVATIONS:,} of {len(derived):,} derivations are told")
        for path, url in list(derived)[:_DERIVATIONS]:
            findings.edge("wasDerivedFrom", path, {"key": url}, prov_type="PrimarySource")
        return findings.to_json()


class _Asked(NamedTuple):
    """One word that names URLs: these, in their order, of so many that there are."""

    urls: list[Expanded]
    how_many: int = 1
    is_pattern: bool = False

    def sources(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Those that are sources, each with the values of its patterns."""
        for url, values in self.urls:
            source = source_url(url)
            if source:
                yield source, values


class _Request:
    """What a command asked for, and where it wrote it. ``alone``: no other ran beside it, so all files are its own."""

    def __init__(self, command: SimpleCommand, occurrence: Occurrence, *, alone: bool) -> None:
        words = posix.annotate(command.argv)
        self._alone = alone
        self._program = "curl" if words.utility == "curl" else "wget"
        self._cwd = occurrence.activity.cwd
        self._options = words.options
        self._elsewhere: set[str] = set()
        """URLs of patterns whose files are named: no other file came from them."""
        self._succeeded = not occurrence.activity.exit_status
        self.notes: list[str] = []
        self.beyond = 0
        """URLs that are not among these, for there are too many."""
        self._asked = (
            self._curls(words.operands)
            if self._program == "curl"
            else [_Asked([Expanded(w, ())]) for w in words.operands]
        )
        self.urls = [url for one in self._asked for url, _ in one.sources()]
        self.method = next(iter(self._values("-X", "--request", "--method")), "")[:20].upper()
        errors = _ERRORS.findall(occurrence.activity.command)
        beside = {self._place(path) for path in (*self._values(*_BESIDE[self._program]), *errors)}
        names = (".wget-hsts", "wget-log")
        self._files = {
            file.absolute: file
            for file in occurrence.generated
            if file.absolute not in beside and os.path.basename(file.path) not in names
        }

    def _curls(self, operands: Sequence[str]) -> list[_Asked]:
        """What curl is asked for: each of its words that is a URL, with those that curl makes of it."""
        if self._has(*_UPLOADS):
            return []
        found = []
        for text in (*self._values("--url"), *operands):
            asked = _Asked([Expanded(text, ())])
            if not self._has("-g", "--globoff") and _PATTERN.search(text):
                try:
                    glob = UrlGlob(text)
                except GlobError as error:
                    if "://" in text or source_url(_PATTERN.split(text)[0]):
                        self.notes.append(f"a URL has {error}, which curl refuses; its source is not recorded")
                    continue
                asked = _Asked(list(islice(glob, _SOURCES + 1)), len(glob), is_pattern=True)
                self.beyond += asked.how_many - len(asked.urls)
            if "://" in text or any(True for _ in asked.sources()):
                found.append(asked)
        return found

    def derived(self) -> Iterator[tuple[File, Sequence[str]]]:
        """Each file that was written, with the URLs that it came from; one of which that is not known is left out."""
        named = self._named()
        rest = [file for absolute, file in self._files.items() if absolute not in named]
        for absolute, urls in named.items():
            yield self._files[absolute], urls
        told = {url for urls in named.values() for url in urls} | self._elsewhere
        unnamed = [url for url in self.urls if url not in told]
        if self._program == "wget" and self._has(*_RECURSIVE):
            unnamed = self.urls
        elif not self._alone or (len(unnamed) > 1 and len(rest) > 1):
            return
        for file in rest if unnamed else ():
            yield file, unnamed

    def _named(self) -> dict[str, list[str]]:
        """The files whose names the words tell: absolute path → URLs."""
        found: dict[str, list[str]] = {}
        for url, path in self._outputs():
            if path in self._files:
                found.setdefault(path, []).append(url)
        return found

    def _outputs(self) -> Iterator[tuple[str, str]]:
        if self._program == "wget":
            document = next(iter(self._values("-O", "--output-document")), None)
            folder = next(iter(self._values("-P", "--directory-prefix")), ".")
            for url in self.urls:
                yield url, self._place(document) if document else self._place(folder, _last_part(url, "index.html"))
            return
        folder = next(iter(self._values("--output-dir")), ".")
        outputs = [
            (name, argument)
            for name, argument in self._options
            if name in ("-o", "--output", "-O", "--remote-name") and (argument or name in ("-O", "--remote-name"))
        ]
        if self._has("--remote-name-all"):
            outputs += [("-O", None)] * (len(self._asked) - len(outputs))
        for asked, (name, argument) in zip(self._asked, outputs, strict=False):
            if not asked.is_pattern:
                for url, _ in asked.sources():
                    yield url, self._output(folder, name, argument, url, ())
                continue
            last: dict[str, list[str]] = {}
            for url, values in asked.sources():
                last.setdefault(self._output(folder, name, argument, url, values), []).append(url)
                self._elsewhere.add(url)
            for path, urls in last.items():  # of several in one file, the last is there, if all went well
                if len(urls) == 1 or (self._succeeded and asked.how_many == len(asked.urls)):
                    yield urls[-1], path

    def _output(self, folder: str, name: str, argument: str | None, url: str, values: Sequence[str]) -> str:
        """The file that curl writes what a URL has to."""
        if name not in ("-O", "--remote-name"):
            return self._place(folder, filled(argument or "", values))
        as_it_is = self._place(folder, urlsplit(url).path.rpartition("/")[2])
        return as_it_is if as_it_is in self._files else self._place(folder, _last_part(url, ""))

    def _place(self, *parts: str) -> str:
        return os.path.normpath(os.path.join(self._cwd, *parts))

    def _values(self, *names: str) -> list[str]:
        return [argument for name, argument in self._options if name in names and argument is not None]

    def _has(self, *names: str) -> bool:
        return any(name in names for name, _ in self._options)


def source_url(text: str) -> str:
    """A URL as a source's path: without user and password, secrets masked; "" where the text is none.

    What has no scheme is HTTP, as curl and wget take it.
    """
    if "://" not in text:
        if not _HOST.match(text):
            return ""
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError:
        return ""
    return scrubbed_text(url) if parts.scheme.lower() in _SCHEMES and parts.netloc else ""


def _last_part(url: str, otherwise: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or otherwise


INGESTOR = Downloads()
