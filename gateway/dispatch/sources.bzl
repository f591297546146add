# The sources of gateway/dispatch, for CMake and Bazel alike.

SRCS = [
    "delivery_order.cc",
    "delivery_queue.cc",
    "delivery_queue_reading.cc",
    "dispatcher.cc",
    "dispatcher_queues.cc",
    "engine.cc",
    "fair_queue.cc",
    "outcome_buffer.cc",
    "outcome_record.cc",
    "retry_lane.cc",
    "retry_policy.cc",
    "shard_progress.cc",
    "shard_tail.cc",
    "shard_tail_members.cc",
    "subscription_directory.cc",
    "subscription_index.cc",
    "word_table.cc",
]

HDRS = [
    "delivery_order.h",
    "delivery_queue.h",
    "dispatcher.h",
    "engine.h",
    "fair_queue.h",
    "messages.h",
    "outcome_buffer.h",
    "outcome_record.h",
    "retry_lane.h",
    "retry_policy.h",
    "shard_progress.h",
    "shard_tail.h",
    "subscription_directory.h",
    "subscription_index.h",
    "word_table.h",
]
