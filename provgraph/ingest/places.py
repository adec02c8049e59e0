"""Paths: where a file lies, which artifact it is, whether it counts at all (semantics rules 1, 15, 20)."""

import base64
import mimetypes
import os
import re
from collections.abc import Callable
from typing import Any

from provgraph.model.identity import Namespace

_ESCAPED = re.compile("%([89A-F][0-9A-F])")
_MEDIA = mimetypes.MimeTypes(filenames=())
_MEDIA_MORE = {
    ".parquet": "application/vnd.apache.parquet",
    ".ipynb": "application/x-ipynb+json",
    ".npy": "application/x-npy",
    ".npz": "application/x-npz",
    ".pkl": "application/x-pickle",
    ".pickle": "application/x-pickle",
    ".joblib": "application/x-joblib",
    ".h5": "application/x-hdf5",
    ".hdf5": "application/x-hdf5",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".pt": "application/x-pytorch",
    ".onnx": "application/onnx",
    ".safetensors": "application/x-safetensors",
    ".prototxt": "text/x-prototxt",
    ".jsonl": "application/jsonl",
}


def shown(path: str) -> str:
    """A path as text: bytes that are no UTF-8 are percent-escaped (the raw ones stand in ``path_bytes``)."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogateescape")
        return "".join(
            piece if not "\udc80" <= piece <= "\udcff" else f"%{ord(piece) - 0xDC00:02X}"
            for piece in raw.decode("utf-8", "surrogateescape")
        )
    return path


def _raw(path: str) -> str:
    """The path that :func:`shown` escaped: its bytes that are no UTF-8 are lone surrogates again."""
    return _ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), path)


def media_type(path: str) -> str | None:
    """A media type guessed from the name alone."""
    extension = os.path.splitext(path)[1].lower()
    return _MEDIA_MORE.get(extension) or _MEDIA.guess_type(path)[0]


class Places:
    """The project's view of the file system.

    Parameters:
        root: the project's folder, absolute and real.
        host: this machine's name; part of the identity of what lies outside.
        classify: absolute path → ignored, environment, external or project.
        ignore: patterns as in ``.gitignore``, from ``.provdbignore``.
    """

    def __init__(
        self, root: str, host: str, namespace: Namespace, classify: Callable[[str], str], ignore: tuple[str, ...] = ()
    ) -> None:
        self.root, self.host, self.namespace, self.classify = root, host, namespace, classify
        self._inside = root.rstrip("/") + "/"
        self._ignore = None
        if ignore:
            import pathspec  # 15 ms that a project without the file need not pay

            self._ignore = pathspec.GitIgnoreSpec.from_lines(ignore)

    def inside(self, absolute: str) -> bool:
        """Whether it lies in the project's folder."""
        return absolute.startswith(self._inside)

    def name(self, absolute: str) -> str:
        """The path that the graph shows: from the root, or absolute outside of it; always encodable."""
        return shown(absolute[len(self._inside) :] if self.inside(absolute) else absolute)

    def absolute(self, name: str) -> str:
        """The place on disk of what ``name`` gave."""
        absolute = name if name.startswith("/") else self._inside + name
        if _ESCAPED.search(name) is None or os.path.lexists(absolute):
            return absolute
        raw = _raw(absolute)
        return raw if shown(raw) == absolute and os.path.lexists(os.fsencode(raw)) else absolute

    def artifact(self, absolute: str) -> str:
        """uid of the artifact at a place."""
        if self.inside(absolute):
            return self.namespace.artifact(absolute[len(self._inside) :])
        return self.namespace.artifact(absolute, self.host)

    def counts(self, absolute: str) -> bool:
        """Whether a file is recorded at all: not of an ignored class, nor named by ``.provdbignore``."""
        if self.classify(absolute) not in ("project", "external"):
            return False
        if self._ignore is None or not self.inside(absolute):
            return True
        return not self._ignore.match_file(absolute[len(self._inside) :].encode("utf-8", "replace").decode())

    def properties(self, absolute: str) -> dict[str, Any]:
        """The properties of a path: ``path``, and ``path_bytes`` where it is no UTF-8."""
        raw = absolute[len(self._inside) :] if self.inside(absolute) else absolute
        text = shown(raw)
        if text == raw:
            return {"path": text}
        return {"path": text, "path_bytes": base64.b64encode(raw.encode("utf-8", "surrogateescape")).decode("ascii")}


def read_ignore_file(root: str) -> tuple[str, ...]:
    """The lines of ``.provdbignore``; none where there is no such file."""
    try:
        with open(os.path.join(root, ".provdbignore"), encoding="utf-8", errors="replace") as file:
            return tuple(file.read().splitlines())
    except FileNotFoundError:
        return ()
