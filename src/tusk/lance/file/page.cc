#include "tusk/lance/file/page.h"

#include <cstring>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {
namespace {

/// No buffers: all rows are null.
class AllNullPage final : public Page {
 public:
  Status CheckShape(const ValueShape& /*shape*/) const override { return Status::OK(); }
  Status Plan(const PageIndex* /*index*/, const PageRequest& /*request*/,
              std::vector<PlannedRead>* /*reads*/) const override {
    return Status::OK();
  }

  Status Decode(const PageIndex* /*index*/, const PageRequest& request,
                std::span<const PlannedRead> /*reads*/,
                std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/,
                ColumnOutput* out) const override {
    if (!request.is_take()) return SetNull(request.position, request.rows.length(), out);
    for (const TakenRow& taken : request.taken) {
      ARROW_RETURN_NOT_OK(SetNull(taken.position, 1, out));
    }
    return Status::OK();
  }

 private:
  static Status SetNull(int64_t position, int64_t count, ColumnOutput* out) {
    ARROW_ASSIGN_OR_RAISE(uint8_t* validity, out->MutableValidity());
    ClearBits(validity, position, count);
    if (out->shape().is_variable) return Status::OK();
    // Nothing uninitialized leaves the reader, not even under a null.
    ARROW_ASSIGN_OR_RAISE(uint8_t* values, out->MutableValues());
    const int64_t row_bits = out->shape().row_bits();
    ClearBits(values, position * row_bits, count * row_bits);
    return Status::OK();
  }
};

}  // namespace

Result<std::unique_ptr<const PageIndex>> Page::ParseIndex(
    std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/, arrow::MemoryPool* /*pool*/) const {
  return std::make_unique<PageIndex>();
}

std::unique_ptr<const Page> MakeAllNullPage() { return std::make_unique<AllNullPage>(); }

Result<std::unique_ptr<const Page>> MakePage(const PageLayout& layout, int64_t num_rows,
                                             std::span<const io::ByteRange> buffers) {
  if (const auto* mini_block = std::get_if<MiniBlockLayout>(&layout.layout)) {
    return MakeMiniBlockPage(*mini_block, num_rows, buffers);
  }
  if (const auto* full_zip = std::get_if<FullZipLayout>(&layout.layout)) {
    return MakeFullZipPage(*full_zip, num_rows, buffers);
  }
  if (const auto* constant = std::get_if<ConstantLayout>(&layout.layout)) {
    return MakeConstantPage(*constant, num_rows, buffers);
  }
  return MakeAllNullPage();
}

}  // namespace tusk::lance
