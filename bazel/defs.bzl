"""What CMake's bazel/sources.cmake is to CMake: libraries and tests from a folder's lists."""

COPTS = ["-Wall"]  # CMake is where every warning is an error.

def postrider_library(name, srcs, hdrs, deps = []):
    """A library of one folder, includable by paths from the top of the tree."""
    native.cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = COPTS,
        visibility = ["//visibility:public"],
        deps = deps,
    )

def postrider_binary(name, srcs, deps):
    """A program."""
    native.cc_binary(
        name = name,
        srcs = srcs,
        copts = COPTS,
        visibility = ["//visibility:public"],
        deps = deps,
    )

def postrider_test(name, srcs, deps, size = "medium", data = []):
    """One test program from a folder's TESTS."""
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = COPTS,
        data = data,
        deps = deps + ["@system//:gtest_main"],
    )
