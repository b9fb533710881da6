"""micrograd's names for this package, in a process or for one program."""
