# The sources of client, for CMake and Bazel alike.

SRCS = [
    "arguments.cc",
    "commands.cc",
    "delivery_commands.cc",
    "event_commands.cc",
    "event_input.cc",
    "flag_values.cc",
    "publish_stream_client.cc",
    "publisher_client.cc",
    "replay_commands.cc",
    "rpc_call.cc",
    "rpc_status.cc",
    "subscription_commands.cc",
    "subscription_input.cc",
]

HDRS = [
    "arguments.h",
    "command.h",
    "commands.h",
    "delivery_commands.h",
    "event_commands.h",
    "event_input.h",
    "flag_values.h",
    "publish_stream_client.h",
    "publisher_client.h",
    "replay_commands.h",
    "rpc_call.h",
    "rpc_status.h",
    "subscription_commands.h",
    "subscription_input.h",
]

MAIN = [
    "main.cc",
]
