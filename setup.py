"""Builds the compiled modules. MICROGRAD_C_BUILD asks for another build than the usual one, see docs/building.md.

Modules are found by their files: src/micrograd_c/_core/ROOM/NAME.pyx is micrograd_c._core.ROOM.NAME. Only what a change
can have an effect on is built again.
"""

import hashlib
import multiprocessing
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import sysconfig

import Cython
from Cython.Build import cythonize
from setuptools import Extension, find_packages, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext

# forward results are CPython's bit for bit: no fused multiply-add, no folded pow. Nobody asks for errno, so that square
# roots can be instructions
MATHEMATICS = ["-ffp-contract=off", "-fno-builtin-pow", "-fno-math-errno"]
OPTIMIZED = ["-O3", "-g0"]
BUILDS = {
    "": {"compile": OPTIMIZED},
    "sanitize": {
        # a freed Value must be seen to be freed
        "macros": [("CYTHON_USE_FREELISTS", "0"), ("MICROGRAD_C_CHECKED", "1")],
        "compile": ["-O1", "-g1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=undefined"],
        "link": ["-fsanitize=address,undefined"],
    },
    "checked": {
        "macros": [("MICROGRAD_C_CHECKED", "1")],       # the tape looks for faults in itself, see checking.pxd
        "compile": ["-O1", "-g"],
    },
    # the kernels as a compiler without vector types has them
    "scalar": {"compile": OPTIMIZED, "macros": [("MICROGRAD_C_SCALAR", "1")]},
    # by what a program was seen to do, which a build of its own watches; see `profile`
    "pgo": {"compile": OPTIMIZED, "profile": ["-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile"]},
    "watched": {"compile": OPTIMIZED, "profile": ["-fprofile-generate"], "link": ["-fprofile-generate"]},
    "coverage": {
        "compile": ["-O0"],
        "macros": [("CYTHON_TRACE_NOGIL", "1")],
        "directives": {"linetrace": True},
    },
}

NAME = os.environ.get("MICROGRAD_C_BUILD", "")
build = BUILDS[NAME]
ROOT = pathlib.Path("src")
CORE = ROOT / "micrograd_c" / "_core"
KERNELS = CORE / "mapped" / "kernels"
# that translate. Where they are not forked, each would run this file again
PROCESSES = os.cpu_count() if multiprocessing.get_start_method() == "fork" else 0
BUILT = pathlib.Path("build")       # what is kept for the next build, also by pip
TRANSLATED = BUILT / "translated"   # by Cython, for any CPython
PROFILED = BUILT / "profiled"       # objects of the two builds of pgo: gcc finds a profile by the name of its object
# all of ours, each two or three times; one of the others, as there must be one
TRAINING = ["-m", "micrograd_c", "bench", "--quick", "--sides", "floats"]
MACROS = [
    ("CYTHON_USE_TYPE_SPECS", "1"),     # heap types are mutable: Value.tanh = tanh works
    ("CYTHON_VECTORCALL_TPNEW", "0"),   # Value has a vectorcall of its own, see value_type.h
    *build.get("macros", []),
]
PLATFORM = sysconfig.get_platform()     # that of the wheel, which may be built elsewhere
IN_BROWSER = PLATFORM.endswith("wasm32")        # see docs/browser.md
VECTORS = ["-msimd128"] if IN_BROWSER else []   # elsewhere kernels.c asks for instruction sets by itself
# those of the environment come after ours, but for what numbers depend on
FLAGS = [*build["compile"], *VECTORS, *shlex.split(os.environ.get("CFLAGS", "")), *MATHEMATICS]
HEADERS = sorted(path.as_posix() for path in CORE.rglob("*.h"))
OPS = [path for path in HEADERS if pathlib.Path(path).parent == CORE / "ops"]
LANE_FUNCTIONS = (CORE / "ops" / "lane_functions.h").as_posix()     # for the kernels only
INCLUDED = sorted({CORE.as_posix(), *(pathlib.Path(header).parent.as_posix() for header in HEADERS)})

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
    # which know their signature by the first line of their docstring, where inspect, help() and editors find it
    "embedsignature": True,
    "embedsignature.format": "clinic",
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


class Way:
    """What something was built by when it was built last in this folder, for which its files do not tell."""

    def __init__(self, name, *facts):
        self.file = BUILT / f"{name}.way"
        self.text = hashlib.sha256(repr(facts).encode()).hexdigest()

    def is_other(self):
        return not self.file.exists() or self.file.read_text(encoding="utf-8") != self.text

    def begin(self):
        """Forget another way, as from here on, and should building fail, there is some of each."""
        if self.is_other():
            self.file.unlink(missing_ok=True)

    def keep(self):
        self.file.write_text(self.text, encoding="utf-8")


def contents(paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def flags_for(compiler):
    """gcc's and clang's, wherever they run; what Microsoft's does by itself is what we want of the others."""
    return [] if compiler.compiler_type == "msvc" else FLAGS


def profile():
    """Leave profiles in PROFILED, by running a build that counts what it does."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "none")
    macros = subprocess.run(
        [*compiler, "-dM", "-E", "-x", "c", os.devnull], capture_output=True, text=True, check=False).stdout
    if "__GNUC__" not in macros or "__clang__" in macros:
        raise SystemExit(f"MICROGRAD_C_BUILD=pgo is for gcc, and the compiler is {' '.join(compiler)}")
    shutil.rmtree(PROFILED, ignore_errors=True)
    watched = {**os.environ, "MICROGRAD_C_BUILD": "watched"}
    library = (BUILT / "watched").absolute()
    subprocess.run([sys.executable, "setup.py", "-q", "build", "--build-lib", str(library)], env=watched, check=True)
    path = os.pathsep.join(filter(None, [str(library), os.environ.get("PYTHONPATH")]))
    subprocess.run([sys.executable, *TRAINING], env={**os.environ, "PYTHONPATH": path}, cwd=library, check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(library)
    for written in PROFILED.rglob("*.o"):
        written.unlink()


COMPILED_BY = (FLAGS, build.get("profile"), MACROS, os.environ.get("CC"), PLATFORM)
TRANSLATION = Way("translated", DIRECTIVES, Cython.__version__)
SOURCES = Way("sources", TRANSLATION.text, contents(sorted(CORE.rglob("*.p[yx][xd]"))))
EVERYTHING = contents(sorted(path for path in CORE.rglob("*") if path.suffix in (".pyx", ".pxd", ".h", ".c")))
COMPILATION = Way("kernels", *COMPILED_BY)


class BuildKernels(build_clib):
    """Once for all modules that are linked with them, and not again for an edit of these."""

    def finalize_options(self):
        super().finalize_options()
        self.build_clib = self.build_temp = str(BUILT / "kernels")
        self.force = self.force or COMPILATION.is_other()

    def run(self):
        COMPILATION.begin()
        if self.force:      # of which setuptools takes no notice here: it compiles what is not there, or older
            shutil.rmtree(self.build_temp, ignore_errors=True)
        super().run()
        COMPILATION.keep()

    def build_libraries(self, libraries):
        super().build_libraries([(name, {**facts, "cflags": flags_for(self.compiler)}) for name, facts in libraries])


class BuildModules(build_ext):
    """Cython runs when modules are built, and not for each of an installer's questions about metadata."""

    def finalize_options(self):
        super().finalize_options()
        if "profile" in build:
            self.build_temp = str(PROFILED)

    def run(self):
        if NAME == "pgo":
            profile()
        # into this folder, of this interpreter or of an editable installation
        compilation = Way(sys.implementation.cache_tag, *COMPILED_BY, self.build_lib)
        content = Way(f"{sys.implementation.cache_tag}.content", compilation.text, TRANSLATION.text, EVERYTHING)
        all_or_none = compilation.is_other() or not content.is_other()
        if all_or_none and not self.force and not SOURCES.is_other():
            # Which ones are compiled is known. Cython would go by times of files, also of its own, which pip has just
            # installed.
            for module in self.extensions:
                module.sources = [str(TRANSLATED / pathlib.Path(source).with_suffix(".c")) for source in module.sources]
        else:
            self.translate()
        self.force = self.force or compilation.is_other()
        compilation.begin()
        content.begin()
        self.run_command("build_clib")
        kernels = [str(path) for path in (BUILT / "kernels").glob("*micrograd_c_kernels.*")]
        for module in self.extensions:
            if set(OPS).intersection(module.depends):
                # which include each other
                module.depends = [*module.depends, *(path for path in OPS if path != LANE_FUNCTIONS)]
            if any(pathlib.Path(header).parent == KERNELS for header in module.depends):
                module.depends = [*module.depends, *kernels]
        super().run()
        compilation.keep()
        content.keep()

    def build_extensions(self):
        for module in self.extensions:
            module.extra_compile_args = [*flags_for(self.compiler), *build.get("profile", [])]
            if IN_BROWSER:      # where nothing is exported by itself
                module.extra_link_args = [f"-sEXPORTED_FUNCTIONS=_{name}" for name in self.get_export_symbols(module)]
        super().build_extensions()

    def translate(self):
        force = self.force or TRANSLATION.is_other()
        TRANSLATION.begin()
        SOURCES.begin()
        translated = cythonize(
            self.extensions, include_path=[str(ROOT)], build_dir=str(TRANSLATED), force=force,
            compiler_directives=DIRECTIVES, nthreads=PROCESSES,
        )
        for module, made in zip(self.extensions, translated):
            module.sources, module.depends = made.sources, made.depends
            written = pathlib.Path(made.sources[0])
            text = written.read_text(encoding="utf-8")
            if RELEASED_TWICE in text:
                written.write_text(text.replace(RELEASED_TWICE, RELEASED_ONCE), encoding="utf-8")
        TRANSLATION.keep()
        SOURCES.keep()


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


setup(
    packages=[*find_packages(include=["micrograd_c", "micrograd_c.*"]),
              "micrograd_c._core", *(f"micrograd_c._core.{name}" for name in find_packages(str(CORE)))],
    package_dir={"micrograd_c._core": CORE.as_posix()},
    cmdclass={"build_clib": BuildKernels, "build_ext": BuildModules},
    options={"build_ext": {"parallel": os.cpu_count()}},
    libraries=[(
        "micrograd_c_kernels",
        {
            "sources": sorted(path.as_posix() for path in KERNELS.glob("*.c")),
            "obj_deps": {"": [*OPS, *(path for path in HEADERS if pathlib.Path(path).parent == KERNELS)]},
            "include_dirs": INCLUDED,
            "macros": MACROS,
        },
    )],
    ext_modules=[
        Extension(
            name_of(path),
            [path.as_posix()],
            include_dirs=INCLUDED,
            define_macros=MACROS,
            extra_link_args=build.get("link", []),
        )
        for path in sorted(CORE.rglob("*.pyx"))
    ],
)
