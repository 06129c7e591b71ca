#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tusk/base/uuid.h"
#include "tusk/io/completed_reads.h"
#include "tusk/io/deferring_store.h"
#include "tusk/io/direct_read.h"
#include "tusk/io/file_read.h"
#include "tusk/io/last_change.h"
#include "tusk/io/object_store.h"
#include "tusk/io/read_plan.h"
#include "tusk/io/scattered_read.h"

namespace tusk::io {
namespace {

namespace fs = std::filesystem;

/// Ends the names of files under construction; List leaves them out.
constexpr std::string_view kTemporarySuffix = ".tusk-tmp";

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

void CountReads(const OperationContext& context, size_t requests, int64_t bytes) {
  if (context.io == nullptr) return;
  context.io->read_requests += static_cast<int64_t>(requests);
  context.io->read_bytes += bytes;
}

Result<std::shared_ptr<arrow::Buffer>> ReadAt(int fd, ByteRange range, std::string_view path,
                                              const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(range.length, context.pool));
  FileRead read{.offset = range.offset, .length = range.length, .into = buffer->mutable_data()};
  ARROW_RETURN_NOT_OK(ReadAll(fd, path, {&read, 1}, context));
  CountReads(context, 1, range.length);
  return buffer;
}

class LocalReader final : public ObjectReader, public DirectReader {
 public:
  LocalReader(std::string path, FileDescriptor fd, int64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return size_; }
  Result<std::unique_ptr<ReadHandle>> Read(std::span<const ByteRange> ranges,
                                           const OperationContext& context) const override {
    ARROW_RETURN_NOT_OK(CheckRanges(ranges, path_, size_));
    std::vector<std::shared_ptr<arrow::Buffer>> buffers;
    if (ranges.size() == 1) {
      ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(fd_.get(), ranges[0], path_, context));
      buffers.push_back(std::move(buffer));
    } else {
      ARROW_ASSIGN_OR_RAISE(ReadPlan plan, ReadPlan::Make(ranges, context.pool));
      ARROW_RETURN_NOT_OK(ReadAll(fd_.get(), path_, plan.reads(), context));
      CountReads(context, plan.reads().size(), plan.bytes());
      buffers = plan.Buffers(ranges);
    }
    return std::make_unique<CompletedReads>(std::move(buffers));
  }
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> ReadDirect(
      std::span<const ByteRange> ranges, std::span<const ReadTarget> targets,
      const OperationContext& context) const override {
    ARROW_RETURN_NOT_OK(CheckRanges(ranges, path_, size_));
    std::vector<ByteRange> of_targets;
    of_targets.reserve(targets.size());
    for (const ReadTarget& target : targets) {
      of_targets.push_back({.offset = target.offset, .length = std::ssize(target.into)});
    }
    ARROW_RETURN_NOT_OK(CheckRanges(of_targets, path_, size_));
    ARROW_ASSIGN_OR_RAISE(ReadPlan plan, ReadPlan::Make(ranges, context.pool));
    std::vector<ReadTarget> all;
    all.reserve(plan.reads().size() + targets.size());
    for (const FileRead& read : plan.reads()) {
      all.push_back({.offset = read.offset, .into = {read.into, static_cast<size_t>(read.length)}});
    }
    all.insert(all.end(), targets.begin(), targets.end());
    ARROW_ASSIGN_OR_RAISE(const ReadVolume volume, ReadScattered(fd_.get(), path_, all, context));
    CountReads(context, volume.requests, volume.bytes);
    return plan.Buffers(ranges);
  }

 private:
  std::string path_;
  FileDescriptor fd_;
  int64_t size_;
};

/// A file in the address space of this process.
class MappedFile final : public arrow::Buffer {
 public:
  static Result<std::shared_ptr<MappedFile>> Open(int fd, int64_t size, std::string_view path) {
    // An empty file cannot be mapped.
    if (size == 0) return std::shared_ptr<MappedFile>(new MappedFile(nullptr, 0));
    void* begin = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (begin == MAP_FAILED) return FailedCall("map", path, errno);
    // Else a page that is missing brings all that is around it, some MB.
    (void)madvise(begin, size, MADV_RANDOM);
    return std::shared_ptr<MappedFile>(new MappedFile(begin, size));
  }
  ~MappedFile() override {
    if (begin_ != nullptr) munmap(begin_, size());
  }

  /// Asks the disk for what is missing of `range`, without to wait.
  void Fetch(ByteRange range) const {
    // Rounded down to whole pages, whatever their size.
    const int64_t begin = range.offset / ReadPlan::kSmall * ReadPlan::kSmall;
    (void)madvise(static_cast<uint8_t*>(begin_) + begin, range.offset + range.length - begin,
                  MADV_WILLNEED);
  }

 private:
  MappedFile(void* begin, int64_t size)
      : arrow::Buffer(static_cast<const uint8_t*>(begin), size), begin_(begin) {}

  void* const begin_;
};

/// Reads without a copy: what it hands out points into the file.
class MappedReader final : public ObjectReader {
 public:
  MappedReader(std::string path, std::shared_ptr<MappedFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return file_->size(); }
  Result<std::unique_ptr<ReadHandle>> Read(std::span<const ByteRange> ranges,
                                           const OperationContext& context) const override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(CheckRanges(ranges, path_, size()));
    std::vector<std::shared_ptr<arrow::Buffer>> buffers;
    buffers.reserve(ranges.size());
    int64_t bytes = 0;
    for (const ByteRange& range : ranges) {
      // For small ranges one more call costs more than it spares when they are cached.
      if (range.length >= ReadPlan::kSmall) file_->Fetch(range);
      buffers.push_back(arrow::SliceBuffer(file_, range.offset, range.length));
      bytes += range.length;
    }
    CountReads(context, ranges.size(), bytes);
    return std::make_unique<CompletedReads>(std::move(buffers));
  }

 private:
  std::string path_;
  std::shared_ptr<MappedFile> file_;
};

/// Makes the entries of a folder durable.
Status SyncFolder(const fs::path& folder) {
  const FileDescriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return FailedCall("open", folder.native(), errno);
  if (fsync(fd.get()) != 0) return FailedCall("sync", folder.native(), errno);
  return Status::OK();
}

Status SyncFile(int fd, const fs::path& path) {
  return fsync(fd) == 0 ? Status::OK() : FailedCall("sync", path.native(), errno);
}

/// What was written and is not durable yet. Threads add at the same time.
class UnsyncedWrites {
 public:
  /// A file that has got its name. It stays open, so that an error of the disk is not forgotten,
  /// and the disk begins. Syncs it at once when too many are open.
  Status Add(FileDescriptor fd, const fs::path& path) {
    (void)sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    const std::lock_guard lock(mutex_);
    folders_.insert(path.parent_path());
    if (files_.size() >= kMostOpen) return SyncFile(fd.get(), path);
    files_.emplace_back(std::move(fd), path);
    return Status::OK();
  }

  /// Syncs all of them.
  Status Sync(const OperationContext& context) { return Sync({}, context); }
  /// The same, and with them a file that has no name yet.
  Status SyncWith(int fd, const fs::path& path, const OperationContext& context) {
    return Sync({{fd, &path}}, context);
  }

 private:
  using File = std::pair<int, const fs::path*>;

  static constexpr size_t kMostOpen = 64;
  static constexpr int kSyncsAtOnce = 16;

  Status Sync(std::vector<File> files, const OperationContext& context) {
    const std::lock_guard lock(mutex_);
    for (const auto& [fd, path] : files_) files.emplace_back(fd.get(), &path);
    const std::vector<fs::path> folders(folders_.begin(), folders_.end());
    const auto sync = [&](int64_t i) {
      if (i >= std::ssize(files)) return SyncFolder(folders[i - std::ssize(files)]);
      return SyncFile(files[i].first, *files[i].second);
    };
    // The kernel makes one flush of the disk of those that are asked for at the same time.
    static const auto* waiting = new std::shared_ptr<Executor>(MakeExecutor(kSyncsAtOnce));
    ARROW_RETURN_NOT_OK((*waiting)->ParallelFor(std::ssize(files) + std::ssize(folders), sync,
                                                context.stop, /*while_waiting=*/nullptr));
    files_.clear();
    folders_.clear();
    return Status::OK();
  }

  std::mutex mutex_;
  std::vector<std::pair<FileDescriptor, fs::path>> files_;
  std::set<fs::path> folders_;
};

/// When what is written becomes durable.
struct Durability {
  bool now = true;
  std::shared_ptr<UnsyncedWrites> later = nullptr;  ///< instead, if given
};

/// Makes the missing folders down to `folder`, each durable in its parent. Never later: whoever
/// finds a folder there takes it to be durable.
Status MakeFolders(const fs::path& folder, bool durable) {
  if (folder.empty()) return Status::OK();
  std::error_code error;
  if (fs::is_directory(folder, error)) return Status::OK();
  ARROW_RETURN_NOT_OK(MakeFolders(folder.parent_path(), durable));
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    return FailedCall("make folder", folder.native(), errno);
  }
  return durable ? SyncFolder(folder.parent_path()) : Status::OK();
}

/// Bytes after which the disk is told to write what it was given.
constexpr int64_t kWriteBackBytes = 4 << 20;

/// Bytes from which on room is asked for ahead of a file's bytes, for how many at a time at the
/// most, and what has to be written at once.
constexpr int64_t kReserveFrom = 1 << 20;
constexpr int64_t kReserveAhead = 8 << 20;
constexpr int64_t kReserveLeast = 64 << 10;

/// A file under a temporary name beside its target, removed unless it got its name.
class LocalWriter final : public ObjectWriter {
 public:
  static Result<std::unique_ptr<LocalWriter>> Open(std::string_view path, Durability durability,
                                                   const OperationContext& context) {
    const fs::path target(path);
    ARROW_RETURN_NOT_OK(MakeFolders(target.parent_path(), durability.now));
    std::string name(".");
    name.append(RandomUuidString()).append(kTemporarySuffix);
    fs::path temporary = target.parent_path() / name;
    FileDescriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.get() < 0) return FailedCall("create", temporary.native(), errno);
    return std::unique_ptr<LocalWriter>(new LocalWriter(target, std::move(temporary), std::move(fd),
                                                        std::move(durability), context));
  }

  ~LocalWriter() override {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  Status Append(std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    Reserve(std::ssize(bytes));
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = write(fd_.get(), bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FailedCall("write", temporary_.native(), errno);
      done += static_cast<size_t>(n);
    }
    bytes_written_ += static_cast<int64_t>(bytes.size());
    if (durability_.now && bytes_written_ - write_back_ >= kWriteBackBytes) {
      // The disk begins while the next bytes are made. A failure shows in fsync.
      (void)sync_file_range(fd_.get(), write_back_, bytes_written_ - write_back_,
                            SYNC_FILE_RANGE_WRITE);
      write_back_ = bytes_written_;
    }
    if (context_.io != nullptr) {
      ++context_.io->write_requests;
      context_.io->write_bytes += static_cast<int64_t>(bytes.size());
    }
    return Status::OK();
  }

  int64_t bytes_written() const override { return bytes_written_; }

  Status Finish() override {
    ARROW_RETURN_NOT_OK(Sync());
    if (rename(temporary_.c_str(), target_.c_str()) != 0) {
      return FailedCall("rename to", target_.native(), errno);
    }
    temporary_.clear();
    return SyncName();
  }

  /// As Finish, but AlreadyExists if the name is taken.
  Status FinishIfAbsent() {
    ARROW_RETURN_NOT_OK(Sync());
    return LinkIfAbsent();
  }

  /// The same, and durable at once, also where that is for later: together with all that waits.
  Status SyncAndFinishIfAbsent() {
    if (durability_.later == nullptr) return FinishIfAbsent();
    ARROW_RETURN_NOT_OK(durability_.later->SyncWith(fd_.get(), temporary_, context_));
    durability_.later = nullptr;
    return LinkIfAbsent();
  }

 private:
  Status LinkIfAbsent() {
    // link() and not open(O_EXCL) on the name: a crash never leaves half an object under it.
    if (link(temporary_.c_str(), target_.c_str()) != 0) {
      if (errno == EEXIST) return AlreadyExists("object '", target_.native(), "' already exists");
      return FailedCall("link", target_.native(), errno);
    }
    return SyncName();
  }

  LocalWriter(fs::path target, fs::path temporary, FileDescriptor fd, Durability durability,
              OperationContext context)
      : target_(std::move(target)),
        temporary_(std::move(temporary)),
        fd_(std::move(fd)),
        durability_(std::move(durability)),
        context_(std::move(context)) {}

  /// Asks for room for `more` bytes and, once a file is large, for some of those that will follow:
  /// the file system then takes a third less time for each. Where it cannot, it makes room as ever.
  /// What comes in small pieces, as the end of a file does, is not worth asking: room that is given
  /// back was made for nothing, which in memory (tmpfs) costs as much as to fill it.
  void Reserve(int64_t more) {
    const int64_t end = bytes_written_ + more;
    if (!can_reserve_ || end <= reserved_ || end < kReserveFrom || more < kReserveLeast) return;
    const int64_t begin = std::max(reserved_, bytes_written_);
    const int64_t ahead = std::min(kReserveAhead, bytes_written_ / 4);
    const int64_t length = std::max(end - begin, ahead);
    can_reserve_ = fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, begin, length) == 0;
    if (can_reserve_) reserved_ = begin + length;
  }

  /// Before the file gets its name.
  Status Sync() const {
    if (reserved_ > bytes_written_ && ftruncate(fd_.get(), bytes_written_) != 0) {
      return FailedCall("give back room of", temporary_.native(), errno);
    }
    if (!durability_.now || durability_.later != nullptr) return Status::OK();
    return SyncFile(fd_.get(), temporary_);
  }

  /// When it has got it.
  Status SyncName() {
    if (durability_.later != nullptr) return durability_.later->Add(std::move(fd_), target_);
    return durability_.now ? SyncFolder(target_.parent_path()) : Status::OK();
  }

  fs::path target_;
  fs::path temporary_;
  FileDescriptor fd_;
  Durability durability_;
  OperationContext context_;
  int64_t bytes_written_ = 0;
  int64_t write_back_ = 0;  ///< bytes that the disk was told to write
  bool can_reserve_ = true;
  int64_t reserved_ = 0;  ///< bytes that have room, unless it is 0
};

ObjectInfo InfoOf(std::string path, const struct stat& state) {
  const auto& time = state.st_mtim;
  // Writers that rename a new file into place give it another inode, others the clock moves.
  return {.path = std::move(path),
          .size = state.st_size,
          .modified_ms = time.tv_sec * int64_t{1000} + time.tv_nsec / 1'000'000,
          .tag = std::to_string(state.st_ino) + "-" + std::to_string(state.st_size) + "-" +
                 std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec)};
}

/// The files below a folder, ascending by path: those that are whole, or those that are not.
Result<std::vector<ObjectInfo>> ListFiles(std::string_view prefix, bool unfinished,
                                          const OperationContext& context) {
  ARROW_RETURN_NOT_OK(context.CheckStop());
  if (context.io != nullptr) ++context.io->list_requests;
  std::vector<ObjectInfo> found;
  std::error_code error;
  const fs::file_status status = fs::status(prefix, error);
  if (!fs::status_known(status)) {
    return IoError("cannot list '", prefix, "': ", error.message());
  }
  if (!fs::is_directory(status)) return found;
  error.clear();
  fs::recursive_directory_iterator it(prefix, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string& path = it->path().native();
    struct stat state;
    // A file may go while the folder is listed: it is then not there.
    if (path.ends_with(kTemporarySuffix) != unfinished) continue;
    if (lstat(path.c_str(), &state) != 0) continue;
    if (!S_ISREG(state.st_mode)) continue;
    found.push_back(InfoOf(path, state));
  }
  if (error) return IoError("cannot list '", prefix, "': ", error.message());
  std::ranges::sort(found, {}, &ObjectInfo::path);
  return found;
}

/// Changes of a folder that are this close to each other may have got their times in any order: the
/// kernel's clock for them moves in steps of up to 10 ms.
constexpr int64_t kClockStepNs = 10'000'000;
/// What GetIfLastChange reads at the most.
constexpr int64_t kMaxSmall = 64 << 10;

int64_t ToNs(const timespec& time) { return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec; }

class LocalStore final : public DeferringStore, public LastChangeStore {
 public:
  explicit LocalStore(const LocalStoreOptions& options,
                      std::shared_ptr<UnsyncedWrites> unsynced = nullptr)
      : options_(options), durability_{.now = options.durable, .later = std::move(unsynced)} {}

  std::shared_ptr<DeferringStore> Defer() override {
    // Without durability there is nothing to put off.
    return std::make_shared<LocalStore>(
        options_, options_.durable ? std::make_shared<UnsyncedWrites>() : nullptr);
  }

  Status Sync(const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    return durability_.later == nullptr ? Status::OK() : durability_.later->Sync(context);
  }

  Result<OpenedObject> Open(std::string_view path, int64_t tail_length,
                            const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const std::string name(path);
    FileDescriptor fd(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return FailedCall("open", path, errno);
    struct stat state;
    if (fstat(fd.get(), &state) != 0) return FailedCall("look at", path, errno);
    if (!S_ISREG(state.st_mode)) return InvalidArgument("'", path, "' is not a regular file");
    const int64_t size = state.st_size;
    const ByteRange tail{.offset = size - std::min(size, tail_length),
                         .length = std::min(size, tail_length)};
    OpenedObject object;
    if (options_.memory_map) {
      ARROW_ASSIGN_OR_RAISE(auto file, MappedFile::Open(fd.get(), size, path));
      object.reader = std::make_shared<MappedReader>(name, std::move(file));
      ARROW_ASSIGN_OR_RAISE(object.tail, object.reader->ReadOne(tail, context));
    } else {
      ARROW_ASSIGN_OR_RAISE(object.tail, ReadAt(fd.get(), tail, path, context));
      object.reader = std::make_shared<LocalReader>(name, std::move(fd), size);
    }
    return object;
  }

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view path,
                                               const OperationContext& context) override {
    return LocalWriter::Open(path, durability_, context);
  }

  Status Put(std::string_view path, std::string_view bytes,
             const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, LocalWriter::Open(path, durability_, context));
    ARROW_RETURN_NOT_OK(writer->Append(AsBytes(bytes)));
    return writer->Finish();
  }

  Status PutIfAbsent(std::string_view path, std::string_view bytes,
                     const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, LocalWriter::Open(path, durability_, context));
    ARROW_RETURN_NOT_OK(writer->Append(AsBytes(bytes)));
    return writer->FinishIfAbsent();
  }

  Status SyncAndPutIfAbsent(std::string_view path, std::string_view bytes,
                            const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(auto writer, LocalWriter::Open(path, durability_, context));
    ARROW_RETURN_NOT_OK(writer->Append(AsBytes(bytes)));
    return writer->SyncAndFinishIfAbsent();
  }

  Status LinkIfAbsent(std::string_view source, std::string_view path,
                      const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (context.io != nullptr) ++context.io->write_requests;
    ARROW_RETURN_NOT_OK(Sync(context));
    const fs::path target(path);
    ARROW_RETURN_NOT_OK(MakeFolders(target.parent_path(), options_.durable));
    if (link(std::string(source).c_str(), target.c_str()) != 0) {
      if (errno == EEXIST) return AlreadyExists("object '", path, "' already exists");
      return FailedCall("link", source, errno);
    }
    return options_.durable ? SyncFolder(target.parent_path()) : Status::OK();
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                       const OperationContext& context) override {
    return ListFiles(prefix, /*unfinished=*/false, context);
  }

  Result<std::vector<std::string>> ListNames(std::string_view folder,
                                             const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (context.io != nullptr) ++context.io->list_requests;
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(std::string(folder).c_str()), closedir);
    if (open == nullptr) {
      if (errno == ENOENT || errno == ENOTDIR) return names;
      return FailedCall("list", folder, errno);
    }
    errno = 0;
    while (const dirent* entry = readdir(open.get())) {
      // Not every file system tells the kind of an entry.
      const bool may_be_file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
      const std::string_view name = entry->d_name;
      if (may_be_file && !name.ends_with(kTemporarySuffix)) names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return FailedCall("list", folder, errno);
    return names;
  }

  Result<std::shared_ptr<arrow::Buffer>> GetIfLastChange(std::string_view path,
                                                         const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (context.io != nullptr) ++context.io->head_requests;
    const fs::path name(path);
    const FileDescriptor fd(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat file;
    struct stat folder;
    if (fd.get() < 0 || fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode)) return nullptr;
    if (stat(name.parent_path().c_str(), &folder) != 0) return nullptr;
    if (file.st_size > kMaxSmall) return nullptr;
    // To put a file there sets both times. Who writes to a file in place sets only one.
    const int64_t between = ToNs(folder.st_mtim) - ToNs(file.st_ctim);
    if (between > kClockStepNs || between < -kClockStepNs) return nullptr;
    return ReadAt(fd.get(), {.offset = 0, .length = file.st_size}, path, context);
  }

  Result<std::vector<ObjectInfo>> ListUnfinished(std::string_view prefix,
                                                 const OperationContext& context) override {
    return ListFiles(prefix, /*unfinished=*/true, context);
  }

  Result<ObjectInfo> Head(std::string_view path, const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (context.io != nullptr) ++context.io->head_requests;
    struct stat state;
    if (stat(std::string(path).c_str(), &state) != 0) return FailedCall("look at", path, errno);
    if (!S_ISREG(state.st_mode))
      return NotFound("no file at '", path, "': it is not a regular file");
    return InfoOf(std::string(path), state);
  }

  Status Delete(std::string_view path, const OperationContext& context) override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    if (context.io != nullptr) ++context.io->delete_requests;
    if (unlink(std::string(path).c_str()) != 0 && errno != ENOENT) {
      return FailedCall("delete", path, errno);
    }
    return Status::OK();
  }

 private:
  static std::span<const uint8_t> AsBytes(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  }

  const LocalStoreOptions options_;
  const Durability durability_;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeLocalStore(const LocalStoreOptions& options) {
  return std::make_shared<LocalStore>(options);
}

}  // namespace tusk::io
