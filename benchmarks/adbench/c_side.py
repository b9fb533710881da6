"""Bundle adjustment by hand in C, as ba_by_hand.c has it."""

import ctypes

import numpy as np
from by_hand import function, library, pointer


class BA:

    def __init__(self, bundle, folder):
        compiled = library(folder, "adbench/ba_by_hand.c")
        self.residuals, self.derivatives = function(compiled, "objective"), function(compiled, "jacobian")
        self.arrays = [np.ascontiguousarray(array) for array in bundle]
        self.count = len(bundle.weights)
        self.arguments = [*map(pointer, self.arrays), ctypes.c_longlong(self.count)]

    def call(self, compiled, *found):
        compiled(*self.arguments, *map(pointer, found))
        return list(found)

    def objective(self):
        found, of_weights = self.call(self.residuals, np.empty((self.count, 2)), np.empty(self.count))
        return [*found.T, of_weights]

    def jacobian(self):
        return self.call(self.derivatives, np.empty((self.count, 2, 15)))
