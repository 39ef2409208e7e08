"""Mirror weather stations into a folder."""

from mirror.model import Report, Station

__all__ = ["Report", "Station"]
