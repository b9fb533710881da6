"""Classes made wrong on purpose: none is compiled in the method that differs from ours."""

import pytest
from own_values import CLOSURES, LOCAL, changed, made

from micrograd_c._core.adopted.accelerating import examine

# method: [what the class says, what it says instead ...]
CLOSURE_FAULTS = {
    "__add__": [
        ("self.data + other.data", "float(self.data + other.data)"),
        ("self.data + other.data", "round(self.data + other.data, 12)"),
        ("self.data + other.data", "self.data + other.data + 1e-16 * self.data"),
        ("self.data + other.data", "other.data - -self.data if other.data else self.data * 1.0"),
        ("self.grad += out.grad", "self.grad = out.grad"),
        ("other.grad += 1.0 * out.grad", "other.grad = out.grad"),
        ("other.grad += 1.0 * out.grad", "other.grad += 1.0000001 * out.grad"),
        ("other.grad += 1.0 * out.grad", "other.grad -= out.grad"),
        ("other.grad += 1.0 * out.grad", "other.grad += self.grad"),
        ("other.grad += 1.0 * out.grad", "pass"),
        ("(self, other), '+'", "(self,), '+'"),
        ("self.grad += out.grad\n            other.grad += 1.0 * out.grad",
         "self.grad = other.grad = self.grad + out.grad"),
    ],
    "__mul__": [
        ("self.data * other.data", "float(self.data * other.data)"),
        ("self.data * other.data", "self.data * other.data + 0.0"),
        ("self.data * other.data", "math.exp(math.log(abs(self.data * other.data))) if self.data * other.data else 0"),
        ("self.data * other.data", "0 if self.data == 0 else self.data * other.data"),
        ("self.grad += other.data * out.grad", "self.grad = other.data * out.grad"),
        ("other.grad += self.data * out.grad", "other.grad = self.data * out.grad"),
        ("self.grad += other.data * out.grad", "self.grad += self.data * out.grad"),
        ("self.grad += other.data * out.grad", "self.grad += round(other.data * out.grad, 10)"),
        ("self.grad += other.data * out.grad", "self.grad += min(other.data * out.grad, 1e6)"),
        ("self.grad += other.data * out.grad", "self.grad += other.data * out.grad * (1 + 1e-14)"),
        ("self.grad += other.data * out.grad", "self.grad += other.data * out.grad if out.grad else 1e-3"),
    ],
    "__pow__": [
        ("(other * self.data ** (other - 1))", "(other * self.data ** (other - 2))"),
        ("(other * self.data ** (other - 1))", "(self.data ** (other - 1))"),
        ("(other * self.data ** (other - 1))", "(out.data * other / self.data if self.data > 0 else 0.0)"),
        ("self.grad += (other", "self.grad = (other"),
        ("Value(self.data ** other", "Value(float(self.data ** other)"),
        ("Value(self.data ** other", "Value(math.pow(self.data, other)"),
        ("Value(self.data ** other", "Value(abs(self.data) ** other"),
        ("Value(self.data ** other", "Value(self.data * self.data if other == 2 else self.data ** other + 0.0"),
        ("(other * self.data ** (other - 1))", "(other * abs(self.data) ** (other - 1))"),
    ],
    "relu": [
        ("(out.data > 0) * out.grad", "(self.data >= 0) * out.grad"),
        ("(out.data > 0) * out.grad", "(out.data > 1e-9) * out.grad"),
        ("(out.data > 0) * out.grad", "out.grad"),
        ("(out.data > 0) * out.grad", "(0.01 if out.data <= 0 else 1) * out.grad"),
        ("self.grad += (out.data > 0)", "self.grad = (out.data > 0)"),
        ("0 if self.data < 0 else self.data", "0.01 * self.data if self.data < 0 else self.data"),
        ("0 if self.data < 0 else self.data", "self.data * (self.data > 0)"),
        ("0 if self.data < 0 else self.data", "min(max(0, self.data), 6)"),
        ("0 if self.data < 0 else self.data", "float(max(0, self.data))"),
    ],
    "exp": [
        ("math.exp(self.data)", "2.718281828459045 ** self.data"),
        ("math.exp(self.data)", "math.exp(min(self.data, 700))"),
        ("math.exp(self.data)", "math.e ** self.data if self.data > 1 else math.exp(self.data)"),
        ("math.exp(self.data)", "math.expm1(self.data) + 1"),
        ("self.grad += out.data * out.grad", "self.grad = out.data * out.grad"),
        ("self.grad += out.data * out.grad", "self.grad += out.data"),
        ("self.grad += out.data * out.grad", "self.grad += self.data * out.grad"),
        ("self.grad += out.data * out.grad", "self.grad += (out.data + 1e-10) * out.grad"),
    ],
    "log": [
        ("math.log(self.data)", "math.log(self.data + 1e-10)"),
        ("math.log(self.data)", "math.log(max(self.data, 1e-12))"),
        ("math.log(self.data)", "math.log2(self.data) * math.log(2)"),
        ("math.log(self.data)", "math.log(abs(self.data))"),
        ("1.0 / self.data * out.grad", "1.0 / (self.data + 1e-10) * out.grad"),
        ("1.0 / self.data * out.grad", "out.grad"),
        ("self.grad += 1.0 / self.data", "self.grad = 1.0 / self.data"),
    ],
    "tanh": [
        ("math.tanh(self.data)", "(math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)"),
        ("(1 - t ** 2) * out.grad", "(1 - t) * out.grad"),
        ("(1 - t ** 2) * out.grad", "(1 - self.data ** 2) * out.grad"),
        ("self.grad += (1 - t ** 2)", "self.grad = (1 - t ** 2)"),
    ],
    "backward": [
        ("self.grad = 1.0", "self.grad += 1.0"),
        ("self.grad = 1.0", "self.grad = 2.0"),
        ("self.grad = 1.0", "self.grad = self.data"),
        ("reversed(topo)", "topo"),
        ("reversed(topo)", "list(reversed(topo))[:20]"),
        ("        self.grad = 1.0\n", "        for v in topo:\n            v.grad = 0.0\n        self.grad = 1.0\n"),
        ("topo.append(v)\n", "topo.insert(0, v)\n"),
        ("            if v not in visited:\n                visited.add(v)\n", "            if True:\n"),
        ("            node._backward()", "            node._backward()\n            if node._prev: node.grad = 0.0"),
        ("            node._backward()", "            node._backward()\n            node._prev = set()"),
    ],
    "__neg__": [("self * -1", "self * -1.0"), ("self * -1", "0 - self"), ("self * -1", "Value(-self.data)")],
    "__radd__": [("return self + other", "return self + float(other)"), ("return self + other", "return Value(other)")],
    "__sub__": [
        ("self + (-other)", "self + (-1.0 * other)"), ("self + (-other)", "Value(self.data) + (-other)"),
        ("self + (-other)", "-(-self + other)"),
    ],
    "__rsub__": [("other + (-self)", "self + (-other)"), ("other + (-self)", "other + self * -1.0")],
    "__rmul__": [
        ("return self * other", "return self * float(other)"), ("return self * other", "return self * other * 1"),
    ],
    "__truediv__": [
        ("self * other ** -1", "self * other ** -1.0"),
        ("self * other ** -1", "Value(self.data / (other.data if isinstance(other, Value) else other), (self,), '/')"),
        ("self * other ** -1", "self * (other + 1e-12) ** -1"),
    ],
    "__rtruediv__": [("other * self ** -1", "self * other ** -1"), ("other * self ** -1", "other * self ** -1 * 1.0")],
}
LOCAL_FAULTS = {
    "__add__": [
        ("(1, 1)", "(1, -1)"), ("(1, 1)", "(1, 1, 1)"), ("(1, 1)", "(1,)"), ("(1, 1)", "(1, 1.0000000001)"),
        ("self.data + other.data", "float(self.data + other.data)"),
        ("(self, other), (1, 1)", "(other, other), (1, 1)"),
        ("(self, other), (1, 1)", "(other, self), (1, 1)"),
    ],
    "__mul__": [
        ("(other.data, self.data)", "(self.data, other.data)"), ("(other.data, self.data)", "(other.data, 0)"),
        ("(other.data, self.data)", "(other.data, self.data * 1.0)"),
        ("self.data * other.data", "round(self.data * other.data, 14)"),
        ("(other.data, self.data)", "(other.data + 1e-9, self.data)"),
    ],
    "__pow__": [
        ("self.data**other, ", "self.data**other + 0.0, "), ("(other * self.data**(other - 1),)", "(other,)"),
        ("(other * self.data**(other - 1),)", "(other * self.data**other / (self.data or 1),)"),
    ],
    "log": [
        ("math.log(self.data)", "math.log(self.data + 1e-8)"), ("1 / self.data", "1 / (self.data + 1e-8)"),
        ("math.log(self.data)", "math.log(self.data) if self.data > 0 else -1e9"), ("1 / self.data", "-1 / self.data"),
    ],
    "exp": [
        ("(math.exp(self.data),)", "(1.0,)"), ("(math.exp(self.data),)", "(math.exp(self.data) + 1e-6,)"),
        ("Value(math.exp(self.data)", "Value(math.exp(max(-50, self.data))"),
    ],
    "relu": [
        ("float(self.data > 0)", "float(self.data >= 0)"), ("max(0, self.data)", "max(-1, self.data)"),
        ("max(0, self.data)", "max(0, self.data) * 2"), ("float(self.data > 0)", "0.5"),
        ("max(0, self.data)", "max(0.1 * self.data, self.data)"),
    ],
    "__neg__": [("self * -1", "self * -1.0")],
    "__rsub__": [("other + (-self)", "(-self) + other * 1.0")],
    "__truediv__": [("self * other**-1", "self * other**-1 + 0")],
    "backward": [
        ("self.grad = 1\n", "self.grad += 1\n"),
        ("child.grad += local_grad * v.grad", "child.grad = local_grad * v.grad"),
        ("self.grad = 1\n", "self.grad = 3\n"), ("child.grad += local_grad * v.grad", "child.grad += local_grad"),
        ("child.grad += local_grad * v.grad", "child.grad += local_grad * v.grad if v.grad < 100 else 100"),
        ("        self.grad = 1\n", "        for v in topo: v.grad = 0\n        self.grad = 1\n"),
        ("reversed(topo)", "sorted(topo, key=lambda v: -v.data)"),
    ],
}
FAULTS = [
    pytest.param(source, method, edit, id=f"{shape}-{method}-{number}")
    for shape, source, faults in (("closures", CLOSURES, CLOSURE_FAULTS), ("local", LOCAL, LOCAL_FAULTS))
    for method, edits in faults.items() for number, edit in enumerate(edits)
]
CORE = {"__add__", "__mul__", "backward"}


def test_they_are_a_hundred():
    assert len(FAULTS) >= 100


@pytest.mark.parametrize(("source", "method", "edit"), FAULTS)
def test_a_method_that_differs_stays(source, method, edit):
    verdict = examine(made(changed_in(source, method, edit)))
    assert verdict.refusal or (method in verdict.own and method not in verdict.ours and method not in CORE)


@pytest.mark.parametrize("source", [CLOSURES, LOCAL], ids=["closures", "local"])
def test_all_that_are_right_are_ours(source):
    verdict = examine(made(source))
    assert verdict.refusal == ""
    assert set(verdict.own) <= {"__repr__"}
    assert len(verdict.ours) >= 13


def changed_in(source, method, edit):
    """Edits are of one method's text."""
    begin = source.index(f"def {method}(")
    end = source.find("    def ", begin + 4)
    while end >= 0 and source[end - 4:end] == "    ":       # a function in the method
        end = source.find("    def ", end + 4)
    end = len(source) if end < 0 else end
    return source[:begin] + changed(source[begin:end], edit) + source[end:]
