"""check_contents.py SOURCE SDIST WHEEL: the two hold every file they must, and none that they must not.

Prints what the wheel holds, by size.
"""

import pathlib
import sys
import tarfile
import zipfile

FOLDERS = ["src", "micrograd_c", "tests", "docs", "benchmarks", "examples"]
FILES = [
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "README.md", "README.zh-TW.md",
    "SECURITY.md", "pyproject.toml", "setup.py",
]
GENERATED = {".so", ".pyd", ".pyc", ".pyo"}
COMPILED = {".so", ".pyd"}
SHOWN = 8       # the largest modules
DATA = (".html", ".css", ".js", ".po")


def sources(root, folder):
    """The folder's files as they are before anything is built or run."""
    files = (path.relative_to(root).as_posix() for path in (root / folder).rglob("*") if path.is_file())
    return {name for name in files if not is_generated(name)}


def is_generated(name):
    """Cython's C goes to build/; any other was written by hand."""
    return pathlib.PurePath(name).suffix in GENERATED


def sdist_problems(root, sdist):
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    expected = set(FILES).union(*(sources(root, folder) for folder in FOLDERS))
    yield from (f"sdist lacks {name}" for name in sorted(expected - names))
    yield from (f"sdist holds {name}" for name in sorted(names) if is_generated(name))


def wheel_problems(root, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    compiled = {}
    for name in names:
        if pathlib.PurePath(name).suffix in COMPILED:
            compiled.setdefault(name.partition(".")[0], []).append(name)
    core = {name.removeprefix("src/") for name in sources(root, "src")}
    for module in sorted(name.removesuffix(".pyx") for name in core if name.endswith(".pyx")):
        if len(compiled.pop(module, [])) != 1:
            yield f"wheel lacks the compiled module {module}, or holds two"
    yield from (f"wheel holds the unknown compiled module {module}" for module in compiled)
    names = {name for name in names if pathlib.PurePath(name).suffix not in COMPILED}
    expected = sources(root, "micrograd_c") | {name for name in core if name.endswith((".py", ".pyi", ".pxd", *DATA))}
    yield from (f"wheel lacks {name}" for name in sorted(expected - names))
    yield from (f"wheel holds {name}" for name in sorted(names - expected))


def table(wheel):
    """Sizes in the wheel and unpacked: of each compiled module, the largest first, and of all else."""
    with zipfile.ZipFile(wheel) as archive:
        files = archive.infolist()
    modules = sorted((file for file in files if pathlib.PurePath(file.filename).suffix in COMPILED),
                     key=lambda file: -file.compress_size)
    others = [file for file in files if file not in modules]
    yield "| | KB | KB unpacked |"
    yield "| --- | ---: | ---: |"
    for name, part in [
        *((module.filename.partition("_core/")[2].partition(".")[0], [module]) for module in modules[:SHOWN]),
        (f"{len(modules[SHOWN:])} other modules", modules[SHOWN:]),
        (f"{len(others)} other files", others),
        ("in all", files),
    ]:
        sizes = (sum(file.compress_size for file in part), sum(file.file_size for file in part))
        yield f"| {name} | {sizes[0] / 1000:,.0f} | {sizes[1] / 1000:,.0f} |"


def main(source, sdist, wheel):
    root = pathlib.Path(source)
    problems = [*sdist_problems(root, sdist), *wheel_problems(root, wheel)]
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{pathlib.Path(sdist).name} and {pathlib.Path(wheel).name} hold what they must, and nothing else")
    print(*table(wheel), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
