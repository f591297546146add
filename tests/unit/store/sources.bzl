# The sources of tests/unit/store, for CMake and Bazel alike.

TESTS = [
    "codec_test.cc",
    "durability_test.cc",
    "fake_store.h",
    "group_commit_fixture.h",
    "group_commit_order_test.cc",
    "group_commit_stress_test.cc",
    "group_commit_test.cc",
    "group_queue_test.cc",
    "query_plan_test.cc",
    "sqlite_failure_test.cc",
    "sqlite_maintenance_test.cc",
    "sqlite_open_test.cc",
]
