# The sources of tests/contract, for CMake and Bazel alike.

TESTS = [
    "store_order_test.cc",
    "store_append_test.cc",
    "store_configuration_test.cc",
    "store_contract.cc",
    "store_contract.h",
    "store_delivery_test.cc",
    "store_health_test.cc",
    "store_letters_test.cc",
    "store_query_test.cc",
    "store_recovery_test.cc",
    "store_replay_test.cc",
    "store_retention_test.cc",
    "store_suspects_test.cc",
]
