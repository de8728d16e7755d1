/* The load client's frames: read without parsing JSON, written masked (RFC 6455, 5.2); and its histograms. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct counters counted;
char first_failure[256];
static char inflated[1 << 20];

int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void record(struct histogram *histogram, int64_t us) {
    if (us < 0) us = 0;
    int64_t at = us < 1000000 ? us / 10 : FINE + us / 1000;
    histogram->counts[at < FINE + COARSE ? at : FINE + COARSE - 1]++;
    histogram->total++;
    if (us > histogram->longest) histogram->longest = us;
}

/* Milliseconds below which this share lies. */
double percentile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(histogram->total * share), seen = 0;
    for (int at = 0; at < FINE + COARSE; at++) {
        seen += histogram->counts[at];
        if (seen > wanted) return at < FINE ? (at + 0.5) / 100 : at - FINE + 0.5;
    }
    return histogram->longest / 1000.0;
}

void note_failure(const char *what, const char *detail, size_t size) {
    counted.failures++;
    if (!first_failure[0]) snprintf(first_failure, sizeof first_failure, "%s: %.*s", what, (int)size, detail);
}

size_t put_frame(char *out, int opcode, const char *payload, size_t size) {
    unsigned char mask[4];
    uint32_t chosen = (uint32_t)random();
    size_t at = 2;
    memcpy(mask, &chosen, 4);
    out[0] = (char)(0x80 | opcode);
    if (size < 126) {
        out[1] = (char)(0x80 | size);
    } else {
        out[1] = (char)(0x80 | 126);
        out[2] = (char)(size >> 8);
        out[3] = (char)size;
        at = 4;
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++) out[at + i] = (char)(payload[i] ^ mask[i & 3]);
    return at + size;
}

#if CAN_INFLATE
static size_t inflate_payload(struct session *session, const char *payload, size_t size) {
    static const unsigned char tail[4] = {0, 0, 0xff, 0xff};
    z_stream *stream = session->inflater;
    if (!stream) return 0;
    stream->next_out = (unsigned char *)inflated;
    stream->avail_out = sizeof inflated;
    stream->next_in = (unsigned char *)payload;
    stream->avail_in = (unsigned)size;
    if (inflate(stream, Z_SYNC_FLUSH) < 0) return 0;
    stream->next_in = (unsigned char *)tail;
    stream->avail_in = 4;
    int result = inflate(stream, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END) inflateReset(stream);
    else if (result < 0 && result != Z_BUF_ERROR) return 0;
    return sizeof inflated - stream->avail_out;
}
#endif

/* A delivery carries "~T" and sixteen digits: when it was sent, on this machine's monotonic clock. */
static void read_payload(struct session *session, const char *payload, size_t size) {
    if (size == 2 && !memcmp(payload, "{}", 2)) { /* centrifuge's ping */
        char pong[16];
        write_out(session, pong, put_frame(pong, 1, "{}", 2));
        return;
    }
    if (size == 1 && payload[0] == '2') { /* Engine.IO's ping */
        char pong[16];
        write_out(session, pong, put_frame(pong, 1, "3", 1));
        return;
    }
    const char *at = payload, *end = payload + size;
    int64_t now = 0;
    while ((at = memchr(at, '~', (size_t)(end - at)))) {
        if (end - at >= 18 && at[1] == 'T') {
            int64_t stamp = 0;
            for (int i = 2; i < 18; i++) stamp = stamp * 10 + (at[i] - '0');
            if (!now) now = now_us();
            record(&counted.latency, now - stamp);
            session->deliveries++;
            counted.deliveries++;
            see_delivery(session);
            at += 18;
        } else {
            at++;
        }
        if (at >= end) break;
    }
    if (session->state == OPENING || session->sender) see_answers(session, payload, size);
}

static void read_control(struct session *session, int opcode, const char *payload, size_t size) {
    if (opcode == 8) {
        char why[160];
        unsigned code = size >= 2 ? (unsigned)(((unsigned char)payload[0] << 8) | (unsigned char)payload[1]) : 1005;
        snprintf(why, sizeof why, "closed by the server with %u %.*s", code, size > 2 ? (int)size - 2 : 0, payload + 2);
        end_session(session, why);
    } else if (opcode == 9) {
        char pong[256];
        if (size <= 125) write_out(session, pong, put_frame(pong, 10, payload, size));
    } else if (opcode == 10 && size == 16) {
        char digits[17] = {0};
        memcpy(digits, payload, 16);
        record(&counted.pings, now_us() - atoll(digits));
    }
}

/* Read the whole frames; how many bytes they were. */
size_t read_frames(struct session *session, char *data, size_t size) {
    size_t at = 0;
    while (size - at >= 2 && session->state >= OPENING) {
        unsigned char *head = (unsigned char *)data + at;
        size_t length = head[1] & 0x7f, begin = 2;
        if (length == 126) {
            if (size - at < 4) break;
            length = (size_t)head[2] << 8 | head[3];
            begin = 4;
        } else if (length == 127) {
            if (size - at < 10) break;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | head[i];
            begin = 10;
        }
        if (size - at < begin + length) break;
        const char *payload = data + at + begin;
        int opcode = head[0] & 0x0f;
        if (opcode >= 8) {
            read_control(session, opcode, payload, length);
        } else if (head[0] & 0x40) {
#if CAN_INFLATE
            size_t whole = inflate_payload(session, payload, length);
            if (!whole) note_failure("a frame could not be inflated", "", 0);
            read_payload(session, inflated, whole);
#endif
        } else {
            read_payload(session, payload, length);
        }
        at += begin + length;
    }
    return at;
}
