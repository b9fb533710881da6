"""Somebody else's class Value, found out by trying it, and run on ours."""
