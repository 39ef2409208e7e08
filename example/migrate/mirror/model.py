"""What the service knows about: stations and their reports."""

import json
from dataclasses import asdict, dataclass


class BadReport(ValueError):
    """A station sent something that is no report."""


@dataclass(frozen=True)
class Station:
    name: str
    path: str


@dataclass(frozen=True)
class Report:
    station: str
    celsius: float
    sequence: int

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> "Report":
        try:
            return cls(**json.loads(data))
        except (TypeError, ValueError) as error:
            raise BadReport(f"not a report: {data[:40]!r}") from error
