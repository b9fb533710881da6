"""Operations of all ranks together, over mpi4py, and the end of the job when one of them is missing.

Knows MPI. Knows nothing of models.

A rank that raises aborts the job from sys.excepthook, and mpiexec ends a job of which a process was killed. A rank that
exits, be it with status 0, tells the others so, and in how many operations it took part: whoever waits in a later one
would wait forever, and aborts. So operations do not block, but are asked again and again whether they are done. Rare
ones begin with a meeting, in which all tell rank 0 what they do; in others a rank does so once it has waited for long.
So ranks that do different things are told so.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

__all__ = ["Ranks", "in_use", "is_launched", "join"]

TAG = 32001             # of our messages between two ranks, among a program's own
SPINNING = 2e-4         # seconds, after which a rank that waits lets others have the processor
PATIENCE = 1.0          # seconds, after which it says what it waits in
ENDED = "nothing more"  # what a rank does that has ended
# where mpiexec tells a process of how many it is one: MPICH and Intel MPI, Open MPI, Slurm's srun
LAUNCHERS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")

_ranks: Ranks | None = None


def join() -> Ranks:
    """The ranks of this job. Raises ImportError if there is no mpi4py, or no MPI library that it could load."""
    global _ranks
    if _ranks is None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            missing = "mpi4py" if isinstance(error, ModuleNotFoundError) else f"an MPI library ({error})"
            raise ImportError(f"micrograd_c.distributed needs {missing}: pip install 'micrograd_c[mpi]'") from None
        _ranks = Ranks(MPI)
    return _ranks


def is_launched() -> bool:
    """Whether this process was started as one of several."""
    return any(os.environ.get(name, "1") != "1" for name in LAUNCHERS)


def in_use() -> Ranks | None:
    """The ranks, if there are several; None for a process of its own, in which nothing of MPI is loaded for it."""
    if _ranks is None and "mpi4py.MPI" not in sys.modules and not is_launched():
        return None
    try:
        ranks = join()
    except ImportError:     # started together by something else than MPI
        return None
    return ranks if ranks.size > 1 else None


class Ranks:
    """This process among those of its job."""

    def __init__(self, mpi: Any) -> None:
        self.mpi, self.world = mpi, mpi.COMM_WORLD
        self.rank: int = self.world.Get_rank()
        self.size: int = self.world.Get_size()
        self.count = 0      # operations begun
        self.heard: dict[int, tuple[int, str]] = {}     # from each rank: which operation it is in, and its name
        self.sent: list[Any] = []       # messages under way
        self.process = os.getpid()
        if self.size > 1:
            self.hook, sys.excepthook = sys.excepthook, self.raised
            atexit.register(self.ended)

    # --- operations; all ranks take part, in the same order ---

    def add(self, numbers: array[float], doing: str) -> None:
        """Set doubles to the sums over all ranks."""
        self.complete(lambda: self.world.Iallreduce(self.mpi.IN_PLACE, numbers), doing)

    def send_from(self, root: int, numbers: array[float], doing: str) -> None:
        """Set doubles to those of the rank `root`."""
        self.complete(lambda: self.world.Ibcast(numbers, root), doing)

    def gather(self, text: str, doing: str) -> list[str]:
        """Everybody's text, by rank."""
        self.meet(doing)
        mine, sizes = text.encode(), array("i", [0] * self.size)
        self.complete(lambda: self.world.Iallgather(array("i", [len(mine)]), sizes), doing)
        everything = bytearray(sum(sizes))
        self.complete(lambda: self.world.Iallgatherv(
            [mine, self.mpi.BYTE], [everything, list(sizes), None, self.mpi.BYTE]), doing)
        ends = [sum(sizes[: i + 1]) for i in range(self.size)]
        return [everything[end - size : end].decode() for end, size in zip(ends, sizes)]

    def complete(self, begin: Callable[[], Any], doing: str) -> None:
        """Begin an operation of MPI's and wait for it."""
        self.count += 1
        try:
            self.wait(begin().Test, doing)
        except self.mpi.Exception as error:
            raise RuntimeError(f"{doing} failed on rank {self.rank}: {error}. Do all ranks make the same calls, with "
                               "models of one shape?") from error

    def meet(self, doing: str) -> None:
        """Wait until all ranks are here."""
        self.count += 1
        here = (self.count, doing)
        others = [other for other in range(self.size) if other != self.rank]
        if self.rank:
            self.say(doing, 0)
            self.wait(lambda: self.heard.get(0) == here, doing)
        else:
            self.wait(lambda: all(self.heard.get(other) == here for other in others), doing)
            for other in others:
                self.say(doing, other)

    def wait(self, done: Callable[[], bool], doing: str) -> None:
        """Return when it is done, or end the job if it cannot be."""
        begun, silent = time.monotonic(), self.rank != 0
        while not done():
            self.listen()
            self.look_for_missing(doing)
            waited = time.monotonic() - begun
            if silent and waited > PATIENCE:
                silent = False
                self.say(doing, 0)
            if waited > SPINNING:
                time.sleep(0)       # another rank may want the processor

    # --- who is where ---

    def say(self, doing: str, to: int) -> None:
        self.sent.append(self.world.isend((self.count, doing), to, TAG))

    def listen(self) -> None:
        status = self.mpi.Status()
        while self.world.Iprobe(self.mpi.ANY_SOURCE, TAG, status):
            source = status.Get_source()
            self.heard[source] = self.world.recv(source=source, tag=TAG)

    def look_for_missing(self, doing: str) -> None:
        for other, (count, what) in self.heard.items():
            if what == ENDED and count < self.count:
                self.abort(f"rank {other} has ended, and rank {self.rank} waits for it in {doing}")
            if what not in (ENDED, doing) and count == self.count:
                self.abort(f"rank {other} is in {what}, and rank {self.rank} in {doing}: all ranks must make the same "
                           "calls")

    # --- the end ---

    def abort(self, sentence: str, status: int = 1) -> None:
        """End all ranks."""
        sys.stdout.flush()
        print(f"micrograd_c.distributed: {sentence}; the job ends", file=sys.stderr, flush=True)
        time.sleep(0.2)         # mpiexec passes on what it has read, and reads no more once the job ends
        self.world.Abort(status)
        os._exit(status)        # MPICH's may return

    def raised(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """sys.excepthook."""
        self.hook(kind, error, traceback)
        if os.getpid() == self.process:     # not in a child of a fork
            self.abort(f"rank {self.rank} has raised {kind.__name__}", 130 if kind is KeyboardInterrupt else 1)

    def ended(self) -> None:
        """Before the process ends."""
        if os.getpid() == self.process and not self.mpi.Is_finalized():
            for other in range(self.size):
                if other != self.rank:
                    self.say(ENDED, other)
