// What a publish pays to be checked, hashed and rendered, by the size of its resource.
#include <benchmark/benchmark.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/accept/translate.h"

namespace postrider {
namespace {

EventInput Sample(size_t text_bytes, bool canonical) {
  const std::string api = "https://api.web1on1.chat/v2";
  EventInput event;
  event.id = "774ae370-02cc-11e7-ac41-c38ce8763025";
  event.type = "message.create.contact.chat";
  event.organization = "5c138790ec944f05ff5f6d77";
  event.activity.present = true;
  event.activity.actor = ActivityInput::Party{
      .id = api + "/users/5c1a99e410419f5fb88cb5f2", .type = "Person", .name = ""};
  event.activity.summary = "User Jenny Jones created a chat message";
  event.data = {
      {"conversation", R"({"id":"5c1a974dabcdb128d0e90e90","type":"contact"})", canonical},
      {"message",
       absl::StrCat(R"({"id":"5c1a974dabcdb128d0e90e93","type":"chat","n":[1,2.5],"text":")",
                    std::string(text_bytes, 'x'), "\"}"),
       canonical}};
  event.links = {{"message", api + "/messages/5c1a974dabcdb128d0e90e93"},
                 {"organization", api + "/organizations/5c138790ec944f05ff5f6d77"}};
  return event;
}

void Run(benchmark::State& state, bool canonical) {
  const EventInput event = Sample(static_cast<size_t>(state.range(0)), canonical);
  TranslateContext context;
  context.now = absl::FromUnixMillis(1545246541607);
  size_t bytes = 0;
  for (auto iteration : state) {
    const auto translated = Translate(event, context);
    if (!translated.ok()) {
      state.SkipWithError("the event was refused");
      return;
    }
    bytes += (*translated)->body.size();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}

void TranslateRawJson(benchmark::State& state) { Run(state, /*canonical=*/false); }
void TranslateStruct(benchmark::State& state) { Run(state, /*canonical=*/true); }
BENCHMARK(TranslateRawJson)->Arg(100)->Arg(1000)->Arg(100'000);
BENCHMARK(TranslateStruct)->Arg(100)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace postrider
