"""Where a team's server is, and who asks there. Nothing here needs the driver."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from provgraph.stores.remote_url import checked_url


@dataclass(frozen=True, slots=True)
class Remote:
    """A team's server, with the user's name and password there.

    ``insecure`` allows an address that is not encrypted and not this machine's.
    """

    name: str
    url: str
    user: str
    password: str = field(repr=False)
    database: str = "neo4j"
    insecure: bool = False

    @property
    def address(self) -> str:
        """The address for the driver.

        A server that is alone needs no routing, and routing without encryption would send the password wherever the
        answer says: what is not encrypted is asked directly.

        Raises:
            QuestionError: no address, or one that is refused.
        """
        url = checked_url(self.url, insecure=self.insecure, name=self.name, database=self.database)
        return "bolt://" + url.removeprefix("neo4j://") if url.startswith("neo4j://") else url

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        parts = urlsplit(checked_url(self.url, insecure=True))
        host = parts.hostname or ""
        return f"{f'[{host}]' if ':' in host else host}:{parts.port or 7687}"

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return "+s" in urlsplit(self.url).scheme
