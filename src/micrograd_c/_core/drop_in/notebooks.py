"""What %load_ext micrograd_c, %unload_ext and %micrograd_c do. IPython calls this; it need not be installed."""

from __future__ import annotations

from micrograd_c._core.drop_in.names import install, uninstall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["load_ipython_extension", "unload_ipython_extension"]

USAGE = "%micrograd_c accelerate, or %micrograd_c as-is"


def load_ipython_extension(ipython: Any) -> None:
    install()
    register = getattr(ipython, "register_magic_function", None)
    if register is not None:
        register(lambda line: accelerate_cells(ipython, line), "line", "micrograd_c")


def unload_ipython_extension(ipython: Any) -> None:
    if hasattr(ipython, "ast_transformers"):
        accelerate_cells(ipython, "as-is")
        ipython.magics_manager.magics["line"].pop("micrograd_c", None)
    uninstall()


def accelerate_cells(ipython: Any, line: str) -> None:
    """%micrograd_c accelerate: classes in cells that are run from here on are tried; as-is: no longer."""
    from micrograd_c._core.drop_in.statements import Transformer

    wanted = line.strip()
    if wanted not in ("accelerate", "as-is"):
        from IPython.core.error import UsageError

        raise UsageError(f"micrograd_c: {wanted or 'nothing'} is not known; write {USAGE}")
    transformers = ipython.ast_transformers
    transformers[:] = [one for one in transformers if not isinstance(one, Transformer)]
    if wanted == "accelerate":
        transformers.append(Transformer())
