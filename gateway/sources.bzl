# The sources of gateway itself, for CMake and Bazel alike; its stages have lists of their own.

SRCS = [
    "answers.cc",
    "gateway.cc",
    "gateway_calls.cc",
    "metrics.cc",
    "subscription_admin.cc",
    "subscription_registry.cc",
]

HDRS = [
    "answers.h",
    "gateway.h",
    "gateway_impl.h",
    "metrics.h",
    "subscription_admin.h",
    "subscription_registry.h",
]
