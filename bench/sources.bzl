# The sources of the microbenchmarks, a list a program, for CMake and Bazel alike.

MATCHING_SRCS = [
    "matching_bench.cc",
]

FAIRNESS_SRCS = [
    "fairness_bench.cc",
]

TRANSLATE_SRCS = [
    "translate_bench.cc",
]

POST_SRCS = [
    "post_bench.cc",
]

PUBLISH_SRCS = [
    "publish_bench.cc",
]

RECEIVER_SRCS = [
    "receiver.cc",
    "receiver_protocol.cc",
    "receiver_protocol.h",
]

STORE_SRCS = [
    "store_bench.cc",
]
