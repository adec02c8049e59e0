"""What a check found."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: about what (``subject``), and what to type next (``remedy``), where there is such."""

    check: str
    state: State
    text: str
    subject: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """The shape of a finding in ``provgraph/doctor/1``."""
        return {key: getattr(self, key) for key in self.__slots__}
