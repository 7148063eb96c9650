# SPDX-License-Identifier: MIT
# What top needs; included by examples/ and by its tests, which come first.
set(CURSES_NEED_NCURSES TRUE)
set(CURSES_NEED_WIDE TRUE)
find_package(Curses QUIET)
find_package(CURL QUIET)
