#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace postrider {

// The directory that holds a store: kept from other users and from other processes, with some bytes
// put by for the day the disk is full. Not thread-safe.
class DataDir {
 public:
  // Makes the directory (0700) if need be and locks it until this is destroyed.
  // FAILED_PRECONDITION: another process has it, or it is open to other users and holds other
  // files.
  static absl::StatusOr<std::unique_ptr<DataDir>> Open(const std::string& path);
  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  std::string StorePath() const { return path_ + "/postrider.db"; }

  // Bytes that this user may still write; 0 if the file system does not say.
  uint64_t FreeBytes() const;

  // Takes `bytes` of the disk, to be given back when it is full. A disk that has not so much: none.
  void FillBallast(uint64_t bytes);
  // Gives them back. False: there were none.
  bool ReleaseBallast();

  // Makes the directory's own entries durable.
  absl::Status Sync() const;

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string BallastPath() const { return path_ + "/ballast"; }

  const std::string path_;
  const int lock_;  // A file descriptor that holds the lock.
  bool has_ballast_ = false;
};

}  // namespace postrider
