/* The load client of the comparison: thousands of WebSocket sessions in one process and thread, so that the server is
   what costs. It knows no protocol but RFC 6455: what a session writes and which markers answer it stands in a plan that
   perf/peers/loading.py makes. It counts frames by scanning for markers, and takes times from a stamp in the text.

   Commands, a line each on standard input; an object of JSON answers each on standard output:
     plan FILE                                            sessions, added behind those that exist
     open FROM TO AT_ONCE ATTEMPTS SECONDS RCVBUF         connect and open; a refused one comes back after a second
     send FILE RATE COUNT EXPECTED ACKS SECONDS PINGER ANSWER   templates in turn; waits for what is expected
     echo FILE SECONDS                                    each template again as soon as its delivery came
     wait SECONDS                                         read what comes
     stall FROM TO | close FROM TO                        read no more of them | end them */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 18)
#define EVENTS 1024

static uint32_t opening;
static struct sockaddr_in server;
static int poller, receive_buffer, echoing;
static char buffer[2 * BUFFER], answer[64];
static uint64_t next_id, sent;

static void watch(struct session *session, uint32_t events, int how) {
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(session - sessions)};
    epoll_ctl(poller, how, session->fd, &event);
}

void end_session(struct session *session, const char *why) {
    if (session->state == CLOSED) return;
    if (session->state == READY) {
        counted.closed++;
        note_failure("a session ended", why, strlen(why));
    } else {
        counted.refused++;
        opening--;
        if (!first_failure[0]) snprintf(first_failure, sizeof first_failure, "refused: %s", why);
    }
    close(session->fd);
    free(session->left);
    free(session->out);
    session->left = session->out = NULL;
    session->left_size = session->out_size = 0;
    session->state = CLOSED;
    session->begun = now_us();
}

/* Write, and keep what the socket does not take. */
void write_out(struct session *session, const char *bytes, size_t size) {
    ssize_t done = 0;
    if (!session->out_size) {
        done = send(session->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN) {
            end_session(session, strerror(errno));
            return;
        }
        if (done < 0) done = 0;
    }
    if ((size_t)done == size) return;
    session->out = realloc(session->out, session->out_size + size - (size_t)done);
    memcpy(session->out + session->out_size, bytes + done, size - (size_t)done);
    session->out_size += size - (size_t)done;
    watch(session, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void flush_out(struct session *session) {
    ssize_t done = send(session->fd, session->out, session->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (done < 0) return;
    session->out_size -= (size_t)done;
    memmove(session->out, session->out + done, session->out_size);
    if (!session->out_size) watch(session, EPOLLIN, EPOLL_CTL_MOD);
}

static void take_step(struct session *session) {
    while (session->step < session->steps) {
        struct step *step = &session->plan[session->step];
        if (session->answers < step->count) return;
        session->answers -= step->count;
        if (++session->step < session->steps)
            write_out(session, session->plan[session->step].bytes, session->plan[session->step].size);
        if (session->state == CLOSED) return;
    }
    session->state = READY;
    opening--;
    counted.opened++;
    record(&counted.opening, now_us() - session->begun);
}

void see_answers(struct session *session, const char *payload, size_t size) {
    const char *marker = answer, *at = payload, *end = payload + size;
    size_t marker_size = strlen(answer);
    if (session->state == OPENING) {
        marker = session->plan[session->step].marker;
        marker_size = session->plan[session->step].marker_size;
    }
    if (memmem(payload, size, "\"error\"", 7)) {
        note_failure("error", payload, size < 200 ? size : 200);
        if (session->state == OPENING) end_session(session, payload);
        return;
    }
    while (marker_size && (at = memmem(at, (size_t)(end - at), marker, marker_size))) {
        if (session->state == OPENING) session->answers++;
        else counted.answers++;
        at += marker_size;
    }
    if (session->state == OPENING) take_step(session);
}

static void send_template(struct template *template) {
    char frame[4096], digits[40];
    snprintf(digits, sizeof digits, "%010llu", (unsigned long long)(1000000000 + next_id % 1000000000));
    if (template->id) memcpy(template->id, digits, 10);
    snprintf(digits, sizeof digits, "%08x-%04x-4000-8000-%012llx", (unsigned)getpid(), (unsigned)(next_id >> 48),
             (unsigned long long)next_id);
    if (template->uuid) memcpy(template->uuid, digits, 36);
    snprintf(digits, sizeof digits, "~T%016lld", (long long)now_us());
    memcpy(template->stamp, digits, 18);
    next_id++;
    sent++;
    write_out(&sessions[template->session], frame, put_frame(frame, 1, template->text, template->size));
}

void see_delivery(struct session *session) {
    struct template *template = echoing ? template_of[session - sessions] : NULL;
    if (template) send_template(template);
}

/* The head of the answer to the handshake; how many bytes it has, 0 until it is whole. */
static size_t read_handshake(struct session *session, char *data, size_t size) {
    char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    if (strncmp(data, "HTTP/1.1 101", 12)) {
        data[size < 60 ? size - 1 : 60] = 0;
        end_session(session, data);
        return size;
    }
#if CAN_INFLATE
    if (strcasestr(data, "permessage-deflate")) {
        if (!session->inflater) session->inflater = calloc(1, sizeof *session->inflater);
        else inflateEnd(session->inflater);
        inflateInit2(session->inflater, -15);
    }
#endif
    session->state = OPENING;
    session->answers = session->plan[0].count;
    take_step(session);
    return (size_t)(end + 4 - data);
}

static void read_session(struct session *session) {
    size_t kept = session->left_size, used = 0;
    if (kept > BUFFER) {
        end_session(session, "a frame is longer than the buffer");
        return;
    }
    if (kept) memcpy(buffer, session->left, kept);
    ssize_t got = recv(session->fd, buffer + kept, BUFFER, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        end_session(session, got ? strerror(errno) : "end of the stream");
        return;
    }
    counted.bytes += (uint64_t)got;
    counted.reads++;
    size_t size = kept + (size_t)got;
    if (session->state == HANDSHAKE) used = read_handshake(session, buffer, size);
    if (session->state >= OPENING) used += read_frames(session, buffer + used, size - used);
    if (session->state == CLOSED) return;
    session->left_size = size - used;
    free(session->left);
    session->left = NULL;
    if (session->left_size) {
        session->left = malloc(session->left_size);
        memcpy(session->left, buffer + used, session->left_size);
    }
}

static void begin_session(struct session *session) {
    int one = 1;
    if (!session->attempts++) session->begun = now_us();
    opening++;
    session->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (receive_buffer) setsockopt(session->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    session->state = CONNECTING;
    session->step = session->answers = 0;
    if (connect(session->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS)
        end_session(session, strerror(errno));
    else
        watch(session, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

static void finish_connect(struct session *session) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        end_session(session, strerror(error));
        return;
    }
    watch(session, EPOLLIN, EPOLL_CTL_MOD);
    session->state = session->steps ? HANDSHAKE : OPENING;
    if (session->steps) write_out(session, session->plan[0].bytes, session->plan[0].size);
    else take_step(session);
}

/* Read and write what is ready, waiting for it this long. The sleep is exact, so that no rate needs a busy loop. */
static void pump(int64_t microseconds) {
    struct epoll_event events[EVENTS];
    struct timespec wait = {microseconds / 1000000, microseconds % 1000000 * 1000};
    int count = (int)syscall(SYS_epoll_pwait2, poller, events, EVENTS, &wait, NULL, 0);
    for (int i = 0; i < count; i++) {
        struct session *session = &sessions[events[i].data.u32];
        if (session->state == CONNECTING) finish_connect(session);
        else if (session->state != CLOSED && (events[i].events & EPOLLOUT)) flush_out(session);
        if (session->state > CONNECTING && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) read_session(session);
    }
}

static void open_sessions(uint32_t from, uint32_t to, uint32_t at_once, int attempts, double seconds) {
    int64_t deadline = now_us() + (int64_t)(seconds * 1e6);
    uint32_t next = from, ready = 0;
    while (ready < to - from && now_us() < deadline) {
        while (next < to && opening < at_once) begin_session(&sessions[next++]);
        pump(20000);
        ready = 0;
        if (next < to && opening >= at_once) continue;
        int64_t now = now_us();
        for (uint32_t i = from; i < next; i++) {
            struct session *session = &sessions[i];
            int again = session->state == CLOSED && session->attempts < attempts && now - session->begun > 1000000;
            if (again && opening < at_once) begin_session(session);
            ready += session->state == READY || (session->state == CLOSED && session->attempts >= attempts);
        }
    }
}

static void send_at_rate(double rate, uint64_t count, uint64_t expected, int acks, double seconds, int pinger) {
    int64_t start = now_us(), deadline = start + (int64_t)(seconds * 1e6), next_ping = start;
    uint64_t done = 0;
    while (now_us() < deadline && counted.failures == 0) {
        int64_t now = now_us();
        int64_t due = start + (int64_t)(done / rate * 1e6);
        if (pinger >= 0 && now >= next_ping) {
            char frame[64], digits[24];
            snprintf(digits, sizeof digits, "%016lld", (long long)now);
            write_out(&sessions[pinger], frame, put_frame(frame, 9, digits, 16));
            next_ping = now + 20000;
        }
        if (done < count && now >= due) {
            send_template(&templates[done++ % template_count]);
            if (done % 8) continue;
            pump(0);
        } else if (done == count && counted.deliveries >= expected && (!acks || counted.answers >= count)) {
            return;
        } else {
            pump(done == count ? 1000 : due - now > 1000 ? 1000 : due - now);
        }
    }
}

static void report(int64_t begun, double cpu_before, const uint64_t *before) {
    struct rusage usage;
    uint64_t least = UINT64_MAX, most = 0;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    for (uint32_t i = 0; i < session_count; i++) {
        uint64_t came = sessions[i].deliveries - before[i];
        if (sessions[i].state != READY || sessions[i].stalled) continue;
        if (came < least) least = came;
        if (came > most) most = came;
    }
    for (char *at = first_failure; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < 32) *at = '\'';
    printf("{\"seconds\":%.6f,\"cpu\":%.6f,\"sent\":%llu,\"deliveries\":%llu,\"answers\":%llu,\"failures\":%llu,"
           "\"opened\":%llu,\"refused\":%llu,\"closed\":%llu,\"least\":%llu,\"most\":%llu,\"bytes\":%llu,\"reads\":%llu",
           (double)(now_us() - begun) / 1e6, cpu - cpu_before, (unsigned long long)sent,
           (unsigned long long)counted.deliveries, (unsigned long long)counted.answers,
           (unsigned long long)counted.failures, (unsigned long long)counted.opened,
           (unsigned long long)counted.refused, (unsigned long long)counted.closed,
           (unsigned long long)(least == UINT64_MAX ? 0 : least), (unsigned long long)most,
           (unsigned long long)counted.bytes, (unsigned long long)counted.reads);
    struct { const char *name; struct histogram *times; } all[] = {
        {"latency", &counted.latency}, {"opening", &counted.opening}, {"pings", &counted.pings}};
    for (int i = 0; i < 3; i++)
        printf(",\"%s\":{\"count\":%llu,\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"longest\":%.2f}", all[i].name,
               (unsigned long long)all[i].times->total, percentile(all[i].times, 0.5), percentile(all[i].times, 0.9),
               percentile(all[i].times, 0.99), (double)all[i].times->longest / 1000.0);
    printf(",\"failure\":\"%s\"}\n", first_failure);
    fflush(stdout);
}

static void wait_until(int64_t deadline) {
    while (now_us() < deadline) pump(20000);
}

static void run_command(char *line) {
    char path[512];
    unsigned from, to, at_once;
    unsigned long long count, expected;
    int attempts, acks, pinger;
    double rate, seconds;
    if (sscanf(line, "plan %511s", path) == 1) {
        load_plan(path);
    } else if (sscanf(line, "open %u %u %u %d %lf %d", &from, &to, &at_once, &attempts, &seconds, &receive_buffer) == 6) {
        for (uint32_t i = from; i < to; i++) sessions[i].attempts = 0;
        open_sessions(from, to, at_once, attempts, seconds);
    } else if (sscanf(line, "send %511s %lf %llu %llu %d %lf %d %63s", path, &rate, &count, &expected, &acks, &seconds,
                      &pinger, answer) == 8) {
        load_templates(path);
        send_at_rate(rate, count, expected, acks, seconds, pinger);
    } else if (sscanf(line, "echo %511s %lf", path, &seconds) == 2) {
        load_templates(path);
        echoing = 1;
        for (uint32_t i = 0; i < template_count; i++) send_template(&templates[i]);
        wait_until(now_us() + (int64_t)(seconds * 1e6));
        echoing = 0;
        wait_until(now_us() + 500000);
    } else if (sscanf(line, "wait %lf", &seconds) == 1) {
        wait_until(now_us() + (int64_t)(seconds * 1e6));
    } else if (sscanf(line, "stall %u %u", &from, &to) == 2) {
        for (uint32_t i = from; i < to; i++) {
            sessions[i].stalled = 1;
            epoll_ctl(poller, EPOLL_CTL_DEL, sessions[i].fd, NULL);
        }
    } else if (sscanf(line, "close %u %u", &from, &to) == 2) {
        for (uint32_t i = from; i < to; i++)
            if (sessions[i].state == READY) {
                close(sessions[i].fd);
                sessions[i].state = CLOSED;
            }
    } else {
        exit(4);
    }
}

int main(int argc, char **argv) {
    static char line[1024];
    struct rlimit files;
    if (argc != 2) return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(0);
    srandom((unsigned)getpid());
    while (fgets(line, sizeof line, stdin)) {
        struct rusage usage;
        memset(&counted, 0, sizeof counted);
        sent = 0;
        first_failure[0] = 0;
        getrusage(RUSAGE_SELF, &usage);
        double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        uint64_t *before = calloc(session_count + 1, sizeof *before);
        for (uint32_t i = 0; i < session_count; i++) before[i] = sessions[i].deliveries;
        int64_t begun = now_us();
        run_command(line);
        if (!strncmp(line, "plan", 4)) before = calloc(session_count + 1, sizeof *before);
        report(begun, cpu, before);
        free(before);
    }
    return 0;
}
