/* What Cython cannot say about the type Value: a __dict__ made only when needed, and death and calls without overhead.
   Included by value/value.pyx, which installs it into the type when the module is loaded. Knows nothing of nodes.

   Value's functions of one number are methods that are made from the table of ops.

   Each function here does its share and then calls what Cython made for the same slot. Subclasses written in Python
   have slots of their own, which call these. */

#include "deaths.h"
#include "ops/python.h"

static struct {
    PyTypeObject *type;
    Py_ssize_t dict_offset;             /* from a Value to its `attributes` */
    Py_ssize_t weak_offset;             /* from a Value to its list of weak references */
    void (*keep_if_reached)(PyObject *);    /* see watched_and_reached */
    void (*let_go)(PyObject *);         /* the Value dies: forget its node */
    destructor dealloc;                 /* what is installed: value_dealloc, after the short way for plain Values */
    PyObject *(*leaf)(PyObject *);      /* Value(x) for a float x */
    int (*has_plain_data)(PyObject *);  /* attributes, and all of them plain data */
    int (*clear_all_but_plain_data)(PyObject *);    /* 0, and nothing done, if there is no such data */
    PyObject *(*function)(PyObject *, int);     /* for a Value and an op: the Value that the op gives */
    traverseproc made_traverse;         /* as Cython made them */
    inquiry made_clear;
    destructor made_dealloc;
    initproc made_init;
    newfunc made_new;
    setattrofunc made_setattro;
    PyNumberMethods made_operators;
    PyObject *no_arguments;             /* an empty tuple */
} value_type;

#define ATTRIBUTES(o) (*(PyObject **)((char *)(o) + value_type.dict_offset))
#define WEAK_REFERENCES(o) (*(PyObject **)((char *)(o) + value_type.weak_offset))

/* From CPython 3.14 on the collector knows of every dict, and would empty one of plain data before it clears the Value.
   Such a dict is no part of a cycle, so the collector need not know who has it. */
static int value_traverse(PyObject *o, visitproc visit, void *arg) {
    if (ATTRIBUTES(o) && !value_type.has_plain_data(o)) Py_VISIT(ATTRIBUTES(o));
    return value_type.made_traverse(o, visit, arg);
}

/* Python's collector has found o in a cycle of garbage. Plain data is no part of that, and goes with the node, which a
   live Value may still reach. */
static int value_clear(PyObject *o) {
    if (value_type.clear_all_but_plain_data(o)) return 0;
    Py_CLEAR(ATTRIBUTES(o));
    return value_type.made_clear(o);
}

/* A plain Value refers to nothing but its type, so it cannot be part of a cycle: Python's collector is not told of it
   until it gets something (value/lifetime.pxd's `track`), as CPython does with tuples and dicts. Dead plain Values wait
   here to be used again, with all fields as a new one has them. */
#if CYTHON_USE_FREELISTS
#define SPARE_VALUES 256
#else
#define SPARE_VALUES 0
#endif
static PyObject *spare_values[SPARE_VALUES + 1];
static int spare_count = 0;

static inline PyObject *fresh_value(void) {
    PyObject *o;
    if (spare_count) {
        o = spare_values[--spare_count];
#if defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
        _Py_NewReference(o);
#else
        Py_SET_REFCNT(o, 1);
#endif
    } else if ((o = value_type.made_new(value_type.type, value_type.no_arguments, NULL)))
        PyObject_GC_UnTrack(o);
    return o;
}

/* An instance of a subclass, made without calling the subclass's __new__ or __init__. */
static inline PyObject *fresh_instance(PyObject *type) {
    PyObject *o = value_type.made_new((PyTypeObject *)type, value_type.no_arguments, NULL);
    if (o) PyObject_GC_UnTrack(o);
    return o;
}

/* Whether an operand's + or * is Value's own. Then it is a Value, or of a subclass that does not replace that. */
static inline int adds_as_value(PyObject *o) {
    PyNumberMethods *operators = Py_TYPE(o)->tp_as_number;
    return operators && operators->nb_add == value_type.made_operators.nb_add;
}

static inline int multiplies_as_value(PyObject *o) {
    PyNumberMethods *operators = Py_TYPE(o)->tp_as_number;
    return operators && operators->nb_multiply == value_type.made_operators.nb_multiply;
}

static inline int has_weak_references(PyObject *o) { return WEAK_REFERENCES(o) != NULL; }

/* Whether a plain Value that dies can be used again. One with a finalizer cannot: it is marked as finalized for good.
   And once somebody has replaced Value.__setattr__, object.__setattr__ can give it attributes without our knowing. */
static inline int can_be_spared(PyObject *o) {
    return Py_TYPE(o) == value_type.type && spare_count < SPARE_VALUES && !value_type.type->tp_finalize
        && !WEAK_REFERENCES(o) && !ATTRIBUTES(o);
}

static inline void spare(PyObject *o) {
    spare_values[spare_count++] = o;
}

/* A weak reference to a Value must not die while a graph still reaches the Value: micrograd's graphs refer to it. What
   can reach the Value is looked for only now, and made to refer to it; then it stays. */
static int watched_and_reached(PyObject *o) {
    PyObject *kind, *exception, *traceback;
    PyErr_Fetch(&kind, &exception, &traceback);
    Py_SET_REFCNT(o, 1);
    value_type.keep_if_reached(o);
    Py_SET_REFCNT(o, Py_REFCNT(o) - 1);
    PyErr_Restore(kind, exception, traceback);
    return Py_REFCNT(o) > 0;
}

static inline void value_let_go(PyObject *o) {
    value_type.let_go(o);
}

static void value_release(PyObject *o) {
    if (WEAK_REFERENCES(o)) PyObject_ClearWeakRefs(o);      /* or finalizers of attributes could bring o back through them */
    if (ATTRIBUTES(o)) {
        PyObject *kind, *exception, *traceback;
        PyErr_Fetch(&kind, &exception, &traceback);
        Py_SET_REFCNT(o, Py_REFCNT(o) + 1);     /* finalizers of attributes may look at o */
        Py_CLEAR(ATTRIBUTES(o));
        Py_SET_REFCNT(o, Py_REFCNT(o) - 1);
        PyErr_Restore(kind, exception, traceback);
    }
    value_type.made_dealloc(o);
}

/* In the place of __dealloc__, around which Cython would save and restore the exception each time. */
static void value_dealloc(PyObject *o) {
    PyTypeObject *type = Py_TYPE(o);
    if (WEAK_REFERENCES(o) && watched_and_reached(o)) return;
    if (type->tp_finalize && type->tp_dealloc == value_type.dealloc && PyObject_CallFinalizerFromDealloc(o)) return;
    value_type.let_go(o);
    PyObject_GC_UnTrack(o);     /* before any code runs: the collector would take o, which nothing refers to, for garbage */
    release_in_turn(o, value_release);
}

/* Value(x) for a float is by far the commonest call: without the tuple and the argument parsing of tp_call. */
static PyObject *value_call(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names) {
    Py_ssize_t i, given = PyVectorcall_NARGS(nargsf), named = names ? PyTuple_GET_SIZE(names) : 0;
    PyObject *result = NULL, *positional, *keywords = NULL;
    if (given == 1 && !named && PyFloat_Check(args[0]) && (PyTypeObject *)type == value_type.type
            && value_type.type->tp_init == value_type.made_init && value_type.type->tp_new == value_type.made_new)
        return value_type.leaf(args[0]);
    positional = PyTuple_New(given);
    if (!positional) return NULL;
    for (i = 0; i < given; i++) {
        Py_INCREF(args[i]);
        PyTuple_SET_ITEM(positional, i, args[i]);
    }
    if (named && !(keywords = PyDict_New())) goto done;
    for (i = 0; i < named; i++)
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[given + i])) goto done;
    result = PyType_Type.tp_call(type, positional, keywords);
done:
    Py_DECREF(positional);
    Py_XDECREF(keywords);
    return result;
}

/* Whether operators that micrograd composes of others can be recorded in one go: not once somebody has assigned to
   Value.__add__, __mul__, __pow__ or __neg__, or to a reflected one. */
static int has_compiled_operators(void) {
    PyNumberMethods *now = value_type.type->tp_as_number, *made = &value_type.made_operators;
    return now->nb_add == made->nb_add && now->nb_multiply == made->nb_multiply && now->nb_power == made->nb_power
        && now->nb_negative == made->nb_negative;
}

/* The same for those it composes, Value.__sub__ and __truediv__. */
static int has_compiled_compositions(void) {
    PyNumberMethods *now = value_type.type->tp_as_number, *made = &value_type.made_operators;
    return now->nb_subtract == made->nb_subtract && now->nb_true_divide == made->nb_true_divide;
}

/* Make a method what it is for other types, the wrapper of a slot. Cython makes a second function of it: if that were
   replaced and then assigned back to the class, the slot would not come back. */
static int make_slot_wrapper(const char *name, binaryfunc function) {
    PyObject *model = PyObject_GetAttrString((PyObject *)&PyLong_Type, name), *wrapper = NULL;
    int status = -1;
    if (model) wrapper = PyDescr_NewWrapper(value_type.type, ((PyWrapperDescrObject *)model)->d_base, (void *)function);
    if (wrapper) status = PyObject_SetAttrString((PyObject *)value_type.type, name, wrapper);
    Py_XDECREF(model);
    Py_XDECREF(wrapper);
    return status;
}

/* __setattr__ and __delattr__ as methods. The wrappers that CPython makes refuse to run once their slot holds something
   else, as it does while somebody has replaced __setattr__ by a function that calls the original. */
static PyObject *set_attribute(PyObject *o, PyObject *const *args, Py_ssize_t given) {
    if (given != 2)
        return PyErr_Format(PyExc_TypeError, "__setattr__ wants a name and a value, not %zd arguments", given);
    if (value_type.made_setattro(o, args[0], args[1])) return NULL;
    Py_RETURN_NONE;
}

static PyObject *delete_attribute(PyObject *o, PyObject *name) {
    if (value_type.made_setattro(o, name, NULL)) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef attribute_methods[] = {
    {"__setattr__", (PyCFunction)(void (*)(void))set_attribute, METH_FASTCALL,
     "__setattr__($self, name, value, /)\n--\n\nImplement setattr(self, name, value)."},
    {"__delattr__", delete_attribute, METH_O, "__delattr__($self, name, /)\n--\n\nImplement delattr(self, name)."},
};

static int make_attribute_methods(PyTypeObject *type) {
    int i, status = 0;
    for (i = 0; i < 2 && !status; i++) {
        PyObject *method = PyDescr_NewMethod(type, attribute_methods + i);
        status = method ? PyObject_SetAttrString((PyObject *)type, attribute_methods[i].ml_name, method) : -1;
        Py_XDECREF(method);
    }
    type->tp_setattro = value_type.made_setattro;   /* which assigning to the class has replaced by a look-up of those */
    return status;
}

/* value.exp() and the like, but for those that take options, which are methods of their own. */
#define FUNCTION(NAME, name, ...) \
    static PyObject *value_##name(PyObject *o, PyObject *nothing) { return value_type.function(o, OP_##NAME); }
#include "ops/table.h"

static PyMethodDef function_methods[] = {
#define FUNCTION(NAME, name, text, activation, about, ...) \
    {#name, value_##name, METH_NOARGS, #name "($self, /)\n--\n\n" about},
#include "ops/table.h"
};

static int make_function_methods(PyTypeObject *type) {
    int i, status = 0;
    for (i = 0; i < FUNCTION_COUNT && !status; i++) {
        PyObject *method;
        if (PyObject_HasAttrString((PyObject *)type, function_methods[i].ml_name)) continue;
        method = PyDescr_NewMethod(type, function_methods + i);
        status = method ? PyObject_SetAttrString((PyObject *)type, function_methods[i].ml_name, method) : -1;
        Py_XDECREF(method);
    }
    return status;
}

static int install_value_type(
    PyTypeObject *type, Py_ssize_t dict_offset, void (*keep_if_reached)(PyObject *), void (*let_go)(PyObject *),
    destructor dealloc, PyObject *(*leaf)(PyObject *), int (*has_plain_data)(PyObject *),
    int (*clear_all_but_plain_data)(PyObject *), PyObject *(*function)(PyObject *, int)
) {
    PyNumberMethods operators = *type->tp_as_number;
    type->tp_name = "micrograd_c.engine.Value";     /* as CPython's own messages call it */
    value_type.type = type;
    value_type.dict_offset = dict_offset;
    value_type.weak_offset = type->tp_weaklistoffset;
    value_type.keep_if_reached = keep_if_reached;
    value_type.let_go = let_go;
    value_type.dealloc = dealloc;
    value_type.leaf = leaf;
    value_type.has_plain_data = has_plain_data;
    value_type.clear_all_but_plain_data = clear_all_but_plain_data;
    value_type.function = function;
    value_type.made_operators = operators;
    value_type.made_traverse = type->tp_traverse;
    value_type.made_clear = type->tp_clear;
    value_type.made_dealloc = type->tp_dealloc;
    value_type.made_init = type->tp_init;
    value_type.made_new = type->tp_new;
    value_type.made_setattro = type->tp_setattro;
    value_type.no_arguments = PyTuple_New(0);
    if (!value_type.no_arguments) return -1;
    type->tp_traverse = value_traverse;
    type->tp_clear = value_clear;
    type->tp_dealloc = dealloc;
    type->tp_vectorcall = value_call;
    type->tp_dictoffset = dict_offset;
    PyType_Modified(type);
    if (make_slot_wrapper("__add__", operators.nb_add) || make_slot_wrapper("__sub__", operators.nb_subtract)
            || make_slot_wrapper("__mul__", operators.nb_multiply)
            || make_slot_wrapper("__truediv__", operators.nb_true_divide) || make_function_methods(type)
            || make_attribute_methods(type))
        return -1;
    return 0;
}
