#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/accept/translate.h"
#include "gateway/accept/validate_subscription.h"
#include "gateway/answers.h"
#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/base/mutex.h"
#include "gateway/base/random.h"
#include "gateway/base/status.h"
#include "gateway/base/work_item.h"
#include "gateway/death_count.h"
#include "gateway/deliver/http_poster.h"
#include "gateway/gateway_impl.h"
#include "gateway/metrics.h"

namespace postrider {
namespace {

// The process ends with it after a failed sync: what was written is unknown until it is read again
// (S2). A supervisor starts it anew.
constexpr int kExitStoreFailed = 75;

// Sockets are what deliveries cost: takes as many descriptors as the system grants.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// With a shorter one than they were created with events would go before they may.
absl::Status CheckRetention(const Configuration& configuration, absl::Duration retention) {
  for (const std::shared_ptr<const Subscription>& subscription : configuration.subscriptions) {
    const absl::Status status = ValidateForRetention(subscription->policy, retention);
    if (!status.ok()) {
      return absl::FailedPreconditionError(absl::StrCat("retention: is too short for subscription ",
                                                        subscription->id, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

int LoopCount(int wanted) {
  return wanted > 0 ? wanted
                    : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

// --- Starting ------------------------------------------------------------------------------------

absl::Status Gateway::Impl::Start() {
  RaiseDescriptorLimit();
  ASSIGN_OR_RETURN(guard_, AddressGuard::Create(options_.allow_cidrs, options_.allow_http));
  SqliteOptions store_options;
  store_options.data_dir = options_.data_dir;
  store_options.shard_count = options_.shard_count;
  store_options.read_connections = options_.store_readers;
  store_options.free_bytes_min = options_.store_free_bytes_min;
  ASSIGN_OR_RETURN(store_, OpenSqlite(store_options));
  CountEarlierDeaths(options_.data_dir + "/deaths", store_.store.get(), SystemClock(),
                     SystemRandom());

  GroupCommit::Options commit_options;
  commit_options.on_fatal = [](const std::string& error) {
    LogError(absl::StrCat("the store failed, what it holds must be read again: ", error));
    _exit(kExitStoreFailed);
  };
  commits_ =
      std::make_unique<GroupCommit>(store_.store.get(), SystemClock(), std::move(commit_options),
                                    [this](const CommittedGroup& group) { OnCommitted(group); });
  RETURN_IF_ERROR(MakeLoops());
  reads_ = std::make_unique<ReadPool>(store_.reader.get(), options_.store_readers);
  MakeWatch();
  const DispatchServices services{.clock = SystemClock(),
                                  .random = SystemRandom(),
                                  .commits = commits_.get(),
                                  .reads = reads_.get(),
                                  .events = watch_.get()};
  const DeliveryQueue::Options queue_options{
      .max_in_flight_default = options_.max_in_flight_default,
      .default_schedule = options_.default_schedule,
      .retention = options_.retention};
  const SendTurns::Caps caps{.in_flight = options_.max_in_flight_total,
                             .in_flight_per_origin = options_.max_in_flight_per_origin};
  engine_ =
      std::make_unique<Engine>(LoopParts(), options_.shard_count, services, queue_options, caps);
  MakeAdmins();
  if (absl::Status status = Recover(); !status.ok()) {
    reads_->Stop();
    return status;
  }
  StartThreads();
  engine_->Start();
  VerifyUnverified();
  return absl::OkStatus();
}

void Gateway::Impl::MakeWatch() {
  announcer_ = std::make_unique<Announcer>(SystemClock(), commits_.get(), &organizations_,
                                           &registry_, options_.shard_count);
  watch_ = std::make_unique<SubscriberWatch>(SubscriberWatch::Parts{.clock = SystemClock(),
                                                                    .timer = loops_[0].get(),
                                                                    .commits = commits_.get(),
                                                                    .registry = &registry_,
                                                                    .board = &health_,
                                                                    .announcer = announcer_.get()});
}

void Gateway::Impl::MakeAdmins() {
  admin_ = std::make_unique<SubscriptionAdmin>(
      SubscriptionAdmin::Parts{.clock = SystemClock(),
                               .random = SystemRandom(),
                               .commits = commits_.get(),
                               .engine = engine_.get(),
                               .loops = LoopParts(),
                               .registry = &registry_,
                               .guard = &guard_,
                               .allow_http = options_.allow_http,
                               .retention = options_.retention});
  deliveries_ = std::make_unique<DeliveryAdmin>(DeliveryAdmin::Parts{.clock = SystemClock(),
                                                                     .commits = commits_.get(),
                                                                     .reads = reads_.get(),
                                                                     .engine = engine_.get(),
                                                                     .registry = &registry_,
                                                                     .health = &health_});
  replays_ = std::make_unique<ReplayAdmin>(ReplayAdmin::Parts{.clock = SystemClock(),
                                                              .random = SystemRandom(),
                                                              .commits = commits_.get(),
                                                              .engine = engine_.get(),
                                                              .reads = reads_.get(),
                                                              .registry = &registry_,
                                                              .shard_count = options_.shard_count});
}

absl::Status Gateway::Impl::MakeLoops() {
  for (int i = 0; i < LoopCount(options_.loops); ++i) {
    loops_.push_back(std::make_unique<AsioLoop>());
    HttpPosterOptions poster_options;
    poster_options.guard = guard_;
    poster_options.ca_file = options_.ca_file;
    ASSIGN_OR_RETURN(std::unique_ptr<Poster> poster,
                     NewHttpPoster(loops_.back().get(), std::move(poster_options), SystemClock()));
    posters_.push_back(std::move(poster));
  }
  std::vector<Loop*> loops;
  for (const std::unique_ptr<AsioLoop>& loop : loops_) {
    loops.push_back(loop.get());
  }
  loop_watch_ = std::make_unique<LoopWatch>(std::move(loops), SystemClock());
  return absl::OkStatus();
}

std::vector<Engine::LoopParts> Gateway::Impl::LoopParts() const {
  std::vector<Engine::LoopParts> parts;
  for (size_t i = 0; i < loops_.size(); ++i) {
    parts.push_back({.loop = loops_[i].get(), .poster = posters_[i].get()});
  }
  return parts;
}

absl::Status Gateway::Impl::Recover() {
  ASSIGN_OR_RETURN(const Engine::Recovery recovery,
                   Engine::Read(*store_.reader, options_.shard_count));
  const Configuration& configuration = recovery.configuration;
  for (const std::shared_ptr<const Subscription>& subscription : configuration.subscriptions) {
    registry_.Put(subscription);
  }
  RETURN_IF_ERROR(CheckRetention(configuration, options_.retention));
  for (const PutOrganizationPath& organization : configuration.organizations) {
    organizations_.MarkStored(organization.organization, organization.path);
  }
  engine_->Recover(recovery);
  return absl::OkStatus();
}

void Gateway::Impl::StartThreads() {
  store_thread_ = std::thread([this] { commits_->Run(); });
  checkpoint_thread_ = std::thread([this] { store_.checkpointer->Run(); });
  for (const std::unique_ptr<AsioLoop>& loop : loops_) {
    loop_threads_.emplace_back([loop = loop.get()] {
      const SignalStack stack;
      loop->Run();
    });
  }
}

void Gateway::Impl::VerifyUnverified() {
  for (const SubscriptionRegistry::Record& record : registry_.Unverified()) {
    admin_->Challenge(record, [](const absl::StatusOr<SubscriptionRegistry::Record>&) {});
  }
}

void Gateway::Impl::OnCommitted(const CommittedGroup& group) {
  const std::vector<SubscriptionRegistry::Record> before = registry_.Apply(group.configured);
  engine_->OnCommitted(group);
  for (size_t i = 0; i < group.configured.size(); ++i) {
    if (group.configured[i].subscription != nullptr) {
      watch_->OnChanged(before[i], group.configured[i].subscription);
    }
  }
}

// --- Stopping ------------------------------------------------------------------------------------

void Gateway::Impl::Stop(absl::Duration budget) {
  if (stopping_.exchange(true)) {
    return;
  }
  struct Drained {
    Mutex mutex;
    CondVar wake;
    bool done ABSL_GUARDED_BY(mutex) = false;
  };
  auto drained = std::make_shared<Drained>();
  engine_->Drain([drained] {
    const MutexLock lock(&drained->mutex);
    drained->done = true;
    drained->wake.NotifyAll();
  });
  {
    const absl::Duration end = SystemClock()->Monotonic() + budget;
    const MutexLock lock(&drained->mutex);
    while (!drained->done && SystemClock()->Monotonic() < end) {
      drained->wake.WaitFor(&drained->mutex, end - SystemClock()->Monotonic());
    }
    if (!drained->done) {
      LogWarning("what is still on the wire is left there; it will be sent again");
    }
  }
  commits_->Stop();
  store_thread_.join();
  reads_->Stop();
  for (const std::unique_ptr<AsioLoop>& loop : loops_) {
    loop->Stop();
  }
  for (std::thread& thread : loop_threads_) {
    thread.join();
  }
  store_.checkpointer->Stop();
  checkpoint_thread_.join();
  posters_.clear();
}

// --- Publishing ----------------------------------------------------------------------------------

void Gateway::Impl::Publish(EventInput input, Done<PublishReceipt> done, PublishGate gate) {
  if (stopping_) {
    std::move(done)(WithRetry(absl::UnavailableError("the gateway is stopping"), absl::Seconds(1)));
    return;
  }
  TranslateContext context;
  context.now = SystemClock()->Now();
  context.random = {SystemRandom()->Next(), SystemRandom()->Next()};
  context.body_bytes_max = options_.body_bytes_max;
  const bool path_given = !input.organization_path.empty();
  if (!path_given) {
    context.organization_path = organizations_.Resolve(input.organization);
  }
  absl::StatusOr<std::shared_ptr<const Event>> event = Translate(input, context);
  if (!event.ok()) {
    std::move(done)(event.status());
    return;
  }
  const std::shared_ptr<const Event> accepted = *std::move(event);
  const bool put_path =
      path_given && organizations_.Learn(accepted->organization, accepted->organization_path);
  const ShardId shard = ShardOf(accepted->organization, options_.shard_count);
  commits_->Append(
      shard, accepted, put_path,
      [this, accepted, put_path,
       done = std::move(done)](const absl::StatusOr<Appended>& appended) mutable {
        if (appended.ok() && put_path) {
          organizations_.MarkStored(accepted->organization, accepted->organization_path);
        }
        std::move(done)(ReceiptOf(*accepted, appended));
      },
      std::move(gate));
}

std::string Gateway::Impl::MetricsText() const {
  return FormatMetrics(*engine_, loop_watch_->Silence(), *SystemClock(), commits_->Stats(),
                       store_.checkpointer->Stats(), registry_.size());
}

}  // namespace postrider
