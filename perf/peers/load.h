/* What the load client's parts share: sessions, histograms of times, and what is counted. See load.c. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#if __has_include(<zlib.h>)
#include <zlib.h>
#define CAN_INFLATE 1
#else
typedef int z_stream;
#define CAN_INFLATE 0
#endif

enum state { CLOSED, CONNECTING, HANDSHAKE, OPENING, READY };

/* One step of an opening: bytes to write, and how often a marker must come before the next step. */
struct step {
    const char *bytes, *marker;
    uint32_t size, marker_size, count;
};

struct session {
    int fd, attempts;
    uint32_t step, steps, answers;
    enum state state;
    uint8_t stalled, sender;
    struct step *plan;
    char *left, *out;
    size_t left_size, out_size;
    uint64_t deliveries;
    int64_t begun;
    z_stream *inflater;
};

/* Times in microseconds: steps of 10 µs up to a second, of 1 ms up to a hundred. */
#define FINE 100000
#define COARSE 100000
struct histogram {
    uint32_t counts[FINE + COARSE];
    uint64_t total;
    int64_t longest;
};

struct counters {
    uint64_t deliveries, answers, failures, closed, opened, refused, bytes, reads;
    struct histogram latency, opening, pings;
};

/* A message: placeholders of the id (10 bytes), the client id (36) and the stamp (18) are filled in before each sending. */
struct template {
    uint32_t session, size;
    char *text, *id, *uuid, *stamp;
};

extern struct session *sessions;
extern struct template *templates, **template_of;
extern uint32_t session_count, template_count;
void load_plan(const char *path);
void load_templates(const char *path);

extern struct counters counted;
extern char first_failure[256];

int64_t now_us(void);
void record(struct histogram *histogram, int64_t us);
double percentile(const struct histogram *histogram, double share);
size_t put_frame(char *out, int opcode, const char *payload, size_t size);
size_t read_frames(struct session *session, char *data, size_t size);
void note_failure(const char *what, const char *detail, size_t size);

/* Of load.c: what a frame's reader has to say. */
void write_out(struct session *session, const char *bytes, size_t size);
void end_session(struct session *session, const char *why);
void see_answers(struct session *session, const char *payload, size_t size);
void see_delivery(struct session *session);

#endif
