/* SPDX-License-Identifier: MIT */
/* serve_page.c - live.html, as it stands, in the library. */
#include "serve/serve_internal.h"

__asm__(".section .rodata\n"
        ".global girt__serve_page\n"
        ".hidden girt__serve_page\n"
        "girt__serve_page:\n"
        ".incbin \"" GIRT_SERVE_PAGE "\"\n"
        ".global girt__serve_page_end\n"
        ".hidden girt__serve_page_end\n"
        "girt__serve_page_end:\n"
        ".byte 0\n"
        ".previous\n");
