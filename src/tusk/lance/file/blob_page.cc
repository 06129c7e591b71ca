#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/column_output.h"
#include "tusk/lance/file/page.h"

namespace tusk::lance {
namespace {

/// u64 position, u64 size.
constexpr int64_t kDescriptorBytes = 16;

/// Descriptors that are decoded already.
class Descriptors final : public PendingValues {
 public:
  Descriptors(ColumnOutput values, const uint8_t* data) : values_(std::move(values)), data_(data) {}

  int64_t num_slots() const override { return values_.num_rows(); }
  Status DecodeInto(int64_t position, ColumnOutput* out) const override {
    ARROW_ASSIGN_OR_RAISE(uint8_t* to, out->MutableValues());
    if (num_slots() > 0) {
      std::memcpy(to + position * kDescriptorBytes, data_, num_slots() * kDescriptorBytes);
    }
    return Status::OK();
  }

 private:
  ColumnOutput values_;
  const uint8_t* data_;
};

/// A page of where values lie in the file. One without a value has size 0 and, as its position,
/// its repetition level and, 16 bits up, its definition level; so an empty value has position 0.
class BlobPage final : public Page {
 public:
  BlobPage(Layers layers, std::unique_ptr<const Page> descriptors)
      : Page(layers), descriptors_(std::move(descriptors)) {}

  Status CheckShape(const ValueShape& shape) const override {
    return descriptors_->CheckShape(shape);
  }
  std::vector<io::ByteRange> index_ranges() const override { return descriptors_->index_ranges(); }
  Result<std::unique_ptr<const PageIndex>> ParseIndex(
      std::span<const std::shared_ptr<arrow::Buffer>> bytes,
      arrow::MemoryPool* pool) const override {
    return descriptors_->ParseIndex(bytes, pool);
  }
  Status Plan(const PageIndex* /*index*/, const PageRequest& /*request*/,
              std::vector<PlannedRead>* /*reads*/) const override {
    return Corrupt("blob page in a column without blobs");
  }
  Status Decode(const PageIndex* /*index*/, const PageRequest& /*request*/,
                std::span<const PlannedRead> /*reads*/,
                std::span<const std::shared_ptr<arrow::Buffer>> /*bytes*/,
                ColumnOutput* /*out*/) const override {
    return Corrupt("blob page in a column without blobs");
  }
  Status PlanRuns(const PageIndex* index, std::span<const RowRange> runs,
                  std::vector<PlannedRead>* reads) const override {
    std::vector<TakenRow> rows;
    return descriptors_->Plan(index, RequestOf(runs, &rows), reads);
  }
  Result<std::unique_ptr<const PendingValues>> Unravel(
      const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
      std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
      Structure* structure) const override;

 private:
  /// The rows of `runs`: several as single ones, listed in `rows`, so that what holds more than one
  /// run is read and decoded once.
  static PageRequest RequestOf(std::span<const RowRange> runs, std::vector<TakenRow>* rows) {
    PageRequest request;
    if (runs.size() == 1) {
      request.rows = runs[0];
      return request;
    }
    for (const RowRange& run : runs) {
      for (int64_t row = run.begin; row < run.end; ++row) {
        rows->push_back({.row = row, .position = std::ssize(*rows)});
      }
    }
    request.taken = *rows;
    return request;
  }

  std::unique_ptr<const Page> descriptors_;
};

Result<std::unique_ptr<const PendingValues>> BlobPage::Unravel(
    const PageIndex* index, std::span<const RowRange> runs, std::span<const PlannedRead> reads,
    std::span<const std::shared_ptr<arrow::Buffer>> bytes, arrow::MemoryPool* pool,
    Structure* structure) const {
  int64_t num_rows = 0;
  for (const RowRange& run : runs) num_rows += run.length();
  ColumnOutput values(BlobDescriptorShape(), num_rows, pool);
  std::vector<TakenRow> rows;
  ARROW_RETURN_NOT_OK(descriptors_->Decode(index, RequestOf(runs, &rows), reads, bytes, &values));
  ARROW_ASSIGN_OR_RAISE(const uint8_t* data, values.MutableValues());
  std::vector<uint16_t> definition(num_rows);
  for (int64_t row = 0; row < num_rows; ++row) {
    const auto position = LoadLittle<uint64_t>(data + row * kDescriptorBytes);
    const auto size = LoadLittle<uint64_t>(data + row * kDescriptorBytes + sizeof(uint64_t));
    if (size != 0) continue;
    if ((position & 0xFFFF) != 0 || position >> 32 != 0) {
      return Corrupt("blob descriptor of no bytes has position ", position);
    }
    definition[row] = static_cast<uint16_t>(position >> 16);
  }
  ARROW_RETURN_NOT_OK(structure->Append(
      meaning(), {.repetition = nullptr, .definition = definition.data(), .count = num_rows}));
  return std::make_unique<Descriptors>(std::move(values), data);
}

}  // namespace

ValueShape BlobDescriptorShape() {
  ValueShape shape;
  shape.bits = kDescriptorBytes * 8;
  shape.packed_fields = {{.is_variable = false, .bits = 64}, {.is_variable = false, .bits = 64}};
  return shape;
}

Result<std::unique_ptr<const Page>> MakeBlobPage(const BlobLayout& layout, Layers layers,
                                                 int64_t num_rows,
                                                 std::span<const io::ByteRange> buffers) {
  if (LevelMeaning(layers).max_repetition() > 0) {
    return Unsupported("blobs in lists are not supported");
  }
  const std::vector<LevelLayer>& inner = layout.inner->layers;
  if (inner.size() != 1 || IsList(inner[0])) {
    return Corrupt("descriptors of a blob page with ", inner.size(), " layers, of which ",
                   std::ranges::count_if(inner, IsList), " are lists");
  }
  ARROW_ASSIGN_OR_RAISE(auto descriptors, MakePage(*layout.inner, num_rows, buffers));
  return std::make_unique<BlobPage>(layers, std::move(descriptors));
}

}  // namespace tusk::lance
