# The tests of gateway/dispatch, for CMake and Bazel alike.

TESTS = [
    "delivery_queue_replay_test.cc",
    "replay_lane_test.cc",
    "concurrency_test.cc",
    "delivery_order_test.cc",
    "delivery_queue_health_test.cc",
    "delivery_queue_limits_test.cc",
    "delivery_queue_retention_test.cc",
    "delivery_queue_test.cc",
    "dispatcher_test.cc",
    "fair_queue_test.cc",
    "log_retention_test.cc",
    "rate_limiter_test.cc",
    "read_budget_test.cc",
    "log_pages_test.cc",
    "match_test.cc",
    "retry_lane_test.cc",
    "retry_policy_test.cc",
    "send_turns_test.cc",
    "shard_progress_test.cc",
    "shard_tail_members_test.cc",
    "shard_tail_test.cc",
    "steady_time_test.cc",
    "subscriber_health_test.cc",
    "suspects_test.cc",
]

HDRS = [
    "delivery_queue_fixture.h",
    "dispatch_fixture.h",
    "shard_tail_fixture.h",
]
