"""python src/micrograd_c/_core/ops/write.py: writes what the stub and the documentation take from the table.

It reads the table as it was built: build first. tests/test_table.py fails if that was forgotten.
"""

import pathlib
import re

from micrograd_c._core.ops import rules  # type: ignore[attr-defined]  # compiled, without a stub

ROOT = pathlib.Path(__file__).resolve().parents[4]
END = "until here"


def stub():
    return "".join(f'    def {name}(self) -> Value:\n        """{row["about"]}"""\n'
                   for name, row in rules.functions().items() if name not in rules.WITH_OPTIONS)


def functions():
    lines = ["| method | `_op` | what it is | slope | error | `vmap`, ulp | of a neuron |",
             "| --- | --- | --- | --- | --- | ---: | --- |"]
    for name, row in rules.functions().items():
        error = row["error"].__name__ if row["error"] else ""
        neuron = f"`'{name}'`, {row['activation']}" if row["activation"] else ""
        cells = [f"`{name}()`", row["text"], escape(row["about"]), code(row["slope"]), error, row["ulp"], neuron]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "".join(f"{line}\n" for line in lines)


def two():
    lines = ["| op | `_op` | value | share of x | share of y |", "| --- | --- | --- | --- | --- |"]
    for name, row in rules.of_two().items():
        shares = [code(share) for share in row["pullbacks"]]
        lines.append(f"| {' | '.join([f'`{name}`', code(row['text']), code(row['value']), *shares])} |")
    return "".join(f"{line}\n" for line in lines)


def code(text):
    return f"`{escape(text)}`" if text else ""


def escape(text):
    return text.replace("|", "\\|")


# by file: what stands between a line that begins with the first text and one that has END
PARTS = {
    "src/micrograd_c/_core/value/value.pyi": [("    # from the table of ops", stub)],
    "docs/ops.md": [("<!-- functions:", functions), ("<!-- two:", two)],
}


def written(text, parts):
    """The text with its parts as they must be."""
    for begin, make in parts:
        pattern = rf"(?<=\n)({re.escape(begin)}[^\n]*\n).*?(?=[^\n]*{END})"
        text, count = re.subn(pattern, lambda found, make=make: found[1] + make(), text, count=1, flags=re.DOTALL)
        if not count:
            raise ValueError(f"there is no line that begins with {begin!r}")
    return text


def main():
    for name, parts in PARTS.items():
        path = ROOT / name
        path.write_text(written(path.read_text(encoding="utf-8"), parts), encoding="utf-8")


if __name__ == "__main__":
    main()
