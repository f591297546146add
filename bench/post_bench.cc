// POSTs to one URL through the HTTP poster as fast as it goes, for some seconds, and prints the
// rate.
//
//     post_bench <url> [seconds=2] [in_flight=64] [body_bytes=1200]
//
// To be read beside wrk's number against the same receiver: bench/post.sh does that.

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "gateway/base/asio_loop.h"
#include "gateway/base/clock.h"
#include "gateway/deliver/http_poster.h"

namespace postrider {
namespace {

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Settings {
  std::string url;
  absl::Duration span = absl::Seconds(2);
  int in_flight = 64;
  size_t body_bytes = 1200;
};

// Keeps a number of exchanges under way until the time is over.
class PostBench {
 public:
  PostBench(AsioLoop* loop, Poster* poster, const Settings& settings)
      : loop_(loop), poster_(poster), settings_(settings) {
    Subscription subscription;
    subscription.url = settings.url;
    subscription.secrets = {{.text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
    endpoint_ = poster->Prepare(subscription);
    auto event = std::make_shared<Event>();
    event->type = std::string("message.create.contact.chat");
    event->body.assign(settings.body_bytes, 'x');
    event_ = std::move(event);
  }

  // Runs the loop; true if all exchanges succeeded.
  bool Run() {
    loop_->Post([this]() {
      for (int i = 0; i < settings_.in_flight; ++i) {
        PostNext();
      }
    });
    loop_->After(settings_.span, [this]() { over_ = true; });
    const absl::Duration start = SystemClock()->Monotonic();
    const double processor_start = ProcessorSeconds();
    loop_->Run();
    const double seconds = absl::ToDoubleSeconds(SystemClock()->Monotonic() - start);
    const double processor = ProcessorSeconds() - processor_start;
    std::printf("%.0f POSTs/s, %.1f us of processor each, %llu failed\n",
                static_cast<double>(done_) / seconds, processor * 1e6 / static_cast<double>(done_),
                static_cast<unsigned long long>(failed_));
    return failed_ == 0;
  }

 private:
  void PostNext() {
    ++under_way_;
    poster_->Post({.endpoint = endpoint_, .event = event_},
                  [this](const PostResult& result) { OnDone(result); });
  }

  void OnDone(const PostResult& result) {
    --under_way_;
    ++done_;
    if (!result.success() && ++failed_ == 1) {
      std::fprintf(stderr, "the first failure: %s\n", result.error_text.c_str());
    }
    if (!over_) {
      PostNext();
    } else if (under_way_ == 0) {
      loop_->Stop();
    }
  }

  AsioLoop* const loop_;
  Poster* const poster_;
  const Settings settings_;
  std::shared_ptr<const Endpoint> endpoint_;
  std::shared_ptr<const Event> event_;
  bool over_ = false;
  int under_way_ = 0;
  uint64_t done_ = 0;
  uint64_t failed_ = 0;
};

int Main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: post_bench <url> [seconds] [in_flight] [body_bytes]\n");
    return 2;
  }
  Settings settings;
  settings.url = std::string(arguments[1]);
  if (count > 2) settings.span = absl::Seconds(std::atof(arguments[2]));
  if (count > 3) settings.in_flight = std::atoi(arguments[3]);
  if (count > 4) settings.body_bytes = static_cast<size_t>(std::atol(arguments[4]));

  HttpPosterOptions options;
  auto guard = AddressGuard::Create({"127.0.0.0/8", "::1/128"}, /*allow_http=*/true);
  if (!guard.ok()) {
    return 2;
  }
  options.guard = *std::move(guard);
  AsioLoop loop;
  auto poster = NewHttpPoster(&loop, std::move(options), SystemClock());
  if (!poster.ok()) {
    return 2;
  }
  return PostBench(&loop, poster->get(), settings).Run() ? 0 : 1;
}

}  // namespace
}  // namespace postrider

int main(int count, char** arguments) { return postrider::Main(count, arguments); }
