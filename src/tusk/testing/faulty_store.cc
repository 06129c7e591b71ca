#include "tusk/testing/faulty_store.h"

#include <csignal>
#include <utility>

namespace tusk {
namespace {

class FaultyReader final : public io::ObjectReader {
 public:
  FaultyReader(std::shared_ptr<const io::ObjectReader> reader, FaultyStore* store)
      : reader_(std::move(reader)), store_(store) {}
  const std::string& path() const override { return reader_->path(); }
  int64_t size() const override { return reader_->size(); }
  Result<std::unique_ptr<io::ReadHandle>> Read(std::span<const io::ByteRange> ranges,
                                               const OperationContext& context) const override {
    std::unique_ptr<io::ReadHandle> handle;
    ARROW_RETURN_NOT_OK(
        store_->Do("read", path(), [&] { return reader_->Read(ranges, context).Value(&handle); }));
    return handle;
  }

 private:
  std::shared_ptr<const io::ObjectReader> reader_;
  FaultyStore* store_;
};

class FaultyWriter final : public io::ObjectWriter {
 public:
  FaultyWriter(std::unique_ptr<io::ObjectWriter> writer, std::string path, FaultyStore* store)
      : writer_(std::move(writer)), path_(std::move(path)), store_(store) {}
  Status Append(std::span<const uint8_t> bytes) override {
    return store_->Do("append", path_, [&] { return writer_->Append(bytes); });
  }
  int64_t bytes_written() const override { return writer_->bytes_written(); }
  Status Finish() override {
    return store_->Do("finish", path_, [&] { return writer_->Finish(); });
  }

 private:
  std::unique_ptr<io::ObjectWriter> writer_;
  std::string path_;
  FaultyStore* store_;
};

}  // namespace

void FaultyStore::BreakRequest(int64_t n, StoreFault fault, bool and_all_after) {
  Reset();
  fault_ = fault;
  fail_at_ = n;
  fail_all_after_ = and_all_after;
}

void FaultyStore::FailRequest(int64_t n, bool and_all_after) {
  BreakRequest(n, StoreFault::kRefuse, and_all_after);
}

void FaultyStore::KillAtRequest(int64_t n) { BreakRequest(n, StoreFault::kKillBefore); }

void FaultyStore::CallAtRequest(int64_t n, std::function<void()> before) {
  Reset();
  before_ = std::move(before);
  call_at_ = n;
}

void FaultyStore::Reset() {
  requests_ = 0;
  fail_at_ = -1;
  fail_all_after_ = false;
  call_at_ = -1;
  before_ = nullptr;
  has_failed_ = false;
}

Status FaultyStore::Do(std::string_view call, std::string_view path,
                       const std::function<Status()>& request) {
  const int64_t n = requests_++;
  if (n == call_at_) before_();
  const int64_t fail_at = fail_at_;
  if (fail_at < 0 || n < fail_at || (n > fail_at && !fail_all_after_)) return request();
  if (fault_ == StoreFault::kKillBefore) raise(SIGKILL);
  has_failed_ = true;
  if (fault_ != StoreFault::kRefuse) (void)request();
  if (fault_ == StoreFault::kKillAfter) raise(SIGKILL);
  return IoError("injected failure of request ", n, " (", call, " '", path, "')");
}

Result<io::OpenedObject> FaultyStore::Open(std::string_view path, int64_t tail_length,
                                           const OperationContext& context) {
  io::OpenedObject object;
  ARROW_RETURN_NOT_OK(
      Do("open", path, [&] { return store_->Open(path, tail_length, context).Value(&object); }));
  object.reader = std::make_shared<FaultyReader>(std::move(object.reader), this);
  return object;
}

Result<std::unique_ptr<io::ObjectWriter>> FaultyStore::Create(std::string_view path,
                                                              const OperationContext& context) {
  std::unique_ptr<io::ObjectWriter> writer;
  ARROW_RETURN_NOT_OK(
      Do("create", path, [&] { return store_->Create(path, context).Value(&writer); }));
  return std::make_unique<FaultyWriter>(std::move(writer), std::string(path), this);
}

Status FaultyStore::Put(std::string_view path, std::string_view bytes,
                        const OperationContext& context) {
  return Do("put", path, [&] { return store_->Put(path, bytes, context); });
}

Status FaultyStore::PutIfAbsent(std::string_view path, std::string_view bytes,
                                const OperationContext& context) {
  return Do("put-if-absent", path, [&] { return store_->PutIfAbsent(path, bytes, context); });
}

Status FaultyStore::LinkIfAbsent(std::string_view source, std::string_view path,
                                 const OperationContext& context) {
  return Do("link", path, [&] { return store_->LinkIfAbsent(source, path, context); });
}

Result<std::vector<io::ObjectInfo>> FaultyStore::List(std::string_view prefix,
                                                      const OperationContext& context) {
  std::vector<io::ObjectInfo> listed;
  ARROW_RETURN_NOT_OK(
      Do("list", prefix, [&] { return store_->List(prefix, context).Value(&listed); }));
  return listed;
}

Result<std::vector<io::ObjectInfo>> FaultyStore::ListUnfinished(std::string_view prefix,
                                                                const OperationContext& context) {
  std::vector<io::ObjectInfo> listed;
  ARROW_RETURN_NOT_OK(Do("list unfinished", prefix, [&] {
    return store_->ListUnfinished(prefix, context).Value(&listed);
  }));
  return listed;
}

Result<io::ObjectInfo> FaultyStore::Head(std::string_view path, const OperationContext& context) {
  io::ObjectInfo info;
  ARROW_RETURN_NOT_OK(Do("head", path, [&] { return store_->Head(path, context).Value(&info); }));
  return info;
}

Status FaultyStore::Delete(std::string_view path, const OperationContext& context) {
  return Do("delete", path, [&] { return store_->Delete(path, context); });
}

}  // namespace tusk
