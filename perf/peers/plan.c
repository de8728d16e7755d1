/* The load client's plan: which sessions there are, what opens each, and the messages that are sent. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session *sessions;
struct template *templates, **template_of;
uint32_t session_count, template_count;

void load_templates(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(&template_count, 4, 1, file) != 1) exit(3);
    templates = calloc(template_count, sizeof *templates);
    free(template_of);
    template_of = calloc(session_count, sizeof *template_of);
    for (uint32_t i = 0; i < template_count; i++) {
        struct template *template = &templates[i];
        if (fread(&template->session, 4, 1, file) != 1 || fread(&template->size, 4, 1, file) != 1) exit(3);
        template->text = malloc(template->size);
        if (template->size > 4000 || fread(template->text, 1, template->size, file) != template->size) exit(3);
        template->id = memmem(template->text, template->size, "##########", 10);
        template->uuid = memmem(template->text, template->size, "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", 36);
        template->stamp = memmem(template->text, template->size, "~T", 2);
        if (!template->stamp) exit(3);
        sessions[template->session].sender = 1;
        template_of[template->session] = template;
    }
    fclose(file);
}

void load_plan(const char *path) {
    FILE *file = fopen(path, "rb");
    uint32_t added;
    if (!file || fread(&added, 4, 1, file) != 1) exit(3);
    sessions = realloc(sessions, (session_count + added) * sizeof *sessions);
    for (uint32_t i = session_count; i < session_count + added; i++) {
        struct session *session = &sessions[i];
        memset(session, 0, sizeof *session);
        if (fread(&session->steps, 4, 1, file) != 1) exit(3);
        session->plan = calloc(session->steps + 1, sizeof *session->plan);
        for (uint32_t j = 0; j < session->steps; j++) {
            struct step *step = &session->plan[j];
            uint32_t sizes[3];
            if (fread(sizes, 4, 3, file) != 3) exit(3);
            char *text = malloc(sizes[0] + sizes[1] + 1);
            if (fread(text, 1, sizes[0] + sizes[1], file) != sizes[0] + sizes[1]) exit(3);
            *step = (struct step){text, text + sizes[0], sizes[0], sizes[1], sizes[2]};
        }
    }
    session_count += added;
    fclose(file);
}
