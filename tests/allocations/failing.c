/* Allocations that fail when told to. A Python module, and at the same time a library to be preloaded, whose malloc,
   calloc and realloc fail for callers in the watched libraries only. Both kinds are counted from `arm` on, and those
   from `start` to before `stop` fail. For Linux with glibc. */

#define _GNU_SOURCE
#include <Python.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

enum { NONE, PYTHON, COMPILED, PLAIN, MOST_RANGES = 256, DEEPEST = 60 };

static int armed = NONE;
static Py_ssize_t counted, first, last;     /* those from first to before last fail */
static Py_ssize_t live;                     /* pieces of memory that the watched libraries hold */

static int shown;                           /* print the C stack of the first that fails */

static inline int fails(int kind) {
    void *stack[DEEPEST];
    if (armed != kind) return 0;
    counted++;
    if (counted <= first || counted > last) return 0;
    if (shown && counted == first + 1) {
        armed = NONE;
        backtrace_symbols_fd(stack, backtrace(stack, DEEPEST), 2);
        armed = kind;
    }
    return 1;
}

/* --- malloc and its like, called by watched libraries --- */

static struct { const char *from, *to; } ranges[MOST_RANGES];
static int range_count;

static inline int is_watched(const void *caller) {
    for (int i = 0; i < range_count; i++)
        if ((const char *)caller >= ranges[i].from && (const char *)caller < ranges[i].to) return 1;
    return 0;
}

void *malloc(size_t size) {
    int watched = range_count && is_watched(__builtin_return_address(0));
    if (watched && fails(PLAIN)) return NULL;
    void *memory = __libc_malloc(size);
    live += watched && memory;
    return memory;
}

void *calloc(size_t count, size_t size) {
    int watched = range_count && is_watched(__builtin_return_address(0));
    if (watched && fails(PLAIN)) return NULL;
    void *memory = __libc_calloc(count, size);
    live += watched && memory;
    return memory;
}

void *realloc(void *before, size_t size) {
    int watched = range_count && is_watched(__builtin_return_address(0));
    if (watched && fails(PLAIN)) return NULL;
    void *memory = __libc_realloc(before, size);
    live += watched && memory && !before;
    return memory;
}

void free(void *memory) {
    live -= memory && range_count && is_watched(__builtin_return_address(0));
    __libc_free(memory);
}

static int note_ranges(struct dl_phdr_info *library, size_t size, void *part) {
    if (!strstr(library->dlpi_name, part)) return 0;
    for (int i = 0; i < library->dlpi_phnum && range_count < MOST_RANGES; i++) {
        const ElfW(Phdr) *segment = library->dlpi_phdr + i;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_X) {
            ranges[range_count].from = (const char *)library->dlpi_addr + segment->p_vaddr;
            ranges[range_count].to = ranges[range_count].from + segment->p_memsz;
            range_count++;
        }
    }
    return 0;
}

/* --- Python's allocators --- */

static PyMemAllocatorEx below[3];

/* Functions of the interpreter. The first runs bytecode; the others lose a reference or crash where memory is missing,
   whoever calls them, so nothing fails in them: list_extend of CPython 3.11 and older. */
static struct { const char *name, *from, *to; } functions[] = {
    {"_PyEval_EvalFrameDefault", 0, 0}, {"PySequence_List", 0, 0}, {"_PyList_Extend", 0, 0},
};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

/* Whether it is compiled code of a watched library, and not bytecode, that asks for memory. */
static int is_for_watched(void) {
    void *stack[DEEPEST];
    int kind = armed, depth, i, k;
    armed = NONE;
    depth = backtrace(stack, DEEPEST);
    armed = kind;
    for (i = 0; i < depth; i++) {
        if (is_watched(stack[i])) return 1;
        for (k = 0; k < FUNCTIONS; k++)
            if ((const char *)stack[i] >= functions[k].from && (const char *)stack[i] < functions[k].to) return 0;
    }
    return 0;
}

static inline int python_fails(void) {
    if (armed == COMPILED) return is_for_watched() && fails(COMPILED);
    return fails(PYTHON);
}

static void *python_malloc(void *domain, size_t size) {
    PyMemAllocatorEx *a = domain;
    return python_fails() ? NULL : a->malloc(a->ctx, size);
}

static void *python_calloc(void *domain, size_t count, size_t size) {
    PyMemAllocatorEx *a = domain;
    return python_fails() ? NULL : a->calloc(a->ctx, count, size);
}

static void *python_realloc(void *domain, void *before, size_t size) {
    PyMemAllocatorEx *a = domain;
    return python_fails() ? NULL : a->realloc(a->ctx, before, size);
}

static void python_free(void *domain, void *memory) {
    PyMemAllocatorEx *a = domain;
    a->free(a->ctx, memory);
}

static void find_functions(void) {
    Dl_info found;
    const ElfW(Sym) *symbol;
    for (int k = 0; k < FUNCTIONS; k++) {
        functions[k].from = functions[k].to = dlsym(RTLD_DEFAULT, functions[k].name);
        if (functions[k].from && dladdr1(functions[k].from, &found, (void **)&symbol, RTLD_DL_SYMENT) && symbol)
            functions[k].to += symbol->st_size;
    }
}

/* --- what Python sees --- */

static PyObject *watch(PyObject *self, PyObject *part) {
    const char *text = PyUnicode_AsUTF8(part);
    if (!text) return NULL;
    range_count = 0;
    dl_iterate_phdr(note_ranges, (void *)text);
    find_functions();
    if (!below[0].malloc)
        for (int domain = 0; domain < 3; domain++) {
            PyMem_GetAllocator(domain, below + domain);
            PyMemAllocatorEx ours = {below + domain, python_malloc, python_calloc, python_realloc, python_free};
            PyMem_SetAllocator(domain, &ours);
        }
    return PyLong_FromLong(range_count);
}

static PyObject *arm(PyObject *self, PyObject *args) {
    int kind;
    if (!PyArg_ParseTuple(args, "inn", &kind, &first, &last)) return NULL;
    counted = 0;
    shown = getenv("FAILING_SHOWN") != NULL;
    armed = kind;
    Py_RETURN_NONE;
}

static PyObject *disarm(PyObject *self, PyObject *none) {
    armed = NONE;
    Py_RETURN_NONE;
}

static PyObject *count(PyObject *self, PyObject *none) {
    return PyLong_FromSsize_t(counted);
}

static PyObject *held(PyObject *self, PyObject *none) {
    return PyLong_FromSsize_t(live);
}

static PyMethodDef methods[] = {
    {"watch", watch, METH_O, "Count for libraries whose path has this part; how many there are."},
    {"arm", arm, METH_VARARGS, "From now on fail: kind (PYTHON or PLAIN), start, stop."},
    {"disarm", disarm, METH_NOARGS, "Let all succeed."},
    {"count", count, METH_NOARGS, "How many there were since arm()."},
    {"held", held, METH_NOARGS, "How many pieces the watched libraries hold, those of before watch() not counted."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "failing", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_failing(void) {
    PyObject *made = PyModule_Create(&module);
    if (made && (PyModule_AddIntConstant(made, "PYTHON", PYTHON) || PyModule_AddIntConstant(made, "COMPILED", COMPILED)
            || PyModule_AddIntConstant(made, "PLAIN", PLAIN)))
        Py_CLEAR(made);
    return made;
}
