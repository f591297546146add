# The sources of gateway/base, for CMake and Bazel alike.

SRCS = [
    "asio_loop.cc",
    "check.cc",
    "clock.cc",
    "crash_point.cc",
    "http_listener.cc",
    "log.cc",
    "loop_watch.cc",
    "random.cc",
    "read_file.cc",
    "status.cc",
    "uuid.cc",
    "work_item.cc",
]

HDRS = [
    "asio_loop.h",
    "check.h",
    "clock.h",
    "crash_point.h",
    "http_listener.h",
    "limits.h",
    "log.h",
    "loop.h",
    "loop_watch.h",
    "mutex.h",
    "random.h",
    "read_file.h",
    "status.h",
    "uuid.h",
    "work_item.h",
    "version.h",
]
