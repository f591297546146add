# The tests of server, for CMake and Bazel alike.

TESTS = [
    "admin_test.cc",
    "client_test.cc",
    "commands_test.cc",
    "config_test.cc",
    "event_convert_test.cc",
    "fake_engine.cc",
    "key_order_test.cc",
    "letters_service_test.cc",
    "page_token_test.cc",
    "publish_stream_test.cc",
    "publisher_service_test.cc",
    "query_services_test.cc",
    "replay_calls_test.cc",
    "status_convert_test.cc",
    "subscription_calls_test.cc",
    "subscription_convert_test.cc",
]

HDRS = [
    "command_fixture.h",
    "fake_engine.h",
    "server_fixture.h",
]
