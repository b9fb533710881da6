"""A small MLP learns to read handwritten digits: scikit-learn's, 8x8 pixels each.

    pip install 'micrograd_c[examples]'
    python examples/digits.py
    python examples/digits.py --vmap

This shows mini-batches, cross entropy over ten classes, an optimizer, and how a model is judged: by images that it has
not seen. There are 2,410 parameters and some 220,000 nodes a step, all of them single numbers. With --vmap the loss of
one image is traced once and run for all images of a batch. The losses are the same up to rounding, at some 10 times as
many steps a second, as the progress bar shows.
"""

import argparse
import random

from common import count, needs

from micrograd_c import cross_entropy, logsumexp, mean, no_grad, sumprod, vmap
from micrograd_c.nn import MLP
from micrograd_c.optim import Adam

with needs("examples"):
    import numpy as np
    from sklearn.datasets import load_digits
    from tqdm import tqdm

HELD_OUT = 360          # images kept for judging; 1,437 are left to learn from
BATCH = 32
LEARNING_RATE = 0.01
SEED = 1337


def load_images():
    """Pairs of an image, 64 numbers from 0 to 1, and its digit: those to learn from and those held out."""
    digits = load_digits()
    images = list(zip((digits.data / 16).tolist(), digits.target.tolist()))
    random.shuffle(images)
    return images[HELD_OUT:], images[:HELD_OUT]


def batches(images):
    """Mini-batches without end, in a new order each time through."""
    while True:
        order = random.sample(images, len(images))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            yield order[start : start + BATCH]


def image_by_image(model):
    """The mean loss of a batch."""
    return lambda batch: mean([cross_entropy(model(pixels), digit) for pixels, digit in batch])


def all_at_once(model):
    """The same by vmap. What is traced cannot pick a logit by a number: a digit is a row of zeros with a one."""
    @vmap
    def loss(pixels, hot):
        logits = model(pixels)
        return logsumexp(logits) - sumprod(hot, logits)

    def loss_of_batch(batch):
        pixels, digits = zip(*batch)
        return loss(np.array(pixels), np.eye(10)[list(digits)]).mean()

    return loss_of_batch


def train(model, images, steps, loss_of=image_by_image):
    """One mini-batch a step, while the learning rate falls linearly to 0; returns the losses."""
    optimizer, loss_of_batch = Adam(model.parameters(), LEARNING_RATE), loss_of(model)
    losses = []
    progress = tqdm(zip(range(steps), batches(images)), total=steps, unit="step")
    for k, batch in progress:
        loss = loss_of_batch(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.lr = LEARNING_RATE * (1 - k / steps)
        optimizer.step()
        losses.append(loss.data)
        progress.set_postfix_str(f"loss {loss.data:.3f}", refresh=False)
    return losses


@no_grad
def accuracy(model, images):
    """The share of images for which the right digit has the largest logit."""
    right = 0
    for pixels, digit in images:
        logits = model(pixels)
        right += max(range(10), key=logits.__getitem__) == digit
    return right / len(images)


def main():
    """Train, then judge."""
    parser = argparse.ArgumentParser(description="A small MLP learns to read handwritten digits.")
    parser.add_argument("--steps", type=count, default=1000, help="mini-batches to learn from (default: %(default)s)")
    parser.add_argument("--vmap", action="store_true", help="run all images of a batch at once")
    options = parser.parse_args()
    random.seed(SEED)
    seen, held_out = load_images()
    model = MLP(64, [32, 10])
    train(model, seen, options.steps, all_at_once if options.vmap else image_by_image)
    print(f"accuracy on the {len(seen)} images it learned from: {accuracy(model, seen):.1%}")
    print(f"accuracy on {len(held_out)} images it has not seen: {accuracy(model, held_out):.1%}")


if __name__ == "__main__":
    main()
