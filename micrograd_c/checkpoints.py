"""Saving and resuming a training run: `micrograd_c.save` and `micrograd_c.load`.

    save("run.checkpoint", model=model, optimizer=optimizer, step=100, random=True)
    step = load("run.checkpoint", model=model, optimizer=optimizer, random=True).step

A run that is resumed goes on as it would have, to the last bit. A file holds JSON and doubles, never pickles, so
reading one runs no code. It is written beside the old one and put in its place when it is on the disk: whatever happens
meanwhile, one of the two is there, and whole.
"""

from __future__ import annotations

import json
import operator
import os
from array import array

from micrograd_c._core.modules.parameters import load_state_dict, state_dict
from micrograd_c._core.training.checkpoint_file import CheckpointError, read_file, write_file
from micrograd_c._core.training.packing import pack, unpack
from micrograd_c._core.training.random_states import generators, set_state, state_of
from micrograd_c._core.training.ranks import in_use
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from micrograd_c._core.training.ranks import Ranks
    from micrograd_c.nn import Module
    from micrograd_c.optim import Optimizer

    _Path = str | os.PathLike[str]

__all__ = ["Checkpoint", "CheckpointError", "load", "save"]
__dir__ = lister(__all__)


class Checkpoint:
    """What load has read."""

    def __init__(self, header: dict[str, Any], numbers: array[float]) -> None:
        given = iter(numbers)
        self.version: int = header["version"]
        self.model: dict[str, Any] | None = unpack(header["model"], given)
        self.optimizer: dict[str, Any] | None = unpack(header["optimizer"], given)
        self.extra: Any = unpack(header["extra"], given)
        self.step: Any = header["step"]
        self.random: list[list[dict[str, Any]]] = header["random"]

    def __repr__(self) -> str:
        held = [name for name in ("model", "optimizer", "random", "extra") if getattr(self, name) not in (None, [[]])]
        return f"<Checkpoint at step {self.step}: {', '.join(held)}>"


def save(
    path: _Path, *, model: Module | None = None, optimizer: Optimizer | None = None, step: int | None = None,
    random: Any = None, extra: Any = None,
) -> None:
    """Write a checkpoint, which replaces the one that is there.

    random is a generator (random.Random, or a Generator or RandomState of NumPy), a list of them, or True for those of
    the modules random and, if NumPy is loaded, numpy.random. extra is anything else to be kept that is made of dicts,
    lists, texts and numbers. With several MPI ranks, all of them call it with one path: rank 0 writes, all wait, and
    the random states of each are kept.

    >>> import os, tempfile
    >>> from micrograd_c.nn import MLP
    >>> path, model = os.path.join(tempfile.mkdtemp(), "run"), MLP(2, [1])
    >>> save(path, model=model, step=3)
    >>> load(path, model=MLP(2, [1])).step
    3

    Raises TypeError for what cannot be saved, OSError if the file cannot be written, and CheckpointError if another
    process is writing it. After an error the file is as it was.
    """
    path = os.fsdecode(path)
    check_kinds("save", model, optimizer)
    if step is not None:
        try:
            step = operator.index(step)
        except TypeError:
            raise TypeError(f"step is a number of steps, an int, not {step!r}") from None
    states = [state_of(generator) for generator in generators(random)]
    ranks = in_use()
    everybody = [states]
    if ranks is not None:
        given = [json.loads(text) for text in ranks.gather(json.dumps([path, states]), "save")]
        if len({one for one, _ in given}) > 1:
            raise ValueError(f"the ranks save to different paths: {', '.join(sorted({one for one, _ in given}))}")
        everybody = [one for _, one in given]
    if all(one == everybody[0] for one in everybody):
        everybody = everybody[:1]

    def write() -> None:
        numbers = array("d")
        write_file(path, {
            "step": step, "random": everybody,
            "model": None if model is None else pack(state_dict(model), numbers, "model", singles=True),
            "optimizer": None if optimizer is None else pack(optimizer.state_dict(), numbers, "optimizer"),
            "extra": pack(extra, numbers, "extra"),
        }, numbers)

    if ranks is None:
        write()
    else:
        write_at_rank_0(ranks, write, path)


def write_at_rank_0(ranks: Ranks, write: Callable[[], None], path: _Path) -> None:
    written = array("d", [0.0])
    try:
        if ranks.rank == 0:
            write()
            written[0] = 1.0
    finally:
        ranks.send_from(0, written, "save")
    if not written[0]:
        raise CheckpointError(f"rank 0 could not write {path}; it says why")


def load(
    path: _Path, *, model: Module | None = None, optimizer: Optimizer | None = None, random: Any = None
) -> Checkpoint:
    """Read a checkpoint, and set a model, an optimizer and random generators to what was saved.

    What is not given stays in the Checkpoint that is returned: model and optimizer as their state_dict(), step, extra.
    random is as save's was.

    Raises CheckpointError for a file that is damaged, cut off, of a newer version or no checkpoint, and for what was
    not saved; ValueError for what does not fit; and FileNotFoundError. After an error nothing has changed.
    """
    path = os.fsdecode(path)
    check_kinds("load", model, optimizer)
    checkpoint = Checkpoint(*read_file(path))
    wants_random = random is not None and random is not False
    for name, wanted in (("model", model is not None), ("optimizer", optimizer is not None), ("random", wants_random)):
        if wanted and getattr(checkpoint, name) in (None, [[]]):
            raise CheckpointError(f"{path} was saved without {name}=")
    states = own_states(checkpoint, path) if wants_random else []
    givens = generators(random, states)
    if len(givens) != len(states):
        raise ValueError(f"{path} has {len(states)} random states, and {len(givens)} generators were given")
    undo: list[Callable[[], None]] = []
    try:
        if optimizer is not None:
            before = optimizer.param_groups, optimizer._states      # loading puts others in their place
            optimizer.load_state_dict(checkpoint.optimizer or {})
            undo.append(lambda: put_back(optimizer, *before))
        for generator, state in zip(givens, states):
            was = state_of(generator)
            set_state(generator, state)
            undo.append(lambda generator=generator, was=was: set_state(generator, was))  # type: ignore[misc]
        if model is not None:
            load_state_dict(model, checkpoint.model or {})
    except BaseException:
        for action in reversed(undo):
            action()
        raise
    return checkpoint


def put_back(optimizer: Optimizer, groups: list[dict[str, Any]], states: list[dict[str, Any]]) -> None:
    optimizer.param_groups, optimizer._states = groups, states


def check_kinds(caller: str, model: Any, optimizer: Any) -> None:
    """Raise TypeError for what is no model, or no optimizer."""
    from micrograd_c.optim import Optimizer

    if model is not None and (isinstance(model, Optimizer) or not callable(getattr(model, "parameters", None))):
        raise TypeError(f"{caller} wants a Module as model, or what has parameters() as one, not {describe(model)}")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"{caller} wants an Optimizer of micrograd_c.optim as optimizer, not {describe(optimizer)}")


def describe(thing: Any) -> str:
    return f"{type(thing).__name__} {thing!r:.60}" if isinstance(thing, (int, float, str)) else type(thing).__name__


def own_states(checkpoint: Checkpoint, path: _Path) -> list[dict[str, Any]]:
    """The random states of this rank."""
    ranks, everybody = in_use(), checkpoint.random
    rank, size = (0, 1) if ranks is None else (ranks.rank, ranks.size)
    if len(everybody) not in (1, size):
        raise CheckpointError(f"{path} has the random states of {len(everybody)} ranks, which differed, and there are "
                              f"{size} now: load without random=, and seed anew")
    return everybody[rank if len(everybody) > 1 else 0]
