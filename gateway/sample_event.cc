#include "gateway/sample_event.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/event_input.h"
#include "gateway/accept/translate.h"
#include "gateway/model/event_pattern.h"

namespace postrider {

absl::StatusOr<std::shared_ptr<const Event>> SampleEvent(const Subscription& subscription,
                                                         absl::Time now,
                                                         std::array<uint64_t, 2> random) {
  EventInput input;
  input.type = absl::StrCat(kOperationalPrefix, "test");
  input.organization = subscription.organization;
  input.about = subscription.id;
  input.activity.present = true;
  input.activity.type = "Announce";
  input.activity.summary = "A test of this subscription; nothing has happened.";
  // An id is letters, digits and `-`: nothing in it needs an escape.
  input.data.push_back({.name = "subscription",
                        .json = absl::StrCat("{\"id\":\"", subscription.id, "\"}"),
                        .canonical = true});
  TranslateContext context;
  context.now = now;
  context.random = random;
  return Translate(input, context);
}

}  // namespace postrider
