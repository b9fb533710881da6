from typing_extensions import Self, disjoint_base

from micrograd_c._core.mapped.program import Program

__all__ = ["Runner", "instruction_sets"]

def instruction_sets() -> list[str]: ...

@disjoint_base
class Run:
    @property
    def program(self) -> Program: ...

@disjoint_base
class Runner:
    def __new__(
        cls, program: Program, shapes: list[tuple[int, ...]] | None, threads: int, saved_bytes: int, width: int = 0,
        instruction_set: str | None = None,
    ) -> Self: ...
    @property
    def program(self) -> Program: ...
