# The tests of gateway/deliver and of what it stands on, for CMake and Bazel alike.

TESTS = [
    "address_guard_test.cc",
    "asio_loop_test.cc",
    "bad_receiver_test.cc",
    "bad_tls_receiver_test.cc",
    "connect_test.cc",
    "http_date_test.cc",
    "http_poster_test.cc",
    "prepared_endpoint_test.cc",
    "resolver_test.cc",
    "response_reader_test.cc",
    "secret_test.cc",
    "signature_test.cc",
    "timer_wheel_test.cc",
    "url_test.cc",
]

HDRS = [
    "poster_fixture.h",
]
