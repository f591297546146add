#include "server/page_token.h"

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/base/check.h"
#include "gateway/base/status.h"
#include "google/protobuf/descriptor.h"

namespace postrider {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor& Field(const Message& request, const char* name) {
  const FieldDescriptor* field = request.GetDescriptor()->FindFieldByName(name);
  CHECK(field != nullptr);
  return *field;
}

// FNV-1a-64 of what the request asks for, in 16 hexadecimal digits: it shall be the same after a
// restart and on another machine.
std::string Fingerprint(const Message& request) {
  const std::unique_ptr<Message> question(request.New());
  question->CopyFrom(request);
  question->GetReflection()->ClearField(question.get(), &Field(request, "page_size"));
  question->GetReflection()->ClearField(question.get(), &Field(request, "page_token"));
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : question->SerializeAsString()) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return absl::StrFormat("%016x", hash);
}

}  // namespace

absl::StatusOr<size_t> PageSize(int32_t page_size) {
  if (page_size < 0) {
    return InvalidField("page_size", absl::StrCat("is ", page_size, "; it can't be negative"));
  }
  if (page_size == 0) return kPageSizeDefault;
  return std::min(static_cast<size_t>(page_size), kPageSizeMax);
}

std::string EncodePageToken(const Message& request, absl::string_view position) {
  return absl::WebSafeBase64Escape(absl::StrCat(Fingerprint(request), position));
}

absl::StatusOr<std::string> DecodePageToken(const Message& request) {
  const std::string token =
      request.GetReflection()->GetString(request, &Field(request, "page_token"));
  if (token.empty()) return std::string();
  const std::string fingerprint = Fingerprint(request);
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text) || text.size() <= fingerprint.size()) {
    return InvalidField("page_token", "is not a token that this method has answered with");
  }
  if (!absl::StartsWith(text, fingerprint)) {
    return InvalidField("page_token",
                        "belongs to another request; all but page_size must be as it was then");
  }
  return text.substr(fingerprint.size());
}

}  // namespace postrider
