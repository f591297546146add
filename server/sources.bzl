# The sources of server, for CMake and Bazel alike.

SRCS = [
    "attempt_convert.cc",
    "event_convert.cc",
    "page_token.cc",
    "status_convert.cc",
    "struct_json.cc",
    "subscription_convert.cc",
    "subscription_update.cc",
    "text.cc",
    "time_convert.cc",
    "unknown_fields.cc",
]

HDRS = [
    "attempt_convert.h",
    "event_convert.h",
    "page_token.h",
    "status_convert.h",
    "struct_json.h",
    "subscription_convert.h",
    "subscription_update.h",
    "text.h",
    "time_convert.h",
    "unknown_fields.h",
]
