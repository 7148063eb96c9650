/* SPDX-License-Identifier: MIT */
/* bench_machine.c - what the figures were measured on. */
#include "bench.h"

#include <girt/version.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void read_cpu_name(char *name, size_t size)
{
    snprintf(name, size, "unknown CPU");
    FILE *const file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *const colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(name, size, "%.*s", (int)strcspn(colon + 2, "\n"),
                     colon + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

void bench_print_machine(FILE *file)
{
    char cpu[128];
    struct utsname system;
    read_cpu_name(cpu, sizeof cpu);
    if (uname(&system) != 0)
        strcpy(system.release, "?"), strcpy(system.machine, "?");
    fprintf(file, "%s, %ld CPUs, %s, Linux %s, %s %s, girt %s", cpu,
            sysconf(_SC_NPROCESSORS_ONLN), system.machine, system.release,
#ifdef __clang__
            "clang", __clang_version__,
#else
            "gcc", __VERSION__,
#endif
            girt_version());
}
