"""Derivatives: recorded, and as numbers."""

GRAPHS = "test_gradients.py"
FUNCTIONS = "test_transforms.py"

FAULTS = {
    "src/micrograd_c/_core/transforms/plain_sweeps.pyx": (GRAPHS, [
        ("gradients of what is below the inputs are not put back",
         "        elif index:\n            self.save(index)\n",
         ""),
        ("a sweep goes where no input leads",
         "            if not self.calls and not self.marks[i - self.low] & REACHED and not node.flags & LEAF_NODE:\n",
         "            if False:\n"),
        ("a dot that was swept for numbers counts as swept",
         "                node.dot &= ~(SWEPT | GRAD_FLOAT)\n",
         "                pass\n"),
        ("what functions of users add to is not put back",
         "                    mark_operands(i, reached)\n                    self.save(i)\n",
         "                    self.save(i)\n"),
    ]),
    "src/micrograd_c/_core/transforms/derivatives.pyx": (FUNCTIONS, [
        ("a function inside gets the arguments themselves",
         "    return with_number(value, Number(1.0, DATA_INT), operators.multiply_number)\n",
         "    return value\n"),
        ("the first operand's rule is the second's, too",
         "&of_second[node.op] if of_b else &of_first[node.op]",
         "&of_first[node.op] if of_b else &of_first[node.op]"),
        ("tangents of one pass are left for the next",
         "            self.terms[k].node = NOTHING\n",
         "            pass\n"),
        ("a gradient that is an operand is that Value's own node",
         "        if term.node < self.old_top or term.node in",
         "        if term.node in",
         GRAPHS),
    ]),
    "src/micrograd_c/_core/transforms/recorder.pxd": (FUNCTIONS, [
        ("an op is taken for that of another operand",
         "(r.known[k].op != op or r.known[k].a != a or",
         "(r.known[k].op != op or",
         GRAPHS),
    ]),
    "src/micrograd_c/_core/tape/pausing.pyx": (FUNCTIONS, [
        ("no_grad around a transform counts inside",
         "                counted_from = max(counted_from, block.number)\n                break\n",
         "                break\n"),
    ]),
}
