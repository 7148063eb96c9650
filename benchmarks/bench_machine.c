/* SPDX-License-Identifier: MIT */
/* bench_machine.c - what the figures were measured on. */
#include "bench.h"

#include <girt/version.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "packages.h"

#ifdef __clang__
#define COMPILER "clang"
#define COMPILER_VERSION __clang_version__
#else
#define COMPILER "gcc"
#define COMPILER_VERSION __VERSION__
#endif

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
    double load = 0;
    struct utsname system;
    read_cpu_name(cpu, sizeof cpu);
    if (uname(&system) != 0)
        strcpy(system.release, "?"), strcpy(system.machine, "?");
    (void)getloadavg(&load, 1);
    fprintf(file,
            "%s, %ld CPUs, %s, Linux %s, %s %s, glibc %s and its malloc, "
            "load %.1f, girt %s",
            cpu, sysconf(_SC_NPROCESSORS_ONLN), system.machine, system.release,
            COMPILER, COMPILER_VERSION, gnu_get_libc_version(), load,
            girt_version());
}

void bench_print_rivals(FILE *file)
{
    fputs(GIRT_BENCH_PACKAGES, file);
}

void bench_print_missing(FILE *file)
{
    fputs(GIRT_BENCH_MISSING, file);
}
