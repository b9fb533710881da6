import os
from collections.abc import Iterable
from typing import Any

__all__ = ["run_script"]

def run_script(path: str | os.PathLike[str], arguments: Iterable[str] = ()) -> dict[str, Any]: ...
