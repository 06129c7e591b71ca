#include "tusk/io/file_read.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tusk::io {
namespace {

/// Bytes that are on their way from the disk at once.
constexpr int64_t kWindowBytes = int64_t{16} << 20;
/// The kernel is asked for so much at once; of a longer read it sees the rest coming by itself.
constexpr int64_t kMostAhead = int64_t{1} << 20;
/// The disk has so many bytes between two reads sooner than it would have a request more.
constexpr int64_t kMostGap = 16 << 10;

/// Reads what the page cache has of the first of `reads`. If something is missing, asks the disk
/// for it and for what follows closely, without to wait. The number of reads that are cared for.
size_t Begin(int fd, std::span<FileRead> reads) {
  FileRead& read = reads[0];
  const iovec into{.iov_base = read.into, .iov_len = static_cast<size_t>(read.length)};
  const ssize_t n = preadv2(fd, &into, 1, read.offset, RWF_NOWAIT);
  // Errors are left to the plain read that follows. Among them is that of a file system that
  // cannot tell what is cached.
  if (n > 0) read.done = n;
  if (read.left() == 0) return 1;
  const int64_t begin = read.offset + read.done;
  int64_t end = read.offset + read.length;
  size_t count = 1;
  for (; count < reads.size(); ++count) {
    const FileRead& next = reads[count];
    const int64_t next_end = next.offset + next.length;
    if (next.offset < begin || next.offset - end > kMostGap || next_end - begin > kMostAhead) break;
    end = std::max(end, next_end);
  }
  (void)posix_fadvise(fd, begin, std::min(end - begin, kMostAhead), POSIX_FADV_WILLNEED);
  return count;
}

Status Finish(int fd, std::string_view path, FileRead* read) {
  while (read->left() > 0) {
    const int64_t at = read->offset + read->done;
    const ssize_t n = pread(fd, read->into + read->done, read->left(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailedCall("read", path, errno);
    if (n == 0) {
      return IoError("'", path, "' ended at byte ", at, " while it was read: was it truncated?");
    }
    read->done += n;
  }
  return Status::OK();
}

}  // namespace

Status ReadAll(int fd, std::string_view path, std::span<FileRead> reads,
               const OperationContext& context) {
  size_t begun = 0;
  int64_t under_way = 0;
  for (FileRead& read : reads) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    // A single read needs no look at the cache first.
    while (reads.size() > 1 && begun < reads.size() && under_way < kWindowBytes) {
      for (size_t n = Begin(fd, reads.subspan(begun)); n > 0; --n) {
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
