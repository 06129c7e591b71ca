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
    ARROW_RETURN_NOT_OK(store_->Count("read", path()));
    return reader_->Read(ranges, context);
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
    ARROW_RETURN_NOT_OK(store_->Count("append", path_));
    return writer_->Append(bytes);
  }
  int64_t bytes_written() const override { return writer_->bytes_written(); }
  Status Finish() override {
    ARROW_RETURN_NOT_OK(store_->Count("finish", path_));
    return writer_->Finish();
  }

 private:
  std::unique_ptr<io::ObjectWriter> writer_;
  std::string path_;
  FaultyStore* store_;
};

}  // namespace

void FaultyStore::FailRequest(int64_t n, bool and_all_after) {
  Reset();
  fail_at_ = n;
  fail_all_after_ = and_all_after;
}

void FaultyStore::KillAtRequest(int64_t n) {
  Reset();
  kill_ = true;
  fail_at_ = n;
}

void FaultyStore::Reset() {
  requests_ = 0;
  fail_at_ = -1;
  fail_all_after_ = false;
  kill_ = false;
  has_failed_ = false;
}

Status FaultyStore::Count(std::string_view call, std::string_view path) {
  const int64_t n = requests_++;
  const int64_t fail_at = fail_at_;
  if (fail_at < 0 || n < fail_at || (n > fail_at && !fail_all_after_)) return Status::OK();
  if (kill_) raise(SIGKILL);
  has_failed_ = true;
  return IoError("injected failure of request ", n, " (", call, " '", path, "')");
}

Result<io::OpenedObject> FaultyStore::Open(std::string_view path, int64_t tail_length,
                                           const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("open", path));
  ARROW_ASSIGN_OR_RAISE(io::OpenedObject object, store_->Open(path, tail_length, context));
  object.reader = std::make_shared<FaultyReader>(std::move(object.reader), this);
  return object;
}

Result<std::unique_ptr<io::ObjectWriter>> FaultyStore::Create(std::string_view path,
                                                              const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("create", path));
  ARROW_ASSIGN_OR_RAISE(auto writer, store_->Create(path, context));
  return std::make_unique<FaultyWriter>(std::move(writer), std::string(path), this);
}

Status FaultyStore::Put(std::string_view path, std::string_view bytes,
                        const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("put", path));
  return store_->Put(path, bytes, context);
}

Status FaultyStore::PutIfAbsent(std::string_view path, std::string_view bytes,
                                const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("put-if-absent", path));
  return store_->PutIfAbsent(path, bytes, context);
}

Status FaultyStore::LinkIfAbsent(std::string_view source, std::string_view path,
                                 const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("link", path));
  return store_->LinkIfAbsent(source, path, context);
}

Result<std::vector<io::ObjectInfo>> FaultyStore::List(std::string_view prefix,
                                                      const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("list", prefix));
  return store_->List(prefix, context);
}

Result<io::ObjectInfo> FaultyStore::Head(std::string_view path, const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("head", path));
  return store_->Head(path, context);
}

Status FaultyStore::Delete(std::string_view path, const OperationContext& context) {
  ARROW_RETURN_NOT_OK(Count("delete", path));
  return store_->Delete(path, context);
}

}  // namespace tusk
