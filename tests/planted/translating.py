"""What setup.py says of the modules; as a program, Cython for those that are named, in the tree that is the folder."""

import os
import pathlib
import runpy
import sys
from unittest import mock

from Cython.Build import cythonize


def read_setup(root):
    """setup.py's names, and the extensions it would build, with the tape's own checks."""
    with mock.patch("setuptools.setup") as setup, mock.patch.dict(os.environ, MICROGRAD_C_BUILD="checked"):
        names = runpy.run_path(str(root / "setup.py"))
    return names, setup.call_args.kwargs["ext_modules"]


def extensions(root):
    return read_setup(root)[1]


def main():
    names, all_extensions = read_setup(pathlib.Path.cwd())
    wanted = [extension for extension in all_extensions if extension.name.split(".")[1] in sys.argv[1:]]
    for made in cythonize(wanted, force=True, quiet=True, compiler_directives=names["DIRECTIVES"]):
        written = pathlib.Path(made.sources[0])
        text = written.read_text(encoding="utf-8").replace(names["RELEASED_TWICE"], names["RELEASED_ONCE"])
        written.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
