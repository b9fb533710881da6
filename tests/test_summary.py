"""What a notebook shows of a module."""

from micrograd_c.engine import Value
from micrograd_c.nn import MLP, Module, Neuron


def test_a_network_is_a_table_of_its_layers():
    html = MLP(2, [16, 1])._repr_html_()
    assert "<caption>MLP: 65 parameters</caption>" in html
    assert "<td>layers.0</td><td>Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2), Re...</td><td>48</td>" in html
    assert "<td>layers.1</td><td>Layer of [LinearNeuron(16)]</td><td>17</td>" in html


def test_names_are_escaped_and_what_is_shared_is_counted_once():
    class Odd(Module):
        def __init__(self):
            self.blocks = {"<a>": Neuron(1), "b": [Value(1.0)]}

        def parameters(self):
            return self.blocks["<a>"].parameters() * 2

        def __repr__(self):
            return "<odd>"

    class Pair(Module):
        def __init__(self):
            self.one = self.two = Odd()

        def parameters(self):
            return self.one.parameters() + self.two.parameters()

    assert "<td>blocks.&lt;a&gt;</td><td>ReLUNeuron(1)</td><td>2</td>" in Odd()._repr_html_()
    assert Pair()._repr_html_().count("<td>&lt;odd&gt;</td><td>2</td>") == 2
    assert "Pair: 2 parameters" in Pair()._repr_html_()


def test_a_neuron_has_no_parts():
    assert Neuron(2)._repr_html_() == "<table><caption>Neuron: 3 parameters</caption>\n</table>"
