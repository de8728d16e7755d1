/* The floor of fan-out: one process that writes the same bytes to N sockets with send(2), and nothing else.
   Usage: bare PORT CONNECTIONS BYTES ROUNDS. Prints the microseconds of CPU per send. Each round waits for a byte
   on the first connection, so that the receiver keeps pace. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int connections = atoi(argv[2]), size = atoi(argv[3]), rounds = atoi(argv[4]), one = 1;
    int *fds = calloc(connections, sizeof *fds);
    char *payload = malloc(size), byte;
    memset(payload, 'x', size);
    payload[0] = (char)0x81;
    payload[1] = 126;
    payload[2] = (char)((size - 4) >> 8);
    payload[3] = (char)(size - 4);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 4096)) return 1;
    puts("ready");
    fflush(stdout);
    for (int i = 0; i < connections; i++) {
        fds[i] = accept(server, 0, 0);
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    double spent = 0;
    for (int round = 0; round < rounds; round++) {
        if (read(fds[0], &byte, 1) != 1) return 1;
        double begun = cpu();
        for (int i = 0; i < connections; i++)
            if (send(fds[i], payload, size, MSG_NOSIGNAL) != size) return 1;
        spent += cpu() - begun;
    }
    printf("%f\n", spent / rounds / connections);
    return 0;
}
