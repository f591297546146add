#include "gateway/deliver/prepared_endpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/version.h"

namespace postrider {
namespace {

// Whether it can stand in a header line: nothing in it ends the line.
bool IsFieldValue(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || !absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

bool IsToken(absl::string_view text) {
  constexpr absl::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains(kOthers, c);
  });
}

bool HasHeader(const Subscription& subscription, absl::string_view name) {
  return std::any_of(
      subscription.headers.begin(), subscription.headers.end(),
      [&](const Header& header) { return absl::EqualsIgnoreCase(header.name, name); });
}

std::string WriteFields(const Subscription& subscription, const Url& url) {
  std::string out;
  const auto append = [&](absl::string_view name, absl::string_view value) {
    absl::StrAppend(&out, name, ": ", value, "\r\n");
  };
  append("Host", url.authority());
  if (!HasHeader(subscription, "User-Agent")) {
    append("User-Agent", absl::StrCat("Postrider/", kVersion));
  }
  if (!HasHeader(subscription, "Accept")) {
    append("Accept", "*/*");
  }
  append("Accept-Encoding", "identity");
  if (url.has_credentials && !HasHeader(subscription, "Authorization")) {
    append("Authorization", absl::StrCat("Basic ", absl::Base64Escape(url.credentials)));
  }
  for (const Header& header : subscription.headers) {
    // Checked when the subscription was made; never may one end the header early.
    if (IsToken(header.name) && IsFieldValue(header.value)) {
      append(header.name, header.value);
    }
  }
  return out;
}

}  // namespace

PreparedEndpoint::PreparedEndpoint(const Subscription& subscription, const Url& url,
                                   std::shared_ptr<Origin> origin)
    : origin_(std::move(origin)),
      timeout_(subscription.policy.timeout),
      target_(url.target),
      fields_(WriteFields(subscription, url)),
      signer_(subscription.secrets) {}

void PreparedEndpoint::WritePost(const Event& event, int attempt_number, absl::Time now,
                                 std::string* out) const {
  out->clear();
  absl::StrAppend(out, "POST ", target_, " HTTP/1.1\r\n", fields_);
  absl::StrAppend(out, "Content-Type: application/json\r\nContent-Length: ", event.body.size(),
                  "\r\nX-Postrider-Attempt: ", attempt_number, "\r\n");
  if (IsFieldValue(event.type)) {
    absl::StrAppend(out, "X-Postrider-Event: ", event.type, "\r\n");
  }
  if (!event.traceparent.empty() && IsFieldValue(event.traceparent)) {
    absl::StrAppend(out, "traceparent: ", event.traceparent, "\r\n");
  }
  const std::string id = event.id.ToString();
  signer_->AppendHeaders({.id = id, .now = now, .body = event.body}, out);
  out->append("\r\n");
}

void PreparedEndpoint::WriteChallenge(absl::string_view challenge, std::string* out) const {
  out->clear();
  const absl::string_view separator = absl::StrContains(target_, '?') ? "&" : "?";
  absl::StrAppend(out, "GET ", target_, separator, "type=subscribe&challenge=", challenge,
                  " HTTP/1.1\r\n", fields_, "\r\n");
}

}  // namespace postrider
