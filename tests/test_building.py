"""What setup.py builds again, by a compiler that only notes how it was called, and without Cython."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMPILER = """#!{python}
import pathlib, sys
with open({calls!r}, "a") as calls:
    print(*sys.argv[1:], file=calls)
pathlib.Path(sys.argv[sys.argv.index("-o") + 1]).touch()
"""


pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="the sources are not here"),
    pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a script"),
]


def copy_of_sources(to):
    pytest.importorskip("setuptools")
    shutil.copy(ROOT / "setup.py", to)
    shutil.copytree(ROOT / "src", to / "src", ignore=shutil.ignore_patterns("*.so"))
    for module, text in ("__init__", "__version__ = '3.3'"), ("Build", "cythonize = None"):
        (to / "Cython").mkdir(exist_ok=True)
        (to / "Cython" / f"{module}.py").write_text(text, encoding="utf-8")


def test_kernels_are_compiled_again_in_another_way(tmp_path):
    copy_of_sources(tmp_path)
    compiler, calls = tmp_path / "compiler", tmp_path / "calls"
    compiler.write_text(COMPILER.format(python=sys.executable, calls=str(calls)), encoding="utf-8")
    compiler.chmod(0o755)

    def compiled(flags):
        calls.write_text("", encoding="utf-8")
        subprocess.run(
            [sys.executable, "setup.py", "-q", "build_clib"], cwd=tmp_path, check=True, capture_output=True,
            env={**os.environ, "CC": str(compiler), "AR": "true", "CFLAGS": flags},
        )
        return sum("kernels.c" in call for call in calls.read_text(encoding="utf-8").splitlines())

    assert [compiled("-O1"), compiled("-O1"), compiled("-O0"), compiled("-O1")] == [1, 0, 1, 1]


def test_a_build_by_profiles_wants_gcc(tmp_path):
    copy_of_sources(tmp_path)
    tried = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "CC": "true", "MICROGRAD_C_BUILD": "pgo"},
    )
    assert tried.returncode == 1
    assert "MICROGRAD_C_BUILD=pgo is for gcc, and the compiler is true" in tried.stderr
