"""``git-hooks`` in words. It is given the document ``provgraph/git-hooks/1``."""

from collections.abc import Mapping
from typing import Any

from provgraph.render.text import printable


def git_hooks_text(document: Mapping[str, Any]) -> str:
    """A few lines for each repository."""
    lines = []
    for repository in document["repositories"]:
        where = f"hooks in {repository['folder']}" + (", run by ours" if repository["redirected"] else "")
        lines.append(printable(f"{repository['path']}  ({where})"))
        lines += [f"  {hook['name']:<14} {hook['state']}{_others(hook)}" for hook in repository["hooks"]]
    return "\n".join(lines)


def _others(hook: Mapping[str, Any]) -> str:
    if not hook["others"]:
        return ""
    return (
        ", with the hook that was there" if hook["state"] != "absent" else ", and there is a hook of the repository's"
    )
