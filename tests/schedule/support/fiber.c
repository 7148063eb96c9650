/* SPDX-License-Identifier: MIT */
/* fiber.c - borrowed thread-local storage and a switch of stacks. */
#include "schedule/support/fiber.h"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <asm/prctl.h>
#define REGISTERS 6 /* rbp rbx r12 r13 r14 r15 */
#elif defined(__aarch64__)
#define REGISTERS 20 /* x19 .. x30, d8 .. d15 */
#endif

static fiber fibers[FIBERS_MAX];
static fiber main_fiber;
#if defined(__x86_64__)
static bool fsgsbase; /* the thread pointer can be set without the kernel */
#endif

bool fibers_supported(void)
{
#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__GLIBC__)
    return true;
#else
    return false;
#endif
}

fiber *fiber_main(void)
{
    return &main_fiber;
}

/* Pushes what a call must keep, swaps stacks, pops the other's. */
void fiber_swap_stacks(void **save, void *load);
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl fiber_swap_stacks\n"
        ".type fiber_swap_stacks, @function\n"
        "fiber_swap_stacks:\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap_stacks, . - fiber_swap_stacks\n");

static void *read_thread_pointer(void)
{
    void *pointer;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

static void write_thread_pointer(void *pointer)
{
    if (fsgsbase)
        __asm__ volatile("wrfsbase %0" ::"r"(pointer) : "memory");
    else
        (void)syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
}
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl fiber_swap_stacks\n"
        ".type fiber_swap_stacks, %function\n"
        "fiber_swap_stacks:\n"
        "    stp d8, d9, [sp, #-160]!\n"
        "    stp d10, d11, [sp, #16]\n"
        "    stp d12, d13, [sp, #32]\n"
        "    stp d14, d15, [sp, #48]\n"
        "    stp x19, x20, [sp, #64]\n"
        "    stp x21, x22, [sp, #80]\n"
        "    stp x23, x24, [sp, #96]\n"
        "    stp x25, x26, [sp, #112]\n"
        "    stp x27, x28, [sp, #128]\n"
        "    stp x29, x30, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp d10, d11, [sp, #16]\n"
        "    ldp d12, d13, [sp, #32]\n"
        "    ldp d14, d15, [sp, #48]\n"
        "    ldp x19, x20, [sp, #64]\n"
        "    ldp x21, x22, [sp, #80]\n"
        "    ldp x23, x24, [sp, #96]\n"
        "    ldp x25, x26, [sp, #112]\n"
        "    ldp x27, x28, [sp, #128]\n"
        "    ldp x29, x30, [sp, #144]\n"
        "    ldp d8, d9, [sp], #160\n"
        "    ret\n"
        ".size fiber_swap_stacks, . - fiber_swap_stacks\n");

static void *read_thread_pointer(void)
{
    void *pointer;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
    return pointer;
}

static void write_thread_pointer(void *pointer)
{
    __asm__ volatile("msr tpidr_el0, %0" ::"r"(pointer) : "memory");
}
#endif

/* The program's own thread-local variables: their first values, and where
 * they are from a thread pointer; the same in every thread, since they are in
 * the static block. */
static struct {
    const char *image;
    size_t image_size, size;
    ptrdiff_t offset;
    bool known;
} tls;

static int find_tls(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *const header = &info->dlpi_phdr[i];
        if (header->p_type != PT_TLS)
            continue;
        tls.image = (const char *)(info->dlpi_addr + header->p_vaddr);
        tls.image_size = header->p_filesz;
        tls.size = header->p_memsz;
        tls.offset =
            (char *)info->dlpi_tls_data - (char *)read_thread_pointer();
    }
    tls.known = true;
    return 1; /* the first one is the program */
}

static void *lend_storage(void *argument)
{
    __atomic_store_n((void **)argument, read_thread_pointer(),
                     __ATOMIC_RELEASE);
    for (;;)
        (void)pause();
    return NULL;
}

static void make(fiber *f)
{
    if (main_fiber.thread_pointer == NULL) {
        main_fiber.thread_pointer = read_thread_pointer();
#if defined(__x86_64__)
        fsgsbase = (getauxval(AT_HWCAP2) & 2) != 0;
#endif
        (void)dl_iterate_phdr(find_tls, NULL);
    }
    char *const memory = mmap(NULL, FIBER_STACK + 4096, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    pthread_t thread;
    if (memory == MAP_FAILED || mprotect(memory, 4096, PROT_NONE) != 0 ||
        pthread_create(&thread, NULL, lend_storage, &f->thread_pointer) != 0) {
        fputs("schedule: no thread to borrow\n", stderr);
        exit(1);
    }
    f->stack = memory + 4096;
    while (__atomic_load_n(&f->thread_pointer, __ATOMIC_ACQUIRE) == NULL)
        (void)usleep(10);
}

fiber *fiber_prepare(size_t index, void (*entry)(void))
{
    fiber *const f = &fibers[index];
    if (f->stack == NULL)
        make(f);
    if (tls.size != 0) {
        char *const block = (char *)f->thread_pointer + tls.offset;
        memcpy(block, tls.image, tls.image_size);
        memset(block + tls.image_size, 0, tls.size - tls.image_size);
    }
    uintptr_t *top = (uintptr_t *)(void *)(f->stack + FIBER_STACK);
#if defined(__x86_64__)
    top -= 2;
    top[0] = (uintptr_t)entry;
    top[1] = 0; /* entry's return address, at 8 modulo 16 as after a call */
    top -= REGISTERS;
    memset(top, 0, REGISTERS * sizeof *top);
#else
    top -= REGISTERS;
    memset(top, 0, REGISTERS * sizeof *top);
    top[REGISTERS - 1] = (uintptr_t)entry; /* x30 */
#endif
    f->stack_pointer = top;
    return f;
}

void fiber_switch(fiber *from, fiber *to)
{
    write_thread_pointer(to->thread_pointer);
    fiber_swap_stacks(&from->stack_pointer, to->stack_pointer);
}

bool fiber_owns(const fiber *f, const void *address)
{
    return f->stack != NULL && (const char *)address >= f->stack &&
           (const char *)address < f->stack + FIBER_STACK;
}
