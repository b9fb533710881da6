/* Chains of Values that hold each other are released without deep recursion. CPython sees to that by its own measure of
   the stack, and for WebAssembly it measures one that never fills: calls are on the engine's, whose end is Pyodide's. So
   there, beyond some depth, what the dead hold waits until those before them are gone. Elsewhere this is nothing. */

#if defined(__EMSCRIPTEN__)

#define DEEPEST_DEATH 50

static struct {
    PyObject **values;
    Py_ssize_t count, room;
    int depth;
} waiting;

/* Whether o waits, which nothing refers to any more, not even its node or Python's collector. */
static int waits(PyObject *o) {
    if (waiting.depth < DEEPEST_DEATH) return 0;
    if (waiting.count == waiting.room) {
        Py_ssize_t room = 2 * waiting.room + DEEPEST_DEATH;
        PyObject **values = PyMem_RawRealloc(waiting.values, room * sizeof(PyObject *));
        if (!values) return 0;
        waiting.values = values;
        waiting.room = room;
    }
    Py_INCREF(Py_TYPE(o));
    waiting.values[waiting.count++] = o;
    return 1;
}

static void release_in_turn(PyObject *o, destructor release) {
    if (waits(o)) return;
    waiting.depth++;
    release(o);
    while (waiting.depth == 1 && waiting.count) {
        PyTypeObject *type;
        o = waiting.values[--waiting.count];
        type = Py_TYPE(o);
        release(o);
        Py_DECREF(type);
    }
    waiting.depth--;
}

#else
#define release_in_turn(o, release) release(o)
#endif
