"""micrograd, compiled."""
