"""Operations of one value as people write their own: a function that makes a Value and gives it a backward."""

from micrograd_c import Value


def own_op(of_data, slope, name):
    """An operation called `name`; both functions take a number, `slope` gives the derivative."""
    def operation(x):
        out = Value(of_data(x.data), (x,), name)

        def backward():
            x.grad += slope(x.data) * out.grad

        out._backward = backward
        return out

    return operation


cube = own_op(lambda x: x ** 3, lambda x: 3 * x ** 2, "cube")
double = own_op(lambda x: x * 2.0, lambda x: 2.0, "double")
same = own_op(lambda x: x, lambda x: 1.0, "own")
