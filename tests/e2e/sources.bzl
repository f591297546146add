# The end-to-end tests in C++, for CMake and Bazel alike.

TESTS = [
    "bad_input_test.cc",
    "delivery_test.cc",
    "e2e_fixture.cc",
    "letters_test.cc",
    "subscription_calls_test.cc",
    "subscriber_health_test.cc",
    "replay_test.cc",
]

HDRS = [
    "e2e_fixture.h",
]
