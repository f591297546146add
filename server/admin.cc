#include "server/admin.h"

namespace postrider {

HttpAnswer AdminAnswer(absl::string_view path, const Gateway& gateway,
                       const std::atomic<bool>& ready) {
  HttpAnswer answer;
  if (path == "/healthz") {
    answer.body = "ok\n";
  } else if (path == "/readyz") {
    answer.status = ready ? 200 : 503;
    answer.body = ready ? "ok\n" : "starting or stopping\n";
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
