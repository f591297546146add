# The sources of gateway itself, for CMake and Bazel alike; its stages have lists of their own.

SRCS = [
    "announcer.cc",
    "answers.cc",
    "death_count.cc",
    "delivery_admin.cc",
    "delivery_explanation.cc",
    "direct_exchanges.cc",
    "gateway.cc",
    "gateway_calls.cc",
    "health_board.cc",
    "metrics.cc",
    "replay_admin.cc",
    "sample_event.cc",
    "subscriber_watch.cc",
    "subscription_admin.cc",
    "subscription_changes.cc",
    "subscription_registry.cc",
]

HDRS = [
    "announcer.h",
    "answers.h",
    "death_count.h",
    "direct_exchanges.h",
    "delivery_admin.h",
    "delivery_explanation.h",
    "gateway.h",
    "gateway_impl.h",
    "health_board.h",
    "metrics.h",
    "replay_admin.h",
    "sample_event.h",
    "subscriber_watch.h",
    "subscription_admin.h",
    "subscription_changes.h",
    "subscription_registry.h",
]
