# The sources of client, for CMake and Bazel alike.

SRCS = [
    "arguments.cc",
    "commands.cc",
    "delivery_commands.cc",
    "event_input.cc",
    "publish_stream_client.cc",
    "publisher_client.cc",
    "rpc_call.cc",
    "rpc_status.cc",
    "subscription_commands.cc",
]

HDRS = [
    "arguments.h",
    "commands.h",
    "delivery_commands.h",
    "event_input.h",
    "publish_stream_client.h",
    "publisher_client.h",
    "rpc_call.h",
    "rpc_status.h",
    "subscription_commands.h",
]

MAIN = [
    "main.cc",
]
