# The sources of tests/support, for CMake and Bazel alike.

SRCS = [
    "scripted_server.cc",
    "test_certificates.cc",
]

HDRS = [
    "manual_loop.h",
    "scripted_server.h",
    "test_certificates.h",
]
