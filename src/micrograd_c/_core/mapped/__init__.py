"""vmap: tracing, analysis, lowering, programs, running them over rows, what comes out."""
