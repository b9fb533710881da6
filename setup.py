"""Builds the compiled modules. MICROGRAD_C_BUILD asks for another build than the usual one, see docs/building.md."""

import os
import pathlib
import sys

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# forward results are CPython's bit for bit: no fused multiply-add, no folded pow
MATHEMATICS = [] if sys.platform == "win32" else ["-ffp-contract=off", "-fno-builtin-pow"]
OPTIMIZED = [] if sys.platform == "win32" else ["-O3", "-g0"]
BUILDS = {
    "": {"compile": OPTIMIZED},
    "sanitize": {
        # a freed Value must be seen to be freed
        "macros": [("CYTHON_USE_FREELISTS", "0"), ("MICROGRAD_C_CHECKED", "1")],
        "compile": ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=undefined"],
        "link": ["-fsanitize=address,undefined"],
    },
    "checked": {
        "macros": [("MICROGRAD_C_CHECKED", "1")],       # the tape looks for faults in itself, see checking.pxd
        "compile": ["-O1", "-g"],
    },
    # the kernels as a compiler without vector types has them
    "scalar": {"compile": OPTIMIZED, "macros": [("MICROGRAD_C_SCALAR", None)]},
    "coverage": {
        "compile": ["-O0"],
        "macros": [("CYTHON_TRACE_NOGIL", "1")],
        "directives": {"linetrace": True},
    },
}

build = BUILDS[os.environ.get("MICROGRAD_C_BUILD", "")]
modules = [
    "rules", "pausing", "classes", "tape", "engine", "layers", "vector", "updates", "copying", "choosing", "tracing",
    "program", "analysis", "compiler", "columns", "runs", "batch",
]
SOURCES = {"runs": ["src/kernels.c", "src/parallel.c"]}     # C beside the Cython

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "auto_pickle": False,
    "autotestdict": False,
    # plain method descriptors: they check the type of self, which Cython's own functions do not
    "binding": False,
    "always_allow_keywords": False,     # methods without arguments are called as such
    **build.get("directives", {}),
}

# Cython 3.3.1's append to a list comprehension: without memory for it, the item is released here, and again by the
# function that made it. See "Without memory" in docs/building.md.
RELEASED_TWICE = """\
    int result = PyList_Append(list, x);
    Py_DECREF(x);
"""
RELEASED_ONCE = """\
    int result = PyList_Append(list, x);
    if (!result) Py_DECREF(x);
"""


class BuildModules(build_ext):
    """Cython runs when modules are built, and not for each of an installer's questions about metadata."""

    def run(self):
        # force, as edits to a .pxd in another folder are not tracked
        translated = cythonize(self.extensions, force=True, compiler_directives=DIRECTIVES)
        for module, made in zip(self.extensions, translated):
            module.sources = made.sources
            written = pathlib.Path(made.sources[0])
            written.write_text(
                written.read_text(encoding="utf-8").replace(RELEASED_TWICE, RELEASED_ONCE), encoding="utf-8"
            )
        super().run()


setup(
    cmdclass={"build_ext": BuildModules},
    options={"build_ext": {"parallel": os.cpu_count()}},
    ext_modules=[
        Extension(
            f"micrograd_c.{name}",
            [f"src/{name}.pyx", *SOURCES.get(name, [])],
            depends=[str(header) for header in pathlib.Path("src").rglob("*.h")],
            include_dirs=["src"],
            define_macros=[
                ("CYTHON_USE_TYPE_SPECS", "1"),     # heap types are mutable: Value.tanh = tanh works
                ("CYTHON_VECTORCALL_TPNEW", "0"),   # Value has a vectorcall of its own, see src/value_type.h
                *build.get("macros", []),
            ],
            extra_compile_args=[*MATHEMATICS, *build["compile"]],
            extra_link_args=build.get("link", []),
        )
        for name in modules
    ],
)
