"""Print the requirements of dependency groups (PEP 735), for a pip that does not know ``--group`` (before 25.1).

Usage: python scripts/dependency_group.py GROUP…
"""

import sys
import tomllib
from pathlib import Path


def requirements(groups: dict[str, list[str | dict[str, str]]], name: str) -> list[str]:
    """All requirements of a group, those of the groups it includes in their place.

    Raises:
        KeyError: there is no such group.
    """
    found: list[str] = []
    for item in groups[name]:
        found += [item] if isinstance(item, str) else requirements(groups, item["include-group"])
    return found


def main() -> None:
    """Print the requirements of all groups named on the command line, one a line, each once."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    unknown = [name for name in sys.argv[1:] if name not in groups]
    if unknown:
        sys.exit(f"no dependency group {', '.join(unknown)}; there are {', '.join(sorted(groups))}")
    print(*dict.fromkeys(line for name in sys.argv[1:] for line in requirements(groups, name)), sep="\n")


if __name__ == "__main__":
    main()
