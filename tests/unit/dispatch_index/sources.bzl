# The tests of the subscription index and its patterns, for CMake and Bazel alike.

TESTS = [
    "event_pattern_test.cc",
    "subscription_index_bound_test.cc",
    "subscription_index_test.cc",
    "word_table_test.cc",
]
