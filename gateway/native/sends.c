/* Sends bytes to many sockets with one call from Python: through io_uring, or with a loop of send(2).

   Rule 1: no send waits. MSG_DONTWAIT makes both ways answer EAGAIN where the peer does not read, so io_uring parks
           nothing, and every send of a batch has ended when the call returns.
   Rule 2: the bytes stay alive until then: the caller's objects are held while the GIL is released.
   Rule 3: a send that is in doubt (the kernel took it and told no result) is reported as EIO. The caller then gives the
           connection up; to send again could double bytes.
   Rule 4: a ring that failed once is closed, and its owner goes on with send(2).

   Only the limited API of Python 3.11 is used, so one build serves every later version. Of the kernel's interface
   (io_uring(7), Linux 6.1 or later) only what is needed is defined here, so no kernel header is required. */
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 512
#define MOST_BYTES 0x40000000

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* A part of a batch: at most BATCH sends. `results` are bytes sent, or a negative errno. */
struct part {
    int count;
    int fds[BATCH];
    const char *data[BATCH];
    uint32_t sizes[BATCH];
    int results[BATCH];
};

static void send_one(struct part *part, int at) {
    ssize_t sent = send(part->fds[at], part->data[at], part->sizes[at], MSG_DONTWAIT | MSG_NOSIGNAL); /* rule 1 */
    part->results[at] = sent < 0 ? -errno : (int)sent;
}

static void send_in_loop(struct part *part) {
    for (int at = 0; at < part->count; at++) send_one(part, at);
}

#ifdef __linux__
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETUP_CLAMP (1U << 4)
#define SETUP_SUBMIT_ALL (1U << 7)
#define SETUP_SINGLE_ISSUER (1U << 12)
#define SETUP_DEFER_TASKRUN (1U << 13)
#define FEAT_SINGLE_MMAP (1U << 0)
#define ENTER_GETEVENTS (1U << 0)
#define OP_SEND 26
#define OFFSET_RINGS 0ULL
#define OFFSET_ENTRIES 0x10000000ULL
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#endif

struct entry { /* struct io_uring_sqe */
    uint8_t opcode, flags;
    uint16_t ioprio;
    int32_t fd;
    uint64_t offset, address;
    uint32_t length, message_flags;
    uint64_t user_data, unused[3];
};

struct completion { /* struct io_uring_cqe */
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

struct parameters { /* struct io_uring_params, with struct io_sqring_offsets and struct io_cqring_offsets */
    uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, reserved[3];
    struct { uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, reserved; uint64_t user; } sq;
    struct { uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, reserved; uint64_t user; } cq;
};

struct ring {
    int fd; /* -1 when closed */
    int busy; /* a batch is under way, with the GIL released */
    size_t rings_bytes, entries_bytes;
    char *rings;
    struct entry *entries;
    struct completion *completions;
    uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail, sq_mask, cq_mask;
};

static void close_ring(struct ring *ring) {
    if (ring->entries) munmap(ring->entries, ring->entries_bytes);
    if (ring->rings) munmap(ring->rings, ring->rings_bytes);
    if (ring->fd >= 0) close(ring->fd);
    ring->entries = NULL;
    ring->rings = NULL;
    ring->fd = -1;
}

static void *map_part(struct ring *ring, size_t bytes, uint64_t offset) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, (off_t)offset);
    return at == MAP_FAILED ? NULL : at;
}

/* 0, or -1 with errno set. */
static int open_ring(struct ring *ring) {
    struct parameters of;
    memset(&of, 0, sizeof of);
    of.flags = SETUP_CLAMP | SETUP_SUBMIT_ALL | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
    ring->fd = (int)syscall(SYS_io_uring_setup, BATCH, &of);
    if (ring->fd < 0) return -1;
    if (!(of.features & FEAT_SINGLE_MMAP) || of.sq_entries < BATCH || of.cq_entries < BATCH) {
        close_ring(ring);
        errno = ENOSYS;
        return -1;
    }
    size_t sq_bytes = of.sq.array + of.sq_entries * sizeof(uint32_t);
    size_t cq_bytes = of.cq.cqes + of.cq_entries * sizeof(struct completion);
    ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
    ring->entries_bytes = of.sq_entries * sizeof(struct entry);
    ring->rings = map_part(ring, ring->rings_bytes, OFFSET_RINGS);
    ring->entries = map_part(ring, ring->entries_bytes, OFFSET_ENTRIES);
    if (!ring->rings || !ring->entries) {
        int failure = errno;
        close_ring(ring);
        errno = failure;
        return -1;
    }
    ring->sq_head = (uint32_t *)(ring->rings + of.sq.head);
    ring->sq_tail = (uint32_t *)(ring->rings + of.sq.tail);
    ring->cq_head = (uint32_t *)(ring->rings + of.cq.head);
    ring->cq_tail = (uint32_t *)(ring->rings + of.cq.tail);
    ring->sq_mask = *(uint32_t *)(ring->rings + of.sq.ring_mask);
    ring->cq_mask = *(uint32_t *)(ring->rings + of.cq.ring_mask);
    ring->completions = (struct completion *)(ring->rings + of.cq.cqes);
    uint32_t *array = (uint32_t *)(ring->rings + of.sq.array);
    for (uint32_t at = 0; at < of.sq_entries; at++) array[at] = at; /* entry n is always submitted in place n */
    return 0;
}

static void write_entries(struct ring *ring, const struct part *part) {
    uint32_t tail = *ring->sq_tail;
    for (int at = 0; at < part->count; at++) {
        struct entry *entry = &ring->entries[(tail + at) & ring->sq_mask];
        memset(entry, 0, sizeof *entry);
        entry->opcode = OP_SEND;
        entry->fd = part->fds[at];
        entry->address = (uint64_t)(uintptr_t)part->data[at];
        entry->length = part->sizes[at];
        entry->message_flags = MSG_DONTWAIT | MSG_NOSIGNAL; /* rule 1 */
        entry->user_data = (uint64_t)at;
    }
    __atomic_store_n(ring->sq_tail, tail + part->count, __ATOMIC_RELEASE);
}

static int read_completions(struct ring *ring, struct part *part) {
    uint32_t head = *ring->cq_head, tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
    int count = 0;
    for (; head != tail; head++, count++) {
        struct completion *each = &ring->completions[head & ring->cq_mask];
        if (each->user_data < (uint64_t)part->count) part->results[each->user_data] = each->result;
    }
    __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
    return count;
}

/* One entry into the kernel for the whole part, as a rule. */
static void send_through_ring(struct ring *ring, struct part *part) {
    int submitted = 0, completed = 0;
    for (int at = 0; at < part->count; at++) part->results[at] = -EIO; /* rule 3 */
    if (ring->fd >= 0) write_entries(ring, part);
    while (ring->fd >= 0 && completed < part->count) {
        long taken = syscall(SYS_io_uring_enter, ring->fd, part->count - submitted, part->count - completed,
                             ENTER_GETEVENTS, NULL, 0);
        if (taken >= 0) {
            submitted += (int)taken;
            completed += read_completions(ring, part);
        } else if (errno != EINTR) {
            completed += read_completions(ring, part);
            close_ring(ring); /* rule 4 */
        }
    }
    for (int at = submitted; at < part->count; at++) send_one(part, at);
}
#endif

/* Python's side. */

/* Fill a part from `fds[start:]` and `data`, which is bytes for all or a tuple of bytes. -1 with an exception set. */
static int fill_part(struct part *part, PyObject *fds, PyObject *data, Py_ssize_t start) {
    Py_ssize_t left = PyTuple_Size(fds) - start;
    int each_its_own = PyTuple_Check(data);
    part->count = left < BATCH ? (int)left : BATCH;
    for (int at = 0; at < part->count; at++) {
        long fd = PyLong_AsLong(PyTuple_GetItem(fds, start + at));
        PyObject *bytes = each_its_own ? PyTuple_GetItem(data, start + at) : data;
        char *from;
        Py_ssize_t size;
        if (PyErr_Occurred() || PyBytes_AsStringAndSize(bytes, &from, &size) < 0) return -1;
        part->fds[at] = fd < 0 || fd > INT32_MAX ? -1 : (int)fd;
        part->data[at] = from;
        part->sizes[at] = size < MOST_BYTES ? (uint32_t)size : MOST_BYTES;
    }
    return 0;
}

/* Append (index, result) for each send that did not send everything. -1 with an exception set. */
static int report_part(const struct part *part, PyObject *data, Py_ssize_t start, PyObject *unsent) {
    for (int at = 0; at < part->count; at++) {
        Py_ssize_t size = PyBytes_Size(PyTuple_Check(data) ? PyTuple_GetItem(data, start + at) : data);
        if (part->results[at] == size) continue;
        PyObject *pair = Py_BuildValue("(ni)", start + at, part->results[at]);
        int failed = pair == NULL || PyList_Append(unsent, pair) < 0;
        Py_XDECREF(pair);
        if (failed) return -1;
    }
    return 0;
}

/* Everything is checked before anything is sent. `ring` NULL: with send(2). */
static PyObject *send_batch(void *ring, PyObject *arguments) {
    PyObject *fd_list, *given, *fds = NULL, *data = NULL, *unsent = NULL;
    struct part part;
    if (!PyArg_ParseTuple(arguments, "OO", &fd_list, &given)) return NULL;
    fds = PySequence_Tuple(fd_list);
    if (fds == NULL) return NULL;
    data = PyBytes_Check(given) ? Py_NewRef(given) : PySequence_Tuple(given); /* rule 2 */
    if (data == NULL) goto done;
    Py_ssize_t count = PyTuple_Size(fds);
    if (PyTuple_Check(data) && PyTuple_Size(data) != count) {
        PyErr_SetString(PyExc_ValueError, "there must be as many bytes objects as descriptors");
        goto done;
    }
    for (Py_ssize_t start = 0; start < count; start += BATCH)
        if (count > BATCH && fill_part(&part, fds, data, start) < 0) goto done;
    unsent = PyList_New(0);
    for (Py_ssize_t start = 0; unsent != NULL && start < count; start += BATCH) {
        if (fill_part(&part, fds, data, start) < 0) {
            Py_CLEAR(unsent);
            break;
        }
        Py_BEGIN_ALLOW_THREADS
#ifdef __linux__
        if (ring != NULL)
            send_through_ring(ring, &part);
        else
#endif
            send_in_loop(&part);
        Py_END_ALLOW_THREADS
        if (report_part(&part, data, start, unsent) < 0) Py_CLEAR(unsent);
    }
done:
    Py_XDECREF(fds);
    Py_XDECREF(data);
    return unsent;
}

static PyObject *module_send_batch(PyObject *module, PyObject *arguments) {
    (void)module;
    return send_batch(NULL, arguments);
}

static PyMethodDef functions[] = {
    {"send_batch", module_send_batch, METH_VARARGS,
     "send_batch(fds, data) -> [(index, result)]: what was not sent in full, with send(2)."},
    {NULL, NULL, 0, NULL},
};

#ifdef __linux__
typedef struct {
    PyObject_HEAD struct ring ring;
} RingObject;

static PyObject *ring_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    if (!PyArg_ParseTuple(arguments, "") || (names != NULL && PyDict_Size(names) != 0)) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    RingObject *self = (RingObject *)allocate(type, 0);
    if (self == NULL) return NULL;
    self->ring.fd = -1;
    if (open_ring(&self->ring) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void ring_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    close_ring(&((RingObject *)self)->ring);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *ring_send_batch(PyObject *self, PyObject *arguments) {
    struct ring *ring = &((RingObject *)self)->ring;
    if (ring->busy) return send_batch(NULL, arguments); /* from another thread */
    ring->busy = 1;
    PyObject *unsent = send_batch(ring, arguments);
    ring->busy = 0;
    return unsent;
}

static PyObject *ring_close(PyObject *self, PyObject *unused) {
    (void)unused;
    if (((RingObject *)self)->ring.busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread sends through this ring");
        return NULL;
    }
    close_ring(&((RingObject *)self)->ring);
    Py_RETURN_NONE;
}

static PyObject *ring_fileno(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyLong_FromLong(((RingObject *)self)->ring.fd);
}

static PyMethodDef ring_methods[] = {
    {"send_batch", ring_send_batch, METH_VARARGS,
     "send_batch(fds, data) -> [(index, result)]: what was not sent in full, through the ring."},
    {"close", ring_close, METH_NOARGS, "Give the ring back; later batches leave with send(2)."},
    {"fileno", ring_fileno, METH_NOARGS, "The ring's descriptor; -1 when it is closed or has failed."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot ring_slots[] = {
    {Py_tp_doc, "An io_uring. It belongs to the thread that made it. Raises OSError where io_uring is not to be had."},
    {Py_tp_new, ring_new},
    {Py_tp_dealloc, ring_dealloc},
    {Py_tp_methods, ring_methods},
    {0, NULL},
};

static PyType_Spec ring_spec = {"gateway._sends.Ring", sizeof(RingObject), 0, Py_TPFLAGS_DEFAULT, ring_slots};
#endif

static int fill_module(PyObject *module) {
#ifdef __linux__
    PyObject *type = PyType_FromSpec(&ring_spec);
    if (type == NULL) return -1;
    int failed = PyModule_AddObjectRef(module, "Ring", type);
    Py_DECREF(type);
    return failed;
#else
    return 0;
#endif
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};

static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "gateway._sends",
    .m_doc = "Sends to many sockets with one call.",
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__sends(void) { return PyModuleDef_Init(&definition); }
