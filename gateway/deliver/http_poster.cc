#include "gateway/deliver/http_poster.h"

#include <list>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/memory/memory.h"
#include "gateway/base/check.h"
#include "gateway/base/status.h"
#include "gateway/deliver/cares_lookup.h"
#include "gateway/deliver/connection_pool.h"
#include "gateway/deliver/http_exchange.h"
#include "gateway/deliver/prepared_endpoint.h"
#include "gateway/deliver/timer_wheel.h"
#include "gateway/deliver/tls.h"
#include "gateway/model/url.h"

namespace postrider {
namespace {

constexpr size_t kOriginsSweepMin = 1024;

class HttpPoster final : public Poster {
 public:
  HttpPoster(AsioLoop* loop, HttpPosterOptions options, const Clock* clock,
             std::unique_ptr<TlsContext> tls)
      : loop_(loop),
        tls_(std::move(tls)),
        wheel_(loop, clock),
        resolver_(loop, clock,
                  options.lookup ? std::move(options.lookup) : NewCaresLookup(loop, clock)),
        connections_{.loop = loop,
                     .clock = clock,
                     .wheel = &wheel_,
                     .tls = tls_.get(),
                     .connect_timeout = options.connect_timeout,
                     .idle_timeout = options.idle_timeout,
                     .age_max = options.connection_age_max,
                     .drain_timeout = options.drain_timeout},
        pool_(&connections_),
        exchanges_{.loop = loop,
                   .clock = clock,
                   .wheel = &wheel_,
                   .pool = &pool_,
                   .resolver = &resolver_,
                   .guard = std::move(options.guard),
                   .connect_timeout = options.connect_timeout,
                   .recycle = [this](HttpExchange* exchange) {
                     spare_.splice(spare_.begin(), active_, exchange->place);
                   }} {}

  std::shared_ptr<const Endpoint> Prepare(const Subscription& subscription) override {
    absl::StatusOr<Url> url = ParseUrl(subscription.url);
    if (!url.ok()) {
      return std::make_shared<PreparedEndpoint>(url.status());
    }
    if (subscription.secrets.empty()) {
      return std::make_shared<PreparedEndpoint>(InvalidField("secrets", "there is none"));
    }
    return std::make_shared<PreparedEndpoint>(subscription, *url, OriginOf(*url));
  }

  void Post(PostRequest request, Done done) override {
    const int attempt_number = request.attempt_number;
    const bool keep_response = request.keep_response;
    const WorkItem item = request.item;
    Start({.endpoint = Prepared(std::move(request.endpoint)),
           .event = std::move(request.event),
           .attempt_number = attempt_number,
           .keep_response = keep_response,
           .item = item},
          std::move(done));
  }

  void Challenge(std::shared_ptr<const Endpoint> endpoint, std::string challenge,
                 Done done) override {
    Start({.endpoint = Prepared(std::move(endpoint)), .challenge = std::move(challenge)},
          std::move(done));
  }

 private:
  // Endpoints come from Prepare() of a poster, and there is one kind of them.
  static std::shared_ptr<const PreparedEndpoint> Prepared(
      std::shared_ptr<const Endpoint> endpoint) {
    return std::static_pointer_cast<const PreparedEndpoint>(std::move(endpoint));
  }

  std::shared_ptr<Origin> OriginOf(const Url& url) {
    if (origins_.size() >= origins_sweep_) {
      absl::erase_if(origins_, [](const auto& entry) { return entry.second.expired(); });
      origins_sweep_ = std::max(kOriginsSweepMin, origins_.size() * 2);
    }
    std::weak_ptr<Origin>& known = origins_[url.origin()];
    std::shared_ptr<Origin> origin = known.lock();
    if (origin == nullptr) {
      origin = std::make_shared<Origin>();
      origin->url = url;
      origin->url.target.clear();
      origin->url.credentials.clear();
      origin->url.has_credentials = false;
      known = origin;
    }
    return origin;
  }

  void Start(ExchangeJob job, Done done) {
    if (!job.endpoint->status().ok()) {
      FailLater(job.endpoint->status(), std::move(done));
      return;
    }
    if (spare_.empty()) {
      spare_.emplace_back(&exchanges_);
      spare_.back().place = std::prev(spare_.end());
    }
    HttpExchange& exchange = spare_.front();
    active_.splice(active_.end(), spare_, spare_.begin());
    exchange.Start(std::move(job), std::move(done));
  }

  void FailLater(const absl::Status& status, Done done) {
    PostResult result;
    result.outcome = Outcome::kConnectError;
    result.error_text = std::string(status.message()).substr(0, kErrorTextBytesMax);
    loop_->Post([alive = std::weak_ptr<char>(exchanges_.alive), kept = std::move(result),
                 tell = std::move(done)]() mutable {
      if (!alive.expired()) {
        std::move(tell)(std::move(kept));
      }
    });
  }

  // Each needs those before it.
  AsioLoop* const loop_;
  const std::unique_ptr<TlsContext> tls_;
  TimerWheel wheel_;
  Resolver resolver_;
  absl::flat_hash_map<std::string, std::weak_ptr<Origin>> origins_;  // By Url::origin().
  size_t origins_sweep_ = kOriginsSweepMin;  // At this size those that nobody uses are removed.
  const ConnectionContext connections_;
  ConnectionPool pool_;
  ExchangeContext exchanges_;
  std::list<HttpExchange> active_;
  std::list<HttpExchange> spare_;  // Used again, for their memory.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Poster>> NewHttpPoster(AsioLoop* loop, HttpPosterOptions options,
                                                      const Clock* clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<TlsContext> tls, TlsContext::Create(options.ca_file));
  return std::make_unique<HttpPoster>(loop, std::move(options), clock, std::move(tls));
}

}  // namespace postrider
