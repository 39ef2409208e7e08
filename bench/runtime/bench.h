/* What the floor and the runtime's benchmark share: clocks and one line of
 * output per figure, so that the two can be compared by name. */
#ifndef CN_BENCH_RUNTIME_H
#define CN_BENCH_RUNTIME_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* CPU nanoseconds of this process. */
static inline int64_t bench_cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A figure of /proc/self/status, in bytes. */
static inline int64_t bench_status(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    size_t len = strlen(key);
    int64_t value = 0;
    char line[256];

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, key, len) == 0 && line[len] == ':')
            value = atoll(line + len + 1) * 1024;
    if (f)
        fclose(f);
    return value;
}

/* Resident memory and page tables: what a task really costs. */
static inline int64_t bench_memory(void)
{
    return bench_status("VmRSS") + bench_status("VmPTE");
}

static inline void bench_print(const char *name, double value)
{
    printf("%s %.3f\n", name, value);
    fflush(stdout);
}

#endif
