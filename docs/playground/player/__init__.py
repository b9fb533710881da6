"""The Python of the playground, which its workers run: see docs/playground.md."""
