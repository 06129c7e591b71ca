#include "tusk/io/file_read.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tusk/io/cached_pass.h"

namespace tusk::io {
namespace {

/// Bytes that are on their way from the disk at once.
constexpr int64_t kWindowBytes = int64_t{16} << 20;
/// The kernel is asked for so much at once; of a longer read it sees the rest coming by itself.
constexpr int64_t kMostAhead = int64_t{1} << 20;
/// The disk has so many bytes between two reads sooner than it would have a request more.
constexpr int64_t kMostGap = 8 << 10;

/// Reads what the page cache has of `read`. Errors are left to the plain read that follows. Among
/// them is that of a file system that cannot tell what is cached.
void ReadCached(int fd, FileRead* read) {
  if (read->left() == 0) return;
  const iovec into{.iov_base = read->into + read->done,
                   .iov_len = static_cast<size_t>(read->left())};
  const ssize_t n = preadv2(fd, &into, 1, read->offset + read->done, RWF_NOWAIT);
  if (n > 0) read->done += n;
}

/// Begins the reads of a file: takes what the page cache has, and has the disk fetch the rest.
class Beginning {
 public:
  explicit Beginning(int fd) : fd_(fd) {}

  /// Cares for the first of `reads`. If something is missing of it, asks the disk for it and for
  /// what follows closely, without to wait. The number of reads that are cared for.
  size_t Begin(std::span<FileRead> reads);

 private:
  /// A look that finds nothing costs more than it saves: it makes the kernel fetch a first piece.
  /// So it is left where a few have failed, but for one now and then.
  static constexpr int kMostFailures = 4;
  static constexpr int kOneIn = 16;

  bool MayBeCached() const { return failures_ < kMostFailures || failures_ % kOneIn == 0; }

  int fd_;
  int failures_ = 0;  ///< looks that found nothing or were left out since one that found all
};

size_t Beginning::Begin(std::span<FileRead> reads) {
  FileRead& read = reads[0];
  if (MayBeCached()) ReadCached(fd_, &read);
  if (read.left() == 0) {
    failures_ = 0;
    return 1;
  }
  ++failures_;
  const int64_t begin = read.offset + read.done;
  int64_t end = read.offset + read.length;
  size_t count = 1;
  for (; count < reads.size(); ++count) {
    const FileRead& next = reads[count];
    const int64_t next_end = next.offset + next.length;
    if (next.offset < begin || next.offset - end > kMostGap || next_end - begin > kMostAhead) break;
    end = std::max(end, next_end);
  }
  (void)posix_fadvise(fd_, begin, std::min(end - begin, kMostAhead), POSIX_FADV_WILLNEED);
  return count;
}

/// Tells that no byte is left at `at`. The file may have ended long before.
Status CutShort(int fd, std::string_view path, int64_t at) {
  struct stat now = {};
  const int64_t end = fstat(fd, &now) == 0 ? std::min<int64_t>(now.st_size, at) : at;
  return IoError("'", path, "' ended at byte ", end, " while it was read: was it truncated?");
}

Status Finish(int fd, std::string_view path, FileRead* read) {
  while (read->left() > 0) {
    const int64_t at = read->offset + read->done;
    const ssize_t n = pread(fd, read->into + read->done, read->left(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailedCall("read", path, errno);
    if (n == 0) return CutShort(fd, path, at);
    read->done += n;
  }
  return Status::OK();
}

}  // namespace

Status ReadAll(int fd, std::string_view path, std::span<FileRead> reads,
               const OperationContext& context) {
  int64_t bytes = 0;
  for (const FileRead& read : reads) bytes += read.left();
  if (IsWorthThreads(reads.size(), bytes)) {
    const auto read = [&](size_t i) {
      ReadCached(fd, &reads[i]);
      return reads[i].left() == 0;
    };
    ARROW_RETURN_NOT_OK(TryCached(reads.size(), read, context));
  }
  Beginning beginning(fd);
  size_t begun = 0;
  int64_t under_way = 0;
  for (FileRead& read : reads) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    // A single read needs no look at the cache first.
    while (reads.size() > 1 && begun < reads.size() && under_way < kWindowBytes) {
      for (size_t n = beginning.Begin(reads.subspan(begun)); n > 0; --n) {
        under_way += reads[begun++].length;
      }
    }
    ARROW_RETURN_NOT_OK(Finish(fd, path, &read));
    under_way -= read.length;
  }
  return Status::OK();
}

Status FailedCall(std::string_view call, std::string_view path, int number) {
  if (number == ENOENT) return NotFound("no file at '", path, "'");
  return IoError("cannot ", call, " '", path, "': ", std::generic_category().message(number));
}

}  // namespace tusk::io
