"""Several processes learn handwritten digits, each from its share of every batch: data parallelism.

    pip install 'micrograd_c[examples,mpi]'
    python examples/data_parallel.py
    mpiexec -n 2 python examples/data_parallel.py
    mpiexec -n 2 python examples/data_parallel.py --checkpoint digits.checkpoint    # again: it goes on from there

However many processes there are, the losses are those of one process that has the whole batch, up to rounding: the
gradient of a mean over all images is the mean of the gradients of means over the shares, weighted by the sizes of the
shares. Within a process vmap runs its share at once, as in digits.py, which has this model. Two processes need two
cores.
"""

import argparse
import os
import random

from common import count, needs
from digits import LEARNING_RATE, SEED, accuracy, all_at_once, load_images, tqdm

from micrograd_c import distributed, load, save
from micrograd_c.nn import MLP
from micrograd_c.optim import Adam

with needs("mpi"):
    import mpi4py  # noqa: F401 (distributed imports it later, in the middle of the work)

BATCH = 256             # of which each process has its share
SAVE_EVERY = 50


def batch_of(images, k):
    """The images of step k, the same on all ranks: what it depends on is k only, so a run can be resumed anywhere."""
    per_epoch = len(images) // BATCH
    epoch, place = divmod(k, per_epoch)
    order = random.Random(SEED + epoch).sample(range(len(images)), len(images))
    return [images[i] for i in order[place * BATCH : (place + 1) * BATCH]]


def train(model, images, steps, checkpoint=None):
    """Adam, while the learning rate falls linearly to 0; returns the losses over whole batches."""
    optimizer, loss_of_share = Adam(model.parameters(), LEARNING_RATE), all_at_once(model)
    first, losses = 0, []
    if checkpoint and os.path.exists(checkpoint):
        first = load(checkpoint, model=model, optimizer=optimizer).step
    distributed.broadcast_parameters(model)
    progress = tqdm(range(first, steps), initial=first, total=steps, unit="step", disable=distributed.rank() != 0)
    for k in progress:
        share = distributed.shard(batch_of(images, k))
        loss = loss_of_share(share)
        optimizer.zero_grad()
        loss.backward()
        losses += distributed.average_gradients(model, weight=len(share), numbers=[loss.data])
        optimizer.lr = LEARNING_RATE * (1 - k / steps)
        optimizer.step()
        progress.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
        if checkpoint and (k + 1) % SAVE_EVERY == 0:
            save(checkpoint, model=model, optimizer=optimizer, step=k + 1)      # rank 0 writes, the others wait
    return losses


def main():
    """Train, then judge on rank 0."""
    parser = argparse.ArgumentParser(description="Handwritten digits, learned by several processes.")
    parser.add_argument("--steps", type=count, default=200, help="batches to learn from (default: %(default)s)")
    parser.add_argument("--checkpoint", metavar="FILE", help="save to this file now and then, and resume from it")
    parser.add_argument("--losses", action="store_true", help="print the loss of each step")
    options = parser.parse_args()
    random.seed(SEED)       # all ranks have the same images and, though that is not needed, the same first weights
    seen, held_out = load_images()
    model = MLP(64, [32, 10])
    losses = train(model, seen, options.steps, options.checkpoint)
    if distributed.rank() == 0:
        if options.losses:
            print(*losses, sep="\n")
        processes = "1 process" if distributed.size() == 1 else f"{distributed.size()} processes"
        print(f"{processes}: accuracy on {len(held_out)} images they have not seen: "
              f"{accuracy(model, held_out):.1%}")


if __name__ == "__main__":
    main()
