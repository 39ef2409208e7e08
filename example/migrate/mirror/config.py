"""Settings, with the defaults that the service runs with."""

from dataclasses import dataclass, field

from mirror.model import Station


@dataclass
class Settings:
    folder: str
    stations: list[Station] = field(default_factory=list)
    connections: int = 4
    requests_per_second: float = 500.0
    fetch_timeout: float | None = 2.0
    store_timeout: float | None = 2.0
    attempts: int = 3
    backoff: float = 0.01
