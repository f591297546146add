TESTS = [
    "attempt_test.cc",
    "ids_test.cc",
    "pause_test.cc",
    "position_test.cc",
    "subscription_test.cc",
]
