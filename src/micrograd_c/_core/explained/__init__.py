"""Graphs explained to people who learn: gates, numbers, the chain rule. `explaining` is what micrograd_c.explain is."""
