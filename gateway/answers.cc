#include "gateway/answers.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"

namespace postrider {

absl::Status SubscriptionNotFound(absl::string_view id) {
  return WithResource(absl::NotFoundError(absl::StrCat("subscription `", id, "` does not exist")),
                      "subscription", id);
}

absl::Status NotCommitted(const BatchResult& result) {
  if (result.state == CommitState::kUnknown) {
    return absl::UnavailableError("whether the change was stored is not known; read it again");
  }
  return WithRetry(
      WithReason(absl::UnavailableError("the store can't take changes now; nothing was changed"),
                 "STORE_UNAVAILABLE"),
      absl::Seconds(1));
}

absl::Status TooManyQueries() {
  return WithRetry(absl::UnavailableError("too many queries wait for the store"),
                   absl::Milliseconds(200));
}

absl::StatusOr<LogEntry> FindEvent(StoreReader& reader, const std::string& organization,
                                   const std::string& id) {
  const std::optional<Uuid> uuid = Uuid::Parse(id);
  if (!uuid.has_value()) {
    return InvalidField("event_id", "is not a UUID of 36 characters");
  }
  absl::StatusOr<LogEntry> entry = reader.ReadEvent(*uuid, organization);
  if (absl::IsNotFound(entry.status())) {
    return WithResource(
        absl::NotFoundError(absl::StrCat("event `", uuid->ToString(), "` of organization `",
                                         organization, "` does not exist")),
        "event", uuid->ToString());
  }
  return entry;
}

absl::StatusOr<PublishReceipt> ReceiptOf(const Event& event,
                                         const absl::StatusOr<Appended>& appended) {
  RETURN_IF_ERROR(appended.status());
  if (appended->kind == Appended::Kind::kConflict) {
    return WithReason(
        WithResource(
            absl::AlreadyExistsError(absl::StrCat(
                "id: event `", event.id.ToString(), "` of organization `", event.organization,
                "` exists with other content; the stored event is untouched")),
            "event", event.id.ToString()),
        "EVENT_ID_TAKEN");
  }
  return PublishReceipt{.id = event.id,
                        .accept_time = appended->accept_time,
                        .duplicate = appended->kind == Appended::Kind::kDuplicate};
}

}  // namespace postrider
