"""Many nodes in one call: sums of products, neurons, softmax and its like, steps of optimizers."""
