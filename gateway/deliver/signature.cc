// The EVP interface that replaces the deprecated one allocates for each copy of a hash.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "gateway/deliver/signature.h"

#include <openssl/sha.h>

#include <array>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/model/secret.h"

namespace postrider {
namespace {

constexpr size_t kBlockBytes = 64;  // Of SHA-1 and SHA-256 alike.

struct Sha1 {
  using Context = SHA_CTX;
  static constexpr size_t kBytes = SHA_DIGEST_LENGTH;
  static constexpr auto Init = &SHA1_Init;
  static constexpr auto Update = &SHA1_Update;
  static constexpr auto Final = &SHA1_Final;
};

struct Sha256 {
  using Context = SHA256_CTX;
  static constexpr size_t kBytes = SHA256_DIGEST_LENGTH;
  static constexpr auto Init = &SHA256_Init;
  static constexpr auto Update = &SHA256_Update;
  static constexpr auto Final = &SHA256_Final;
};

// RFC 2104, with both paddings of the key hashed in advance.
template <typename Hash>
class Hmac {
 public:
  explicit Hmac(absl::string_view key) {
    std::array<uint8_t, kBlockBytes> block{};
    if (key.size() > kBlockBytes) {
      typename Hash::Context context;
      Hash::Init(&context);
      Hash::Update(&context, key.data(), key.size());
      Hash::Final(block.data(), &context);
    } else {
      key.copy(reinterpret_cast<char*>(block.data()), key.size());
    }
    inner_ = Padded(block, 0x36);
    outer_ = Padded(block, 0x5c);
  }

  // The MAC of the parts one after the other.
  std::array<uint8_t, Hash::kBytes> Of(std::initializer_list<absl::string_view> parts) const {
    std::array<uint8_t, Hash::kBytes> digest;
    typename Hash::Context context = inner_;
    for (const absl::string_view part : parts) {
      Hash::Update(&context, part.data(), part.size());
    }
    Hash::Final(digest.data(), &context);
    context = outer_;
    Hash::Update(&context, digest.data(), digest.size());
    Hash::Final(digest.data(), &context);
    return digest;
  }

 private:
  static typename Hash::Context Padded(std::array<uint8_t, kBlockBytes> block, uint8_t pad) {
    for (uint8_t& byte : block) {
      byte ^= pad;
    }
    typename Hash::Context context;
    Hash::Init(&context);
    Hash::Update(&context, block.data(), block.size());
    return context;
  }

  typename Hash::Context inner_;
  typename Hash::Context outer_;
};

template <size_t kSize>
absl::string_view AsText(const std::array<uint8_t, kSize>& bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

struct Signer::Key {
  explicit Key(const SecretKeys& keys, const std::optional<absl::Time>& expires)
      : webhook(keys.webhook), hub_sha1(keys.hub), hub_sha256(keys.hub), expire_time(expires) {}

  bool LiveAt(absl::Time now) const { return !expire_time.has_value() || *expire_time > now; }

  Hmac<Sha256> webhook;
  Hmac<Sha1> hub_sha1;
  Hmac<Sha256> hub_sha256;
  std::optional<absl::Time> expire_time;
};

Signer::Signer(absl::Span<const Secret> secrets) {
  CHECK(!secrets.empty());
  for (const Secret& secret : secrets) {
    keys_.emplace_back(DeriveKeys(secret.text), secret.expire_time);
  }
}

Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

void Signer::AppendHeaders(const Message& message, std::string* out) const {
  const absl::AlphaNum timestamp(absl::ToUnixSeconds(message.now));
  absl::StrAppend(out, "webhook-id: ", message.id, "\r\nwebhook-timestamp: ", timestamp,
                  "\r\nwebhook-signature:");
  const Key* oldest_live = nullptr;
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
    const bool last_resort = oldest_live == nullptr && std::next(key) == keys_.rend();
    if (!key->LiveAt(message.now) && !last_resort) {
      continue;
    }
    oldest_live = key->LiveAt(message.now) ? &*key : &keys_.back();
    const auto mac =
        oldest_live->webhook.Of({message.id, ".", timestamp.Piece(), ".", message.body});
    absl::StrAppend(out, " v1,", absl::Base64Escape(AsText(mac)));
  }
  const auto sha1 = oldest_live->hub_sha1.Of({message.body});
  const auto sha256 = oldest_live->hub_sha256.Of({message.body});
  absl::StrAppend(out, "\r\nX-Hub-Signature: sha1=", absl::BytesToHexString(AsText(sha1)),
                  "\r\nX-Hub-Signature-256: sha256=", absl::BytesToHexString(AsText(sha256)),
                  "\r\n");
}

}  // namespace postrider
