"""What the table of ops says, for code that shows or tests them. See table.h."""

__all__ = ["WITH_OPTIONS", "functions", "of_two", "slope_at", "value_at"]

WITH_OPTIONS = ("gelu", "leaky_relu")       # functions that take one: value.pyx and the stub have methods for them


def functions():
    """The functions of one number: a dict of what the table says about each, by the name of Value's method."""
    return {read_text(function_rows[k].name): described(function_rows + k) for k in range(FUNCTION_COUNT)}


def of_two():
    """The ops of two operands: a dict of texts, by the op's name; its rules are among them, as the table has them."""
    cdef const TwoRow *row
    cdef int k
    found = {}
    for k in range(TWO_COUNT):
        row = two_rows + k
        found[read_text(row.name)] = {
            "text": read_text(row.text),
            "value": read_text(row.value),
            "pullbacks": [read_text(row.pullback_a), read_text(row.pullback_b)],
            "recorded": [read_text(row.recorded_a), read_text(row.recorded_b)],
        }
    return found


def value_at(str name not None, double x):
    """The value, as C computes it: infinite or NaN where Value's method raises."""
    return value(row_of(name).op, x)


def slope_at(str name not None, double x, double y):
    """The derivative, by the rule that a backward pass uses; x is the operand, y the value that was computed."""
    return slope(row_of(name).op, x, y)


cdef dict described(const FunctionRow *row):
    return {
        "text": read_text(row.text),
        "activation": read_text(row.activation),
        "about": read_text(row.about),
        "error": <object> error(row.op) if error(row.op) != NULL else None,
        "complaint": read_text(row.complaint),
        "result_is_int": bool(result_is_int(row.op, 1.0, True)),
        "reads_operand": bool(slope_reads(row.op) & READS_A),
        "reads_value": bool(slope_reads(row.op) & READS_RESULT),
        "slope": read_text(row.slope),
        "recorded": read_text(row.recorded),
        "ulp": row.ulp,
    }


cdef const FunctionRow *row_of(str name) except NULL:
    cdef int k
    for k in range(FUNCTION_COUNT):
        if read_text(function_rows[k].name) == name:
            return function_rows + k
    raise ValueError(f"there is no function {name!r}: it must be one of {', '.join(functions())}")


cdef str read_text(const char *text):
    return text.decode()
