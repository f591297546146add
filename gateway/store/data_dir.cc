#include "gateway/store/data_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/log.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

absl::Status Errno(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("data directory \"", path, "\": ", what, ": ", std::strerror(errno)));
}

// The errno of a sync of the directory; 0: it is synced.
int SyncErrorOf(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    return errno;
  }
  const int error = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  return error;
}

absl::Status SyncDirectory(const std::string& path) {
  errno = SyncErrorOf(path);
  return errno == 0 ? absl::OkStatus() : Errno(path, "can't sync the directory");
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes durable that `path` exists: an earlier process may have died between making it and this.
// Who may not open what is above has not made it; some file systems know no such sync.
absl::Status SyncEntryOf(const std::string& path) {
  const int error = SyncErrorOf(ParentOf(path));
  if (error == 0 || error == EACCES || error == EPERM || error == EINVAL || error == EROFS) {
    return absl::OkStatus();
  }
  errno = error;
  return Errno(ParentOf(path), "can't sync the directory");
}

// Makes `path` and what is missing above it.
absl::Status MakeDirectories(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) {
    return SyncDirectory(ParentOf(path));
  }
  if (errno == EEXIST) {
    return SyncEntryOf(path);
  }
  if (errno != ENOENT || path.find('/') == std::string::npos) {
    return Errno(path, "can't make it");
  }
  RETURN_IF_ERROR(MakeDirectories(ParentOf(path)));
  if (mkdir(path.c_str(), 0700) != 0) {
    return Errno(path, "can't make it");
  }
  return SyncDirectory(ParentOf(path));
}

// Whether nothing but a store's own files is in the directory.
bool HoldsOnlyOurs(const std::string& path) {
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) {
    return false;
  }
  bool ours = true;
  while (const dirent* entry = readdir(directory)) {
    const absl::string_view name = entry->d_name;
    ours = ours && (name == "." || name == ".." || name == "LOCK" || name == "ballast" ||
                    name == "deaths" || absl::StartsWith(name, "postrider.db"));
  }
  closedir(directory);
  return ours;
}

// Keeps other users out: the store holds payloads and secrets.
absl::Status MakePrivate(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return Errno(path, "can't look at it");
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("data directory \"", path, "\": is not a directory"));
  }
  if ((info.st_mode & 0077) == 0) {
    return absl::OkStatus();
  }
  // Not a directory that others use for other things, such as /tmp.
  if (!HoldsOnlyOurs(path)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "data directory \"", path,
        "\": is open to other users and holds other files; the store wants a directory "
        "of its own, or one of mode 0700"));
  }
  return chmod(path.c_str(), 0700) == 0 ? absl::OkStatus() : Errno(path, "can't make it private");
}

std::string ReadPid(int file) {
  char buffer[32];
  const ssize_t size = pread(file, buffer, sizeof(buffer), 0);
  const std::string text(buffer, size > 0 ? static_cast<size_t>(size) : 0);
  return std::string(absl::StripAsciiWhitespace(text));
}

absl::Status TakeLock(const std::string& path, int file) {
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Errno(path, "can't lock it");
    }
    const std::string pid = ReadPid(file);
    return absl::FailedPreconditionError(
        absl::StrCat("data directory \"", path, "\": is in use by process ",
                     pid.empty() ? "(unknown)" : pid, "; stop it, or choose another directory"));
  }
  // The pid only helps whoever is refused: a full disk does not prevent the start.
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(file, 0) != 0 ||
      pwrite(file, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    LogWarning(Errno(path, "can't write to the lock file").message());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDir>> DataDir::Open(const std::string& path_given) {
  std::string path = path_given;
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  if (path.empty()) {
    return absl::FailedPreconditionError("data directory: is empty; a path is needed");
  }
  RETURN_IF_ERROR(MakeDirectories(path));
  RETURN_IF_ERROR(MakePrivate(path));
  const int lock = open((path + "/LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return Errno(path, "can't open the lock file");
  }
  std::unique_ptr<DataDir> directory(new DataDir(path, lock));
  RETURN_IF_ERROR(TakeLock(path, lock));
  // An earlier process's counts: it may be needed before the disk has room for a new one.
  directory->has_ballast_ = access(directory->BallastPath().c_str(), F_OK) == 0;
  return directory;
}

DataDir::~DataDir() { close(lock_); }

uint64_t DataDir::FreeBytes() const {
  struct statvfs info {};
  if (statvfs(path_.c_str(), &info) != 0) {
    return 0;
  }
  return uint64_t{info.f_bavail} * info.f_frsize;
}

void DataDir::FillBallast(uint64_t bytes) {
  if (has_ballast_ || bytes == 0) {
    return;
  }
  const int file = open(BallastPath().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return;
  }
  has_ballast_ = posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0;
  close(file);
  if (!has_ballast_) {
    unlink(BallastPath().c_str());
  }
}

bool DataDir::ReleaseBallast() {
  if (!has_ballast_) {
    return false;
  }
  has_ballast_ = false;
  return unlink(BallastPath().c_str()) == 0;
}

absl::Status DataDir::Sync() const { return SyncDirectory(path_); }

}  // namespace postrider
