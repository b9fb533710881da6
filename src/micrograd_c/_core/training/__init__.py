"""Training beyond one process and one sitting: other ranks, and checkpoints."""
