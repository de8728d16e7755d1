/* The limits: a server that does nothing but write one frame to all its connections. Usage: limit send|io_uring, and the
   environment's PORT. No handshake, no JSON, no rooms: the text of a frame that comes in goes out to everybody, by a loop
   of send(2), or by batches of 512 sends that enter the kernel once each (io_uring; exits with 3 where it is forbidden). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BATCH 512
#define MOST (1 << 16)

static int fds[MOST], count, ring = -1;
static char payload[4096];
static struct io_uring_sqe *entries;
static struct io_uring_cqe *done;
static unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;

static int open_ring(void) {
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    ring = (int)syscall(__NR_io_uring_setup, BATCH, &params);
    if (ring < 0) return -1;
    size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    char *sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
    char *cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
    entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                   IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED) return -1;
    sq_tail = (unsigned *)(sq + params.sq_off.tail);
    sq_mask = (unsigned *)(sq + params.sq_off.ring_mask);
    sq_array = (unsigned *)(sq + params.sq_off.array);
    cq_head = (unsigned *)(cq + params.cq_off.head);
    cq_tail = (unsigned *)(cq + params.cq_off.tail);
    cq_mask = (unsigned *)(cq + params.cq_off.ring_mask);
    done = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
    return 0;
}

/* Write all of it to one socket, waiting for room: where a batch or a loop met a full buffer. */
static void write_rest(int fd, const char *frame, size_t size) {
    while (size) {
        ssize_t wrote = send(fd, frame, size, MSG_NOSIGNAL);
        if (wrote < 0) return;
        frame += wrote;
        size -= (size_t)wrote;
    }
}

static void spread_by_ring(const char *frame, size_t size) {
    for (int begin = 0; begin < count; begin += BATCH) {
        int batch = count - begin < BATCH ? count - begin : BATCH;
        unsigned tail = *sq_tail;
        for (int i = 0; i < batch; i++) {
            unsigned at = tail++ & *sq_mask;
            entries[at] = (struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = fds[begin + i], .addr = (uint64_t)frame,
                                                .len = (unsigned)size, .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT,
                                                .user_data = (uint64_t)(begin + i)};
            sq_array[at] = at;
        }
        __atomic_store_n(sq_tail, tail, __ATOMIC_RELEASE);
        int seen = 0, submit = batch;
        while (seen < batch) {
            if (syscall(__NR_io_uring_enter, ring, submit, batch - seen, IORING_ENTER_GETEVENTS, NULL, 0) < 0) exit(1);
            submit = 0;
            unsigned head = *cq_head;
            for (; head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE); head++, seen++) {
                struct io_uring_cqe *each = &done[head & *cq_mask];
                size_t wrote = each->res < 0 ? 0 : (size_t)each->res;
                if (wrote < size) write_rest(fds[each->user_data], frame + wrote, size - wrote);
            }
            __atomic_store_n(cq_head, head, __ATOMIC_RELEASE);
        }
    }
}

static void spread_by_send(const char *frame, size_t size) {
    for (int i = 0; i < count; i++) {
        ssize_t wrote = send(fds[i], frame, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (wrote < (ssize_t)size) write_rest(fds[i], frame + (wrote < 0 ? 0 : wrote), size - (size_t)(wrote < 0 ? 0 : wrote));
    }
}

/* One masked text frame of 126 bytes or more; whether the connection still stands. */
static int relay(int fd) {
    unsigned char head[8];
    if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head) return 0;
    size_t size = (size_t)head[2] << 8 | head[3];
    if ((head[1] & 0x7f) != 126 || size + 4 > sizeof payload) return 0;
    if (recv(fd, payload + 4, size, MSG_WAITALL) != (ssize_t)size) return 0;
    for (size_t i = 0; i < size; i++) payload[4 + i] ^= (char)head[4 + (i & 3)];
    payload[0] = (char)0x81;
    payload[1] = 126;
    payload[2] = (char)head[2];
    payload[3] = (char)head[3];
    (ring < 0 ? spread_by_send : spread_by_ring)(payload, size + 4);
    return 1;
}

int main(int argc, char **argv) {
    struct rlimit files;
    struct epoll_event events[64];
    int one = 1, poller = epoll_create1(0), server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (argc != 2) return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (!strcmp(argv[1], "io_uring") && open_ring()) return 3;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(getenv("PORT")))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 4096)) return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server};
    epoll_ctl(poller, EPOLL_CTL_ADD, server, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != server) {
                if (relay(fd)) continue;
                epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
                for (int at = 0; at < count; at++)
                    if (fds[at] == fd) fds[at--] = fds[--count];
                close(fd);
                continue;
            }
            while (count < MOST && (fd = accept(server, NULL, NULL)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
                fds[count++] = fd;
            }
        }
    }
}
