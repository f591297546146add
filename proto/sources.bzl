# The schemas, for CMake and Bazel alike.

# Compiled to C++ messages.
PROTOS = [
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
    "grpc/health/v1/health.proto",
    "postrider/config/v1/config.proto",
    "postrider/v1/dead_letter.proto",
    "postrider/v1/delivery.proto",
    "postrider/v1/event.proto",
    "postrider/v1/event_service.proto",
    "postrider/v1/explanation.proto",
    "postrider/v1/publisher.proto",
    "postrider/v1/replay.proto",
    "postrider/v1/subscription.proto",
    "postrider/v1/subscription_service.proto",
]

# Those of them that have services: compiled to gRPC stubs too.
SERVICES = [
    "postrider/v1/delivery.proto",
    "postrider/v1/event_service.proto",
    "postrider/v1/publisher.proto",
    "postrider/v1/subscription_service.proto",
]
