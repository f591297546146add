# The sources of tests/model, for CMake and Bazel alike.

TESTS = [
    "bounds.cc",
    "bounds.h",
    "delivery_steps.cc",
    "environment_steps.cc",
    "explorer.cc",
    "explorer.h",
    "machine.cc",
    "machine.h",
    "model_test.cc",
    "order_steps.cc",
    "quarantine_steps.cc",
    "queue_steps.cc",
    "rules.h",
    "shard_steps.cc",
    "state.h",
    "store_steps.cc",
]
