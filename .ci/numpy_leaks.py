"""A pytest plugin for leak checking: what numpy's import leaks is none of ours.

A suppression could not name numpy: the recorded stacks end within CPython, which has no frame pointers.
"""

import ctypes

sanitizer = ctypes.CDLL(None)
sanitizer.__lsan_disable()
import numpy  # noqa: E402, F401

sanitizer.__lsan_enable()
