# The sources of tests/support/storage, for CMake and Bazel alike.

SRCS = [
    "builders.cc",
    "forgetful_vfs.cc",
    "temp_dir.cc",
]

HDRS = [
    "builders.h",
    "forgetful_vfs.h",
    "manual_clock.h",
    "temp_dir.h",
]
