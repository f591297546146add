# The sources of gateway/model, for CMake and Bazel alike.

SRCS = [
    "ids.cc",
    "position.cc",
]

HDRS = [
    "attempt.h",
    "event.h",
    "ids.h",
    "position.h",
    "poster.h",
    "subscription.h",
]
