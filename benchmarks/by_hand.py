"""Compiles the programs by hand in C, for the machine it runs on. Part of vmap.py, gpt.py and adbench.

-ffast-math may leave out what only infinities and rounding need: vmap itself may not use it, nor know the machine.
"""

import ctypes
import pathlib
import shutil
import subprocess

FLAGS = ["-O3", "-march=native", "-ffast-math", "-w", "-fPIC"]


def compiler():
    """Its path, or None."""
    return shutil.which("cc") or shutil.which("gcc")


def library(folder, *sources):
    """What ctypes makes of files beside this one, compiled into one in the folder, which has to outlive its use."""
    compiled = pathlib.Path(folder) / pathlib.Path(sources[0]).with_suffix(".so").name
    paths = [str(pathlib.Path(__file__).parent / source) for source in sources]
    objects = [pathlib.Path(source).with_suffix(".o").name for source in sources]
    subprocess.run([compiler(), *FLAGS, "-c", *paths], check=True, cwd=folder)
    # without -ffast-math, or loading it would have the whole process take the tiniest numbers for 0
    subprocess.run([compiler(), "-shared", "-o", compiled.name, *objects, "-lm"], check=True, cwd=folder)
    return ctypes.CDLL(str(compiled))


def function(library, name):
    """One that returns a double."""
    found = getattr(library, name)
    found.restype = ctypes.c_double
    return found


def pointer(array):
    """To the numbers of an array, which it keeps."""
    return array.ctypes.data_as(ctypes.c_void_p)
