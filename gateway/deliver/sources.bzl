# The sources of gateway/deliver, for CMake and Bazel alike.

SRCS = [
    "address_guard.cc",
    "cares_lookup.cc",
    "connection.cc",
    "connection_pool.cc",
    "connection_response.cc",
    "http_date.cc",
    "http_exchange.cc",
    "http_poster.cc",
    "name_health.cc",
    "prepared_endpoint.cc",
    "resolver.cc",
    "response_reader.cc",
    "signature.cc",
    "socket.cc",
    "timer_wheel.cc",
    "tls.cc",
]

HDRS = [
    "address_guard.h",
    "cares_lookup.h",
    "connection.h",
    "connection_pool.h",
    "http_date.h",
    "http_exchange.h",
    "http_poster.h",
    "name_health.h",
    "origin.h",
    "prepared_endpoint.h",
    "resolver.h",
    "response_reader.h",
    "signature.h",
    "socket.h",
    "timer_wheel.h",
    "tls.h",
]
