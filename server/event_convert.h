#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/accept/event_input.h"
#include "gateway/gateway.h"
#include "gateway/model/event.h"
#include "postrider/v1/event.pb.h"
#include "postrider/v1/event_service.pb.h"
#include "postrider/v1/publisher.pb.h"

namespace postrider {

// What a publisher gave, for the engine to check. INVALID_ARGUMENT for what the engine could not
// see any more: unknown fields, times that are none, resources without content, Structs that are no
// JSON. Errors name the field with `path`, that of the event itself, before it:
// `event.data["message"].struct`.
absl::StatusOr<EventInput> EventFromProto(absl::string_view path, const v1::Event& event);

// PublishResponse and PublishReceipt have the same fields.
void ReceiptToProto(const PublishReceipt& receipt, v1::PublishResponse* response);
void ReceiptToProto(const PublishReceipt& receipt, v1::PublishReceipt* result);

// The event as it is kept, with or without its body.
void StoredEventToProto(const LogEntry& entry, bool with_body, v1::StoredEvent* result);

}  // namespace postrider
