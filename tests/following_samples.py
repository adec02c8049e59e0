"""A project with ingestors that follow its logs."""

from pathlib import Path

from provgraph.stores import init_project
from provgraph.stores.trust import trust

TINY = '''
"""Lines like `loss 3 0.5`."""
import os, re, signal, time
from provgraph.ingestors.port import Findings, Match, Moment

class Follower:
    def __init__(self):
        self.rest = b""
    def feed(self, data):
        lines = (self.rest + data).split(b"\\n")
        self.rest = lines.pop()
        points, found = {}, Findings()
        for line in lines:
            words = line.decode().split()
            if words[:1] == ["fail"]:
                raise RuntimeError("it was told to")
            if words[:1] == ["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
            if words[:1] == ["lie"]:
                found.series("activity", "x", ["a"], [1])
                return found.to_json()
            if len(words) == 3:
                points.setdefault(words[0], []).append((int(words[1]), float(words[2])))
        for name, pairs in points.items():
            found.series("activity", name, [s for s, _ in pairs], [v for _, v in pairs])
        return found.to_json()

class Tiny:
    name, version, description = "tiny-live", "1", "lines like loss 3 0.5"
    moment, match = Moment.DURING, Match(files=("*.tiny",), direction="generated")
    def ingest(self, occurrence):
        return None
    def follow(self, occurrence, file):
        return Follower()

INGESTOR = Tiny()
'''


def project_with_ingestor(root: Path, text: str = TINY) -> None:
    """Make a trusted project whose logs are followed."""
    root.mkdir(exist_ok=True)
    init_project(str(root)).close()
    folder = root / ".provdb" / "ingestors"
    folder.mkdir(exist_ok=True)
    (folder / "tiny.py").write_text(text)
    trust(str(root))
