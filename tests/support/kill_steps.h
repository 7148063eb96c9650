/* SPDX-License-Identifier: MIT */
/* kill_steps.h - a child that is killed after its k-th instruction, for all k.
 *
 * The child stops itself, is stepped k instructions into `act`, and gets
 * SIGKILL there: every state that a kill can leave behind, one after the
 * other. */
#ifndef GIRT_TESTS_KILL_STEPS_H
#define GIRT_TESTS_KILL_STEPS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum kill_outcome {
    KILLED,       /* within act, or just before or behind it */
    ACT_RETURNED, /* k instructions are more than act has */
    CANNOT_TRACE  /* not allowed here */
} kill_outcome;

/* `prepare` (or NULL) runs at full speed before; both in the child. */
kill_outcome kill_after(size_t k, void (*prepare)(void *context),
                        void (*act)(void *context), void *context);

#endif /* GIRT_TESTS_KILL_STEPS_H */
