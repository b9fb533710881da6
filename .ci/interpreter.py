"""Print this interpreter's minor version, its path, and what makes it useless for a build, if anything, with tabs."""

import os
import platform
import sys
import sysconfig

problem = ""
if platform.python_implementation() != "CPython":
    problem = "is " + platform.python_implementation()
elif sys.version_info[3] != "final":
    problem = "is the pre-release " + platform.python_version()
elif sysconfig.get_config_var("Py_GIL_DISABLED"):
    problem = "is a free-threaded build"
elif not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    problem = "has no headers"
print(".".join(map(str, sys.version_info[:2])), sys.executable, problem, sep="\t")
