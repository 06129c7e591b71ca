#include "tusk/lance/file/array/field_reads.h"

#include <utility>

#include <arrow/array/data.h>

namespace tusk::lance {

Status FieldReads::Plan(std::vector<io::ByteRange>* ranges) {
  planned_.clear();
  for (const auto& read : reads_) {
    const size_t before = ranges->size();
    ARROW_RETURN_NOT_OK(read->Plan(ranges));
    planned_.push_back(ranges->size() - before);
  }
  return Status::OK();
}

Status FieldReads::Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
  for (size_t i = 0; i < reads_.size(); ++i) {
    if (planned_[i] == 0) continue;
    ARROW_RETURN_NOT_OK(reads_[i]->Accept(bytes.first(planned_[i])));
    bytes = bytes.subspan(planned_[i]);
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::ArrayData>> FieldReads::Finish(size_t i) {
  const std::unique_ptr<FieldRead> read = std::move(reads_[i]);
  return read->Finish();
}

}  // namespace tusk::lance
