#include "tusk/lance/file/array/column_read.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <arrow/array/array_base.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

/// InvalidArgument if the texts of all arrays are too many for their offsets.
Status CheckTextBytes(const arrow::DataType& storage, const arrow::ArrayVector& arrays) {
  if (!arrow::is_binary_like(storage.id())) return Status::OK();
  int64_t total = 0;
  int64_t num_rows = 0;
  for (const auto& array : arrays) {
    total += array->data()->GetValues<int32_t>(1)[array->length()];
    num_rows += array->length();
  }
  if (total <= std::numeric_limits<int32_t>::max()) return Status::OK();
  return InvalidArgument("values of ", storage.ToString(), " in ", num_rows,
                         " rows exceed 2 GiB: read fewer rows");
}

class ColumnRead final : public FieldRead {
 public:
  static Result<std::unique_ptr<FieldRead>> Make(const ArrayColumn& column, ArrayRequest request) {
    auto read = std::make_unique<ColumnRead>();
    ARROW_ASSIGN_OR_RAISE(auto parts, SplitByPage(column, request.runs));
    for (PageRuns& part : parts) {
      ArrayRequest of_page = {
          .runs = std::move(part.runs), .type = request.type, .pool = request.pool};
      auto page = MakeArrayRead(part.page->encoding, std::move(of_page));
      if (!page.ok()) return AtPage(page.status(), *part.page);
      read->parts_.push_back({.page = part.page, .read = *std::move(page), .planned = 0});
    }
    read->request_ = std::move(request);
    return read;
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    for (Part& part : parts_) {
      const size_t before = ranges->size();
      const Status status = part.read->Plan(ranges);
      if (!status.ok()) return AtPage(status, *part.page);
      part.planned = ranges->size() - before;
    }
    return Status::OK();
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    for (Part& part : parts_) {
      if (part.planned == 0) continue;
      const Status status = part.read->Accept(bytes.first(part.planned));
      if (!status.ok()) return AtPage(status, *part.page);
      bytes = bytes.subspan(part.planned);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    arrow::ArrayVector arrays;
    for (Part& part : parts_) {
      auto array = part.read->Finish();
      if (!array.ok()) return AtPage(array.status(), *part.page);
      part.read = nullptr;
      arrays.push_back(arrow::MakeArray(*std::move(array)));
    }
    if (arrays.empty()) {
      ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::MakeEmptyArray(request_.type, request_.pool));
      return empty->data();
    }
    if (arrays.size() == 1) return arrays[0]->data();
    ARROW_RETURN_NOT_OK(CheckTextBytes(request_.storage(), arrays));
    ARROW_ASSIGN_OR_RAISE(const auto all, arrow::Concatenate(arrays, request_.pool));
    return all->data();
  }

 private:
  struct Part {
    const ArrayColumn::Page* page;
    std::unique_ptr<FieldRead> read;
    size_t planned;
  };

  ArrayRequest request_;
  std::vector<Part> parts_;
};

/// Descriptors, then the bytes that they point to.
class BlobRead final : public FieldRead {
 public:
  BlobRead(int64_t file_size, ArrayRequest request, std::unique_ptr<FieldRead> descriptors)
      : file_size_(file_size), request_(std::move(request)), descriptors_(std::move(descriptors)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override {
    if (descriptors_ == nullptr) return Status::OK();
    const size_t before = ranges->size();
    ARROW_RETURN_NOT_OK(descriptors_->Plan(ranges));
    if (ranges->size() > before) return Status::OK();
    return PlanBlobs(ranges);
  }

  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    if (descriptors_ != nullptr) return descriptors_->Accept(bytes);
    uint8_t* to = blobs_->mutable_data();
    for (const auto& blob : bytes) {
      std::memcpy(to, blob->data(), static_cast<size_t>(blob->size()));
      to += blob->size();
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    const int64_t num_rows = request_.num_values();
    const int64_t null_count = CountZeroBits(validity_->data(), 0, num_rows);
    return arrow::ArrayData::Make(
        request_.type, num_rows,
        {null_count > 0 ? validity_ : nullptr, std::move(offsets_), std::move(blobs_)}, null_count);
  }

 private:
  Status PlanBlobs(std::vector<io::ByteRange>* ranges) {
    ARROW_ASSIGN_OR_RAISE(const auto descriptors, descriptors_->Finish());
    descriptors_ = nullptr;
    return arrow::is_large_binary_like(request_.storage().id())
               ? PlanBlobs<int64_t>(*descriptors, ranges)
               : PlanBlobs<int32_t>(*descriptors, ranges);
  }

  template <typename Offset>
  Status PlanBlobs(const arrow::ArrayData& descriptors, std::vector<io::ByteRange>* ranges) {
    const auto* positions = descriptors.child_data[0]->GetValues<uint64_t>(1);
    const auto* sizes = descriptors.child_data[1]->GetValues<uint64_t>(1);
    const int64_t num_rows = descriptors.length;
    ARROW_ASSIGN_OR_RAISE(validity_, arrow::AllocateBuffer(BytesForBits(num_rows), request_.pool));
    std::memset(validity_->mutable_data(), 0xFF, static_cast<size_t>(validity_->size()));
    ARROW_ASSIGN_OR_RAISE(
        offsets_, arrow::AllocateBuffer((num_rows + 1) * int64_t{sizeof(Offset)}, request_.pool));
    auto* offsets = reinterpret_cast<Offset*>(offsets_->mutable_data());
    offsets[0] = 0;
    const auto file_size = static_cast<uint64_t>(file_size_);
    uint64_t total = 0;
    for (int64_t i = 0; i < num_rows; ++i) {
      if (sizes[i] == 0) {
        // Empty blobs say 0, null ones 1.
        if (positions[i] == 1) ClearBit(validity_->mutable_data(), i);
      } else {
        // Blobs do not share their bytes, so together they are no more than the file.
        if (sizes[i] > file_size - total || positions[i] > file_size - sizes[i]) {
          return Corrupt("blob of ", sizes[i], " bytes at ", positions[i], " behind ", total,
                         " bytes of others in a file of ", file_size);
        }
        total += sizes[i];
        ranges->push_back({.offset = static_cast<int64_t>(positions[i]),
                           .length = static_cast<int64_t>(sizes[i])});
      }
      if (total > static_cast<uint64_t>(std::numeric_limits<Offset>::max())) {
        return InvalidArgument("values of ", request_.type->ToString(), " in ", num_rows,
                               " rows exceed 2 GiB: read fewer rows");
      }
      offsets[i + 1] = static_cast<Offset>(total);
    }
    ARROW_ASSIGN_OR_RAISE(blobs_,
                          arrow::AllocateBuffer(static_cast<int64_t>(total), request_.pool));
    return Status::OK();
  }

  int64_t file_size_;
  ArrayRequest request_;
  std::unique_ptr<FieldRead> descriptors_;
  std::shared_ptr<arrow::Buffer> validity_;
  std::shared_ptr<arrow::Buffer> offsets_;
  std::shared_ptr<arrow::Buffer> blobs_;
};

}  // namespace

Result<std::vector<PageRuns>> SplitByPage(const ArrayColumn& column,
                                          const std::vector<RowRange>& runs) {
  std::vector<PageRuns> parts;
  if (runs.empty()) return parts;
  if (runs.back().end > column.num_rows) {
    return Corrupt("row ", runs.back().end - 1, " is asked of a column that has ", column.num_rows);
  }
  auto page =
      std::ranges::upper_bound(column.pages, runs[0].begin, {}, &ArrayColumn::Page::first_row) - 1;
  for (const RowRange& run : runs) {
    for (int64_t row = run.begin; row < run.end;) {
      while (row >= page->first_row + page->num_rows) ++page;
      const int64_t end = std::min(run.end, page->first_row + page->num_rows);
      if (parts.empty() || parts.back().page != &*page) {
        parts.push_back({.page = &*page, .runs = {}});
      }
      parts.back().runs.push_back({.begin = row - page->first_row, .end = end - page->first_row});
      row = end;
    }
  }
  return parts;
}

Status AtPage(const Status& status, const ArrayColumn::Page& page) {
  return WithContext(status, "page " + std::to_string(page.number));
}

Result<std::unique_ptr<FieldRead>> MakeColumnRead(const ArrayColumn& column, ArrayRequest request) {
  return ColumnRead::Make(column, std::move(request));
}

Result<std::unique_ptr<FieldRead>> MakeBlobRead(const ArrayColumn& column, ArrayRequest request) {
  if (!arrow::is_base_binary_like(request.storage().id())) {
    return Corrupt("blobs are no ", request.type->ToString());
  }
  ArrayRequest descriptors = request;
  descriptors.type = arrow::struct_(
      {arrow::field("position", arrow::uint64()), arrow::field("size", arrow::uint64())});
  ARROW_ASSIGN_OR_RAISE(auto read, MakeColumnRead(column, std::move(descriptors)));
  return std::make_unique<BlobRead>(column.file_size, std::move(request), std::move(read));
}

}  // namespace tusk::lance
