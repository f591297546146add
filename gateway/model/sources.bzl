# The sources of gateway/model, for CMake and Bazel alike.

SRCS = [
    "event_pattern.cc",
    "ids.cc",
    "pause.cc",
    "position.cc",
    "purge.cc",
    "replay.cc",
    "scope.cc",
    "secret.cc",
    "url.cc",
]

HDRS = [
    "attempt.h",
    "event.h",
    "event_pattern.h",
    "health.h",
    "ids.h",
    "pause.h",
    "position.h",
    "poster.h",
    "purge.h",
    "replay.h",
    "scope.h",
    "secret.h",
    "subscription.h",
    "suspect.h",
    "url.h",
]
