# SPDX-License-Identifier: MIT
"""The version of this package, which is that of the library it knows."""

VERSION = "0.1.0"
