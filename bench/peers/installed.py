"""Which version of a package is installed, without importing it."""

from __future__ import annotations

from importlib import metadata


def installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
