#include "gateway/accept/content_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/base/check.h"

namespace postrider {
namespace {

constexpr uint8_t kEncodingVersion = 1;

// Writes values so that no two different sequences of values give the same bytes: numbers have
// eight bytes, texts and lists their length first, and what may be absent says whether it is there.
class Encoder {
 public:
  void Number(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      bytes_.push_back(static_cast<char>(value >> shift & 0xFF));
    }
  }

  void Text(absl::string_view text) {
    Number(text.size());
    bytes_.append(text.data(), text.size());
  }

  void Texts(const std::vector<std::string>& texts) {
    Number(texts.size());
    for (const std::string& text : texts) Text(text);
  }

  bool Presence(bool present) {
    bytes_.push_back(present ? 1 : 0);
    return present;
  }

  void Time(const std::optional<absl::Time>& time) {
    if (!Presence(time.has_value())) return;
    const int64_t seconds = absl::ToUnixSeconds(*time);
    Number(static_cast<uint64_t>(seconds));
    Number(static_cast<uint64_t>(absl::ToInt64Nanoseconds(*time - absl::FromUnixSeconds(seconds))));
  }

  void Party(const std::optional<ActivityInput::Party>& party) {
    if (!Presence(party.has_value())) return;
    Text(party->id);
    Text(party->type);
    Text(party->name);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

void EncodeActivity(const ActivityInput& activity, Encoder* encoder) {
  if (!encoder->Presence(activity.present)) return;
  encoder->Text(activity.type);
  encoder->Party(activity.actor);
  encoder->Party(activity.object);
  encoder->Party(activity.target);
  encoder->Time(activity.published);
  encoder->Text(activity.summary);
}

void EncodePairs(std::vector<std::pair<absl::string_view, absl::string_view>> pairs,
                 Encoder* encoder) {
  std::sort(pairs.begin(), pairs.end());
  encoder->Number(pairs.size());
  for (const auto& [name, value] : pairs) {
    encoder->Text(name);
    encoder->Text(value);
  }
}

std::string Encode(const EventInput& input) {
  Encoder encoder;
  encoder.Text(input.type);
  encoder.Time(input.time);
  encoder.Text(input.organization);
  encoder.Texts(input.organization_path);
  EncodeActivity(input.activity, &encoder);
  std::vector<std::pair<absl::string_view, absl::string_view>> resources;
  for (const Resource& resource : input.data) resources.emplace_back(resource.name, resource.json);
  EncodePairs(std::move(resources), &encoder);
  EncodePairs({input.links.begin(), input.links.end()}, &encoder);
  encoder.Text(input.ordering_key);
  std::vector<std::string> targets = input.targets;
  std::sort(targets.begin(), targets.end());
  encoder.Texts(targets);
  encoder.Time(input.expire_time);
  return encoder.bytes();
}

}  // namespace

ContentHash HashContent(const EventInput& input) {
  const std::string encoded = Encode(input);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int digest_bytes = 0;
  CHECK(EVP_Digest(encoded.data(), encoded.size(), digest.data(), &digest_bytes, EVP_sha256(),
                   nullptr) == 1);
  ContentHash hash;
  CHECK(digest_bytes >= hash.size() - 1);
  hash[0] = kEncodingVersion;
  std::copy_n(digest.begin(), hash.size() - 1, hash.begin() + 1);
  return hash;
}

}  // namespace postrider
