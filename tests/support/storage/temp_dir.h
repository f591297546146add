#pragma once

#include <string>

namespace postrider {

// A directory of its own for a test, with what is in it for as long as this object lives.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace postrider
