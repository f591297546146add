#include "gateway/store/group_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace postrider {
namespace {

constexpr absl::Duration kRetryMin = absl::Milliseconds(100);
constexpr absl::Duration kRetryMax = absl::Seconds(5);

}  // namespace

size_t PendingAppend::bytes() const {
  // The body, and what an event and its place in the queue cost beside it.
  const size_t strings = event->organization_path.size() + event->targets.size();
  return event->body.size() + event->ordering_key.size() + 64 * strings + 512;
}

void AppendQueue::Push(PendingAppend append) {
  std::unique_ptr<Line>& line = lines_[append.event->organization];
  if (line == nullptr) {
    line = std::make_unique<Line>();
    turns_.push_back(line.get());
  }
  const size_t bytes = append.bytes();
  line->bytes += bytes;
  bytes_ += bytes;
  ++count_;
  line->waiting.push_back(std::move(append));
}

void AppendQueue::Take(size_t bytes_max, std::vector<PendingAppend>* taken) {
  size_t bytes = 0;
  taken->reserve(std::min(count_, bytes_max / 1024));
  while (!turns_.empty()) {
    Line* const line = turns_.front();
    PendingAppend& append = line->waiting.front();
    const size_t cost = append.bytes();
    if (bytes + cost > bytes_max && !taken->empty()) {
      return;
    }
    bytes += cost;
    line->bytes -= cost;
    bytes_ -= cost;
    --count_;
    turns_.pop_front();
    taken->push_back(std::move(append));
    line->waiting.pop_front();
    if (line->waiting.empty()) {
      lines_.erase(taken->back().event->organization);
    } else {
      turns_.push_back(line);
    }
  }
}

size_t AppendQueue::bytes_of(absl::string_view organization) const {
  const auto found = lines_.find(organization);
  return found == lines_.end() ? 0 : found->second->bytes;
}

BatchQueue::Lane* BatchQueue::At(std::optional<ShardId> shard) {
  const size_t index = LaneOf(shard);
  if (index >= lanes_.size()) {
    lanes_.resize(index + 1);
  }
  return &lanes_[index];
}

void BatchQueue::Push(PendingBatch batch) {
  At(batch.batch.shard)->waiting.push_back(std::move(batch));
  ++count_;
}

void BatchQueue::Take(absl::Duration now, std::vector<PendingBatch>* taken) {
  taken->reserve(count_);
  for (Lane& lane : lanes_) {
    if (lane.waiting.empty() || lane.not_before > now) {
      continue;
    }
    count_ -= lane.waiting.size();
    std::move(lane.waiting.begin(), lane.waiting.end(), std::back_inserter(*taken));
    lane.waiting.clear();
  }
}

void BatchQueue::Return(absl::Duration now, std::vector<PendingBatch> batches) {
  count_ += batches.size();
  std::vector<std::vector<PendingBatch>> returned;
  for (PendingBatch& batch : batches) {
    const size_t lane = LaneOf(batch.batch.shard);
    At(batch.batch.shard);
    returned.resize(lanes_.size());
    returned[lane].push_back(std::move(batch));
  }
  for (size_t i = 0; i < returned.size(); ++i) {
    if (returned[i].empty()) {
      continue;
    }
    Lane& lane = lanes_[i];
    std::move(lane.waiting.begin(), lane.waiting.end(), std::back_inserter(returned[i]));
    lane.waiting = std::move(returned[i]);
    lane.delay = std::clamp(2 * lane.delay, kRetryMin, kRetryMax);
    lane.not_before = now + lane.delay;
  }
}

void BatchQueue::Succeeded(std::optional<ShardId> shard) {
  Lane* const lane = At(shard);
  lane->delay = absl::ZeroDuration();
  lane->not_before = absl::ZeroDuration();
}

bool BatchQueue::HeldUp(ShardId shard, absl::Duration now) const {
  const size_t index = LaneOf(shard);
  return index < lanes_.size() && !lanes_[index].waiting.empty() && lanes_[index].not_before > now;
}

bool BatchQueue::Ready(absl::Duration now) const {
  return count_ > 0 && std::any_of(lanes_.begin(), lanes_.end(), [now](const Lane& lane) {
           return !lane.waiting.empty() && lane.not_before <= now;
         });
}

absl::Duration BatchQueue::NextRetry(absl::Duration now) const {
  absl::Duration next = absl::InfiniteDuration();
  for (const Lane& lane : lanes_) {
    if (!lane.waiting.empty() && lane.not_before > now) {
      next = std::min(next, lane.not_before);
    }
  }
  return next;
}

}  // namespace postrider
