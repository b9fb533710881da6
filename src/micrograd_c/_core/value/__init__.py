"""Value: operators, lifetime, the graph as Python sees it, copying, no_grad."""
