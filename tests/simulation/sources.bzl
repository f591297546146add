# The sources of tests/simulation, for CMake and Bazel alike.

TESTS = [
    "course.cc",
    "course.h",
    "course_owners.cc",
    "fake_subscriber.cc",
    "fake_subscriber.h",
    "process.cc",
    "process.h",
    "replay_test.cc",
    "scenario_test.cc",
    "sim_services.cc",
    "sim_services.h",
    "simulation_test.cc",
    "subscriber_test.cc",
    "world.cc",
    "world.h",
    "world_attention.cc",
    "world_checks.cc",
    "world_order.cc",
    "world_owners.cc",
    "world_replays.cc",
]
