#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include "tusk/io/completed_reads.h"
#include "tusk/io/object_store.h"

namespace tusk::io {
namespace {

struct StoredObject {
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t modified_ms;
  uint64_t number;  ///< of the writes so far

  ObjectInfo InfoOf(std::string path) const {
    return {.path = std::move(path),
            .size = bytes->size(),
            .modified_ms = modified_ms,
            .tag = std::to_string(number)};
  }
};

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class MemoryReader final : public ObjectReader {
 public:
  MemoryReader(std::string path, std::shared_ptr<arrow::Buffer> bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)) {}
  const std::string& path() const override { return path_; }
  int64_t size() const override { return bytes_->size(); }
  Result<std::unique_ptr<ReadHandle>> Read(std::span<const ByteRange> ranges,
                                           const OperationContext& context) const override {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_RETURN_NOT_OK(CheckRanges(ranges, path_, size()));
    std::vector<std::shared_ptr<arrow::Buffer>> buffers;
    buffers.reserve(ranges.size());
    for (const ByteRange& range : ranges) {
      buffers.push_back(arrow::SliceBuffer(bytes_, range.offset, range.length));
      if (context.io != nullptr) {
        ++context.io->read_requests;
        context.io->read_bytes += range.length;
      }
    }
    return std::make_unique<CompletedReads>(std::move(buffers));
  }

 private:
  std::string path_;
  std::shared_ptr<arrow::Buffer> bytes_;
};

class MemoryStore final : public ObjectStore, public std::enable_shared_from_this<MemoryStore> {
 public:
  Result<OpenedObject> Open(std::string_view path, int64_t tail_length,
                            const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(StoredObject object, Find(path));
    const int64_t length = std::min(tail_length, object.bytes->size());
    if (context.io != nullptr) {
      ++context.io->read_requests;
      context.io->read_bytes += length;
    }
    return OpenedObject{
        .reader = std::make_shared<MemoryReader>(std::string(path), object.bytes),
        .tail = arrow::SliceBuffer(object.bytes, object.bytes->size() - length, length)};
  }

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view path,
                                               const OperationContext& context) override;

  Status Put(std::string_view path, std::string_view bytes,
             const OperationContext& context) override {
    CountWrite(context, bytes.size());
    Store(path, arrow::Buffer::FromString(std::string(bytes)));
    return Status::OK();
  }

  Status PutIfAbsent(std::string_view path, std::string_view bytes,
                     const OperationContext& context) override {
    CountWrite(context, bytes.size());
    return Insert(path, arrow::Buffer::FromString(std::string(bytes)));
  }

  Status LinkIfAbsent(std::string_view source, std::string_view path,
                      const OperationContext& context) override {
    CountWrite(context, 0);
    ARROW_ASSIGN_OR_RAISE(StoredObject object, Find(source));
    return Insert(path, object.bytes);
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                       const OperationContext& context) override {
    if (context.io != nullptr) ++context.io->list_requests;
    const std::string folder = prefix.empty() ? "" : JoinPath(prefix, "");
    std::lock_guard lock(mutex_);
    std::vector<ObjectInfo> found;
    for (auto it = objects_.lower_bound(folder);
         it != objects_.end() && it->first.starts_with(folder); ++it) {
      found.push_back(it->second.InfoOf(it->first));
    }
    return found;
  }

  Result<std::vector<std::string>> ListNames(std::string_view folder,
                                             const OperationContext& context) override {
    ARROW_ASSIGN_OR_RAISE(const auto objects, List(folder, context));
    std::vector<std::string> names;
    for (const ObjectInfo& object : objects) {
      std::string name = object.path.substr(JoinPath(folder, "").size());
      if (name.find('/') == std::string::npos) names.push_back(std::move(name));
    }
    return names;
  }

  /// An object comes into being whole.
  Result<std::vector<ObjectInfo>> ListUnfinished(std::string_view /*prefix*/,
                                                 const OperationContext& /*context*/) override {
    return std::vector<ObjectInfo>();
  }

  Result<ObjectInfo> Head(std::string_view path, const OperationContext& context) override {
    if (context.io != nullptr) ++context.io->head_requests;
    ARROW_ASSIGN_OR_RAISE(StoredObject object, Find(path));
    return object.InfoOf(std::string(path));
  }

  Status Delete(std::string_view path, const OperationContext& context) override {
    if (context.io != nullptr) ++context.io->delete_requests;
    std::lock_guard lock(mutex_);
    const auto it = objects_.find(path);
    if (it != objects_.end()) objects_.erase(it);
    return Status::OK();
  }

  void Store(std::string_view path, std::shared_ptr<arrow::Buffer> bytes) {
    std::lock_guard lock(mutex_);
    objects_.insert_or_assign(std::string(path),
                              StoredObject{std::move(bytes), NowMs(), ++writes_});
  }

  static void CountWrite(const OperationContext& context, size_t bytes) {
    if (context.io == nullptr) return;
    ++context.io->write_requests;
    context.io->write_bytes += static_cast<int64_t>(bytes);
  }

 private:
  Result<StoredObject> Find(std::string_view path) {
    std::lock_guard lock(mutex_);
    const auto it = objects_.find(path);
    if (it == objects_.end()) return NotFound("no object at '", path, "'");
    return it->second;
  }

  Status Insert(std::string_view path, std::shared_ptr<arrow::Buffer> bytes) {
    std::lock_guard lock(mutex_);
    const auto [it, inserted] =
        objects_.try_emplace(std::string(path), StoredObject{std::move(bytes), NowMs(), ++writes_});
    return inserted ? Status::OK() : AlreadyExists("object '", path, "' already exists");
  }

  std::mutex mutex_;
  uint64_t writes_ = 0;
  std::map<std::string, StoredObject, std::less<>> objects_;
};

class MemoryWriter final : public ObjectWriter {
 public:
  MemoryWriter(std::shared_ptr<MemoryStore> store, std::string path, OperationContext context)
      : store_(std::move(store)), path_(std::move(path)), context_(std::move(context)) {}
  Status Append(std::span<const uint8_t> bytes) override {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    MemoryStore::CountWrite(context_, bytes.size());
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    bytes_written_ += static_cast<int64_t>(bytes.size());
    return Status::OK();
  }
  int64_t bytes_written() const override { return bytes_written_; }
  Status Finish() override {
    store_->Store(path_, arrow::Buffer::FromString(std::move(bytes_)));
    return Status::OK();
  }

 private:
  std::shared_ptr<MemoryStore> store_;
  std::string path_;
  OperationContext context_;
  std::string bytes_;
  int64_t bytes_written_ = 0;
};

Result<std::unique_ptr<ObjectWriter>> MemoryStore::Create(std::string_view path,
                                                          const OperationContext& context) {
  return std::make_unique<MemoryWriter>(shared_from_this(), std::string(path), context);
}

}  // namespace

std::shared_ptr<ObjectStore> MakeMemoryStore() { return std::make_shared<MemoryStore>(); }

}  // namespace tusk::io
