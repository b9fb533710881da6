"""The table's column `recorded`, a rule per op, read once into steps that a Recorder follows."""

from libc.stdlib cimport malloc

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.transforms.recorder cimport (
    DO_ADD, DO_FUNCTION, DO_MULTIPLY, DO_NUMBER, DO_POWER, DO_TWO, MOST_STEPS, NOTHING, Rule, RuleStep,
)

from micrograd_c._core.transforms.rule_steps import steps_of

cdef dict KINDS = {"number": DO_NUMBER, "add": DO_ADD, "multiply": DO_MULTIPLY, "power": DO_POWER}


cdef int read_rules() except -1:
    """Read the table's column. Raises ValueError for a rule that is none."""
    cdef dict ops = {}
    cdef int k
    for k in range(rules.OP_COUNT):
        of_first[k].result = of_second[k].result = NOTHING
    for k in range(rules.FUNCTION_COUNT):
        ops[rules.function_rows[k].name.decode()] = (<int> DO_FUNCTION, rules.function_rows[k].op)
    for k in range(rules.TWO_COUNT):
        ops[rules.two_rows[k].name.decode().lower()] = (<int> DO_TWO, rules.two_rows[k].op)
    for k in range(rules.FUNCTION_COUNT):
        read_rule(of_first + rules.function_rows[k].op, rules.function_rows[k].recorded.decode(), ["x", "y"], ops)
    for k in range(rules.TWO_COUNT):
        named = ["x", "y", "z", "g"]
        read_rule(of_first + rules.two_rows[k].op, rules.two_rows[k].recorded_a.decode(), named, ops)
        if rules.two_rows[k].op != rules.POWER:     # whose second operand is a number
            read_rule(of_second + rules.two_rows[k].op, rules.two_rows[k].recorded_b.decode(), named, ops)
    return 0


cdef int read_rule(Rule *rule, str text, list named, dict ops) except -1:
    cdef list steps
    cdef RuleStep *to
    cdef int k
    steps, result = steps_of(text, named)
    if len(steps) > MOST_STEPS:
        raise ValueError(f"the table of ops has a rule of {len(steps)} steps, more than {MOST_STEPS}: {text!r}")
    rule.count, rule.result = <int> len(steps), result
    rule.steps = <RuleStep *> malloc((rule.count or 1) * sizeof(RuleStep))
    if rule.steps == NULL:
        raise MemoryError("no memory for the rules of derivatives")
    for k in range(rule.count):
        name, *given = <tuple> steps[k]
        kind, op = (KINDS[name], 0) if name in KINDS else ops[name]
        to = rule.steps + k
        to[0] = RuleStep(kind=kind, op=op, a=0, b=0, number=0.0)
        if kind == DO_NUMBER:
            to.number = given[0]
        else:
            to.a, to.b = given[0], given[len(given) - 1]
    return 0


read_rules()
