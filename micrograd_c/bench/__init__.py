"""`micrograd-c bench`: this package measured beside whatever else of its kind is installed.

inputs and workloads say what is computed, peers how each library does it, measure how it is timed, memory what it
takes, compare puts these together, report and chart show it. Only the command line imports any of it.
"""
