"""The GPT of gpt.py learning from many names at once: one name in scalar code, all names of a batch by vmap.

    pip install 'micrograd_c[examples]'
    python examples/gpt_vmap.py

The model is gpt.py's, weight for weight, and so are the losses, up to rounding. What vmap runs is traced once, so a
token cannot choose a row of a table by its number. It comes as a row of zeros with a single one, and the product of the
table with that is the chosen row. The length of a name decides how often the loop runs, and is frozen, too: a batch has
names of one length, and vmap traces anew for each length that it has not seen.

The progress bars show how many names a second a model learns from, tracing included; compare them with those of gpt.py.
Rows go in as an array, which vmap reads faster than nested lists.
"""

import itertools
import random

import gpt
from common import needs
from names import VOCABULARY, encode, main

from micrograd_c import linear, logsumexp, mean, sumprod, vmap
from micrograd_c.optim import Adam

with needs("examples"):
    import numpy as np

BATCH = 32              # names, at most
ONE_HOT = np.eye(VOCABULARY)


class GPT(gpt.GPT):
    """With a loss over the rows of a batch."""

    def __init__(self, seed):
        super().__init__(seed)
        self.losses = vmap(self.loss_of_one)

    def logits_of(self, hot, position, past):
        """As gpt.py's logits, for a token that is a row."""
        x = linear(list(zip(*self.characters)), hot, self.positions[position])
        for layer, its_past in zip(self.layers, past):
            x = layer(x, its_past)
        return linear(self.predict, gpt.norm(x))

    def loss_of_one(self, name):
        """The mean, over the name, of how surprising each next token is."""
        past = self.start()
        losses = []
        for position, (hot, target) in enumerate(zip(name, name[1:])):
            logits = self.logits_of(hot, position, past)
            losses.append(logsumexp(logits) - sumprod(target, logits))
        return mean(losses)

    def loss(self, names):
        """The mean over names, all of one length."""
        return self.losses(ONE_HOT[np.array(names)]).mean()


def batches(names):
    """Lists of encoded names of one length, without end, in a new order each time through."""
    generator = random.Random(len(names))
    while True:
        chunks = []
        for _, group in itertools.groupby(sorted(generator.sample(names, len(names)), key=len), len):
            encoded = list(map(encode, group))
            chunks += [encoded[start : start + BATCH] for start in range(0, len(encoded), BATCH)]
        generator.shuffle(chunks)
        yield from chunks


if __name__ == "__main__":
    main(GPT, Adam, batches, steps=500)
