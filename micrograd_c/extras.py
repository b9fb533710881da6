"""Optional dependencies: imported where they are used, and named in one sentence where they are missing."""

from __future__ import annotations

import importlib

from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["import_extra"]
__dir__ = lister(__all__)

DISTRIBUTIONS = {"PIL": "Pillow"}       # where pip's name is not that of the module


def import_extra(module: str, user: str, requirement: str) -> Any:
    """Import an optional dependency, or raise an ImportError that says who needs it and what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise       # it is there, and something that it needs is not
        raise ImportError(
            f"{user} needs {DISTRIBUTIONS.get(package, package)}, which is not installed: pip install {requirement}",
            name=package,
        ) from None
