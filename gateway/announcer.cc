#include "gateway/announcer.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/translate.h"
#include "gateway/base/log.h"
#include "gateway/model/ids.h"

namespace postrider {

void Announcer::Announce(const EventInput& event) {
  TranslateContext context;
  context.now = clock_->Now();
  context.organization_path = organizations_->Resolve(event.organization);
  if (!registry_->AnyHears(context.organization_path, event.type, event.about)) {
    return;
  }
  absl::StatusOr<std::shared_ptr<const Event>> translated = Translate(event, context);
  if (!translated.ok()) {
    LogError(
        absl::StrCat(event.type, " about ", event.about, ": ", translated.status().ToString()));
    return;
  }
  commits_->Append(
      ShardOf(event.organization, shard_count_), *std::move(translated),
      /*put_path=*/false,
      [type = event.type, about = event.about](const absl::StatusOr<Appended>& appended) {
        if (!appended.ok()) {
          LogWarning(absl::StrCat(type, " about ", about,
                                  " was not published: ", appended.status().message()));
        }
      });
}

}  // namespace postrider
