"""What the GPT examples share: names as numbers, and the loop around a model that learns to make up names.

Knows nothing of Values. The models and their optimizers are in gpt_plain.py, gpt.py and gpt_vmap.py.
"""

import argparse
import itertools
import pathlib
import random
import string
import time

from common import count, needs, temperature

with needs("examples"):
    from tqdm import tqdm

CHARACTERS = string.ascii_lowercase
BOUNDARY = len(CHARACTERS)      # the token before a name's first character, and after its last
VOCABULARY = len(CHARACTERS) + 1
LEARNING_RATE = 0.005
SEED = 1337


def load_names(seed=SEED):
    """The names, shuffled: neighbours in an alphabetical list are too much alike."""
    names = pathlib.Path(__file__).with_name("names.txt").read_text(encoding="ascii").split()
    random.Random(seed).shuffle(names)
    return names


def encode(name):
    """A name's tokens, a boundary before and after them."""
    return [BOUNDARY, *map(CHARACTERS.index, name), BOUNDARY]


def decode(tokens):
    """The characters of tokens without boundaries."""
    return "".join(CHARACTERS[token] for token in tokens)


def one_by_one(names):
    """Encoded names without end."""
    return map(encode, itertools.cycle(names))


def names_in(tokens):
    """How many a step learns from: one, or those of a batch."""
    return 1 if isinstance(tokens[0], int) else len(tokens)


def train(model, optimizer, names, steps, stream=one_by_one):
    """One of the stream a step, while the learning rate falls linearly to 0; returns the losses."""
    losses, learned, start = [], 0, time.perf_counter()
    progress = tqdm(zip(range(steps), stream(names)), total=steps, unit="step")
    for k, tokens in progress:
        loss = model.loss(tokens)
        optimizer.zero_grad()
        loss.backward()
        optimizer.lr = LEARNING_RATE * (1 - k / steps)
        optimizer.step()
        losses.append(loss.data)
        learned += names_in(tokens)
        rate = learned / (time.perf_counter() - start)
        recent = losses[-100:]
        progress.set_postfix_str(f"loss {sum(recent) / len(recent):.3f}, {rate:.0f} names/s", refresh=False)
    return losses


def main(GPT, Adam, stream=one_by_one, steps=5000):
    """Train, then make up names."""
    parser = argparse.ArgumentParser(description="A GPT of single numbers learns to make up names.")
    parser.add_argument("--steps", type=count, default=steps, help="training steps (default: %(default)s)")
    parser.add_argument("--count", type=count, default=20, help="names to make up (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=temperature, default=0.5,
        help="how daring the names are; 0 always takes the likeliest character (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives another run (default: %(default)s)")
    options = parser.parse_args()
    model = GPT(options.seed)
    parameters = model.parameters()
    print(f"{len(parameters)} parameters")
    train(model, Adam(parameters, LEARNING_RATE), load_names(options.seed), options.steps, stream)
    generator = random.Random(options.seed)
    for _ in range(options.count):
        print(decode(model.generate(generator, options.temperature)))
