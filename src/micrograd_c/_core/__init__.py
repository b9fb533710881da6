"""The compiled core, a folder per idea.

Each room uses those before it in this list only: ops, tape, value, bulk, modules, mapped, drop_in.
"""
