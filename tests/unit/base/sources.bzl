TESTS = [
    "clock_test.cc",
    "crash_point_test.cc",
    "log_test.cc",
    "loop_watch_test.cc",
    "random_test.cc",
    "read_file_test.cc",
    "status_test.cc",
    "uuid_test.cc",
    "work_item_test.cc",
]
