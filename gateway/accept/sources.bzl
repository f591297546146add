# The sources of gateway/accept, for CMake and Bazel alike.

SRCS = [
    "activity.cc",
    "content_hash.cc",
    "json_text.cc",
    "json_writer.cc",
    "names.cc",
    "operational_event.cc",
    "organization_directory.cc",
    "timestamp.cc",
    "translate.cc",
    "utf8.cc",
    "validate_event.cc",
    "validate_subscription.cc",
]

HDRS = [
    "activity.h",
    "content_hash.h",
    "event_input.h",
    "json_text.h",
    "json_writer.h",
    "names.h",
    "operational_event.h",
    "organization_directory.h",
    "timestamp.h",
    "translate.h",
    "utf8.h",
    "validate_event.h",
    "validate_subscription.h",
]
