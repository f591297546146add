#include "gateway/base/read_file.h"

#include <array>
#include <cstddef>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content;
  std::array<char, 4096> block;
  while (file.good() && content.size() <= kFileBytesMax) {
    // Not by an istreambuf_iterator, which lets the stream's exceptions out.
    file.read(block.data(), block.size());
    content.append(block.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return absl::NotFoundError(absl::StrCat("can't read the file ", path));
  }
  if (content.size() > kFileBytesMax) {
    return InvalidField(path, absl::StrCat("is too long a file; the limit is ", kFileBytesMax));
  }
  return content;
}

}  // namespace postrider
