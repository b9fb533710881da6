"""`python -m micrograd_c` and the console script `micrograd-c`."""

import argparse
import sys

from micrograd_c import __version__, demo


def main(arguments=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="micrograd-c", description="micrograd, compiled")
    parser.add_argument("--version", action="version", version=f"micrograd_c {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo.add_arguments(commands.add_parser("demo", help="train micrograd's demo on its own data"))
    options = parser.parse_args(arguments)
    return demo.run(options)


if __name__ == "__main__":
    sys.exit(main())
