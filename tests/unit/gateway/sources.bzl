# The tests of gateway itself, for CMake and Bazel alike.

TESTS = [
    "death_count_test.cc",
    "delivery_explanation_test.cc",
    "direct_exchanges_test.cc",
    "health_board_test.cc",
    "sample_event_test.cc",
    "subscription_changes_test.cc",
    "subscription_registry_test.cc",
]
