"""`python benchmarks`: `micrograd-c bench` from the source tree."""

import sys

from micrograd_c.__main__ import main

sys.exit(main(["bench", *sys.argv[1:]]))
