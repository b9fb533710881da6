"""What nn and optim are made of besides nodes: names of parameters, what a notebook shows, options."""
