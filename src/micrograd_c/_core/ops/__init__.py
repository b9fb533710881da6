"""What each op computes, and its derivative; Python numbers as doubles."""
