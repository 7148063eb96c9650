/* SPDX-License-Identifier: MIT */
/* fiber.h - several threads of a program, run by one kernel thread.
 *
 * A fiber is a real pthread asleep for good, whose thread-local storage is
 * borrowed: while the fiber runs, the thread pointer is the pthread's, so that
 * thread-local variables, pthread_self(), errno and malloc's caches are its
 * own.  Switching is a function call (about 20 ns) instead of two system calls
 * and the kernel's scheduler, and nothing happens at the same time. */
#ifndef GIRT_TESTS_FIBER_H
#define GIRT_TESTS_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#define FIBERS_MAX 16

typedef struct fiber {
    void *stack_pointer;  /* where it was switched away from */
    void *thread_pointer; /* of the borrowed pthread */
    char *stack;          /* FIBER_STACK bytes above a page that traps */
} fiber;

#define FIBER_STACK ((size_t)256 * 1024)

/* true where this machine is known: x86_64 and arm64 Linux with glibc. */
bool fibers_supported(void);

/* The fiber of the calling kernel thread, which switches come back to. */
fiber *fiber_main(void);

/* Fiber `index`, ready to run entry() from the start with thread-local
 * variables of this program as in a new thread.  entry never returns. */
fiber *fiber_prepare(size_t index, void (*entry)(void));

void fiber_switch(fiber *from, fiber *to);

/* Whether the address is on the stack of the fiber. */
bool fiber_owns(const fiber *f, const void *address);

#endif /* GIRT_TESTS_FIBER_H */
