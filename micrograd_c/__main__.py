"""`python -m micrograd_c` and the console script `micrograd-c`."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int | None:
    """Run the command line; returns the exit status, None for 0."""
    if arguments is None:
        arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:    # before argparse, which would look for options among those of the program
        from micrograd_c import run

        return run.main(arguments[1:])
    if arguments[:1] == ["explain"]:    # numbers may stand before and after options
        from micrograd_c._core.explained import command

        return command.main(arguments[1:])
    if arguments == ["--version"]:
        from micrograd_c import show_config

        show_config()
        return None

    import argparse

    from micrograd_c import __version__, demo
    from micrograd_c.bench import command as bench

    parser = argparse.ArgumentParser(prog="micrograd-c", description="karpathy's micrograd, compiled.")
    parser.add_argument("--version", action="version", version=f"micrograd_c {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo.add_arguments(commands.add_parser("demo", help="train micrograd's demo on its own data"))
    bench.add_arguments(commands.add_parser("bench", help="compare speed and memory with those of other libraries"))
    commands.add_parser("run", add_help=False, help="run a program written for micrograd, unchanged")
    commands.add_parser("explain", add_help=False, help="explain an expression gate by gate, forward and backward")
    options = parser.parse_args(arguments)
    return {"demo": demo, "bench": bench}[options.command].run(options)


if __name__ == "__main__":
    _status = main()
    if _status:     # even an exit with 0 is a traceback with `python -i`
        sys.exit(_status)
