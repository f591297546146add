# The tests of gateway/accept, for CMake and Bazel alike.

TESTS = [
    "operational_event_test.cc",
    "activity_test.cc",
    "content_hash_test.cc",
    "json_text_fuzz_test.cc",
    "json_text_test.cc",
    "json_writer_test.cc",
    "names_test.cc",
    "timestamp_test.cc",
    "translate_test.cc",
    "utf8_test.cc",
    "validate_event_test.cc",
    "validate_subscription_test.cc",
]
