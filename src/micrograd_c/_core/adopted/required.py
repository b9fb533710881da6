"""What a class must define to be taken for somebody's Value."""

__all__ = ["REQUIRED"]

REQUIRED = ("__add__", "__mul__", "backward")
