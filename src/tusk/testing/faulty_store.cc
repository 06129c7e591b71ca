#include "tusk/testing/faulty_store.h"

#include <csignal>
#include <utility>

namespace tusk {
namespace {

class FaultyReader final : public io::ObjectReader {
 public:
  FaultyReader(std::shared_ptr<const io::ObjectReader> reader,
               std::shared_ptr<FaultyStore::Plan> plan)
      : reader_(std::move(reader)), plan_(std::move(plan)) {}
  const std::string& path() const override { return reader_->path(); }
  int64_t size() const override { return reader_->size(); }
  Result<std::unique_ptr<io::ReadHandle>> Read(std::span<const io::ByteRange> ranges,
                                               const OperationContext& context) const override {
    std::unique_ptr<io::ReadHandle> handle;
    ARROW_RETURN_NOT_OK(
        plan_->Do("read", path(), [&] { return reader_->Read(ranges, context).Value(&handle); }));
    return handle;
  }

 private:
  std::shared_ptr<const io::ObjectReader> reader_;
  std::shared_ptr<FaultyStore::Plan> plan_;
};

class FaultyWriter final : public io::ObjectWriter {
 public:
  FaultyWriter(std::unique_ptr<io::ObjectWriter> writer, std::string path,
               std::shared_ptr<FaultyStore::Plan> plan)
      : writer_(std::move(writer)), path_(std::move(path)), plan_(std::move(plan)) {}
  Status Append(std::span<const uint8_t> bytes) override {
    return plan_->Do("append", path_, [&] { return writer_->Append(bytes); });
  }
  int64_t bytes_written() const override { return writer_->bytes_written(); }
  Status Finish() override {
    return plan_->Do("finish", path_, [&] { return writer_->Finish(); });
  }

 private:
  std::unique_ptr<io::ObjectWriter> writer_;
  std::string path_;
  std::shared_ptr<FaultyStore::Plan> plan_;
};

}  // namespace

void FaultyStore::BreakRequest(int64_t n, StoreFault fault, bool and_all_after) {
  Reset();
  plan_->fault = fault;
  plan_->fail_at = n;
  plan_->fail_all_after = and_all_after;
}

void FaultyStore::FailRequest(int64_t n, bool and_all_after) {
  BreakRequest(n, StoreFault::kRefuse, and_all_after);
}

void FaultyStore::KillAtRequest(int64_t n) { BreakRequest(n, StoreFault::kKillBefore); }

void FaultyStore::CallAtRequest(int64_t n, std::function<void()> before) {
  Reset();
  plan_->before = std::move(before);
  plan_->call_at = n;
}

void FaultyStore::Reset() {
  plan_->requests = 0;
  plan_->fail_at = -1;
  plan_->fail_all_after = false;
  plan_->call_at = -1;
  plan_->before = nullptr;
  plan_->has_failed = false;
}

Status FaultyStore::Plan::Do(std::string_view call, std::string_view path,
                             const std::function<Status()>& request) {
  const int64_t n = requests++;
  if (n == call_at) before();
  const int64_t first = fail_at;
  if (first < 0 || n < first || (n > first && !fail_all_after)) return request();
  if (fault == StoreFault::kKillBefore) raise(SIGKILL);
  has_failed = true;
  if (fault != StoreFault::kRefuse) (void)request();
  if (fault == StoreFault::kKillAfter) raise(SIGKILL);
  return IoError("injected failure of request ", n, " (", call, " '", path, "')");
}

std::shared_ptr<io::DeferringStore> FaultyStore::Defer() {
  auto* deferring = dynamic_cast<io::DeferringStore*>(store_.get());
  return std::shared_ptr<FaultyStore>(
      new FaultyStore(deferring == nullptr ? store_ : deferring->Defer(), plan_));
}

Status FaultyStore::Sync(const OperationContext& context) {
  auto* deferring = dynamic_cast<io::DeferringStore*>(store_.get());
  if (deferring == nullptr) return Status::OK();
  return plan_->Do("sync", "", [&] { return deferring->Sync(context); });
}

Status FaultyStore::SyncAndPutIfAbsent(std::string_view path, std::string_view bytes,
                                       const OperationContext& context) {
  auto* deferring = dynamic_cast<io::DeferringStore*>(store_.get());
  if (deferring == nullptr) return PutIfAbsent(path, bytes, context);
  return plan_->Do("sync and put-if-absent", path,
                   [&] { return deferring->SyncAndPutIfAbsent(path, bytes, context); });
}

Result<std::shared_ptr<arrow::Buffer>> FaultyStore::GetIfLastChange(
    std::string_view path, const OperationContext& context) {
  auto* telling = dynamic_cast<io::LastChangeStore*>(store_.get());
  std::shared_ptr<arrow::Buffer> bytes;
  if (telling == nullptr) return bytes;
  ARROW_RETURN_NOT_OK(plan_->Do("get if last change", path, [&] {
    return telling->GetIfLastChange(path, context).Value(&bytes);
  }));
  return bytes;
}

Result<io::OpenedObject> FaultyStore::Open(std::string_view path, int64_t tail_length,
                                           const OperationContext& context) {
  io::OpenedObject object;
  ARROW_RETURN_NOT_OK(plan_->Do(
      "open", path, [&] { return store_->Open(path, tail_length, context).Value(&object); }));
  object.reader = std::make_shared<FaultyReader>(std::move(object.reader), plan_);
  return object;
}

Result<std::unique_ptr<io::ObjectWriter>> FaultyStore::Create(std::string_view path,
                                                              const OperationContext& context) {
  std::unique_ptr<io::ObjectWriter> writer;
  ARROW_RETURN_NOT_OK(
      plan_->Do("create", path, [&] { return store_->Create(path, context).Value(&writer); }));
  return std::make_unique<FaultyWriter>(std::move(writer), std::string(path), plan_);
}

Status FaultyStore::Put(std::string_view path, std::string_view bytes,
                        const OperationContext& context) {
  return plan_->Do("put", path, [&] { return store_->Put(path, bytes, context); });
}

Status FaultyStore::PutIfAbsent(std::string_view path, std::string_view bytes,
                                const OperationContext& context) {
  return plan_->Do("put-if-absent", path,
                   [&] { return store_->PutIfAbsent(path, bytes, context); });
}

Status FaultyStore::LinkIfAbsent(std::string_view source, std::string_view path,
                                 const OperationContext& context) {
  return plan_->Do("link", path, [&] { return store_->LinkIfAbsent(source, path, context); });
}

Result<std::vector<io::ObjectInfo>> FaultyStore::List(std::string_view prefix,
                                                      const OperationContext& context) {
  std::vector<io::ObjectInfo> listed;
  ARROW_RETURN_NOT_OK(
      plan_->Do("list", prefix, [&] { return store_->List(prefix, context).Value(&listed); }));
  return listed;
}

Result<std::vector<std::string>> FaultyStore::ListNames(std::string_view folder,
                                                        const OperationContext& context) {
  std::vector<std::string> names;
  ARROW_RETURN_NOT_OK(plan_->Do("list names", folder,
                                [&] { return store_->ListNames(folder, context).Value(&names); }));
  return names;
}

Result<std::vector<io::ObjectInfo>> FaultyStore::ListUnfinished(std::string_view prefix,
                                                                const OperationContext& context) {
  std::vector<io::ObjectInfo> listed;
  ARROW_RETURN_NOT_OK(plan_->Do("list unfinished", prefix, [&] {
    return store_->ListUnfinished(prefix, context).Value(&listed);
  }));
  return listed;
}

Result<io::ObjectInfo> FaultyStore::Head(std::string_view path, const OperationContext& context) {
  io::ObjectInfo info;
  ARROW_RETURN_NOT_OK(
      plan_->Do("head", path, [&] { return store_->Head(path, context).Value(&info); }));
  return info;
}

Status FaultyStore::Delete(std::string_view path, const OperationContext& context) {
  return plan_->Do("delete", path, [&] { return store_->Delete(path, context); });
}

}  // namespace tusk
