#include "server/admin.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace postrider {
namespace {

constexpr absl::Duration kSilenceMax = absl::Seconds(15);

}  // namespace

HttpAnswer AdminAnswer(absl::string_view path, const Gateway& gateway,
                       const std::atomic<bool>& ready) {
  HttpAnswer answer;
  if (path == "/healthz") {
    answer.body = "ok\n";
  } else if (path == "/readyz") {
    const absl::Duration silence = gateway.Silence();
    const bool hangs = silence >= kSilenceMax;
    answer.status = ready && !hangs ? 200 : 503;
    answer.body = !ready  ? "starting or stopping\n"
                  : hangs ? absl::StrCat("a delivering thread has not answered for ",
                                         absl::ToInt64Seconds(silence), " s\n")
                          : "ok\n";
  } else if (path == "/metrics") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = gateway.MetricsText();
  } else {
    answer.status = 404;
    answer.body = "there are /healthz, /readyz and /metrics\n";
  }
  return answer;
}

}  // namespace postrider
