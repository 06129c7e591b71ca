#include "tusk/iceberg/position_deletes.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "tusk/iceberg/parquet_file.h"
#include "tusk/iceberg/schema.h"

namespace tusk::iceberg {
namespace {

constexpr int64_t kMaxKeptBytes = 64 << 20;

/// The columns of a position delete file (specification, "Position Delete Files").
std::shared_ptr<arrow::Schema> DeleteSchema() {
  return arrow::schema(
      {WithFieldId(arrow::field("file_path", arrow::utf8(), /*nullable=*/false), 2147483546),
       WithFieldId(arrow::field("pos", arrow::int64(), /*nullable=*/false), 2147483545)});
}

}  // namespace

Result<std::shared_ptr<const PositionDeletes::Rows>> PositionDeletes::Load(
    const DeleteFile& file, const OperationContext& context) {
  Kept& kept = kept_[file.path];
  kept.last_use = ++uses_;
  if (kept.rows != nullptr) return kept.rows;
  auto rows = std::make_shared<Rows>();
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        OpenParquet(store_.get(), file.path, {.schema = DeleteSchema()}, context));
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) break;
    const auto& paths = static_cast<const arrow::StringArray&>(*batch->column(0));
    const auto& positions = static_cast<const arrow::Int64Array&>(*batch->column(1));
    // Rows of one data file stand together: its entry is looked up once.
    std::vector<int64_t>* of_path = nullptr;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (of_path == nullptr || paths.GetView(row) != paths.GetView(row - 1)) {
        of_path = &(*rows)[std::string(paths.GetView(row))];
      }
      of_path->push_back(positions.Value(row));
    }
    kept.bytes += batch->num_rows() * static_cast<int64_t>(sizeof(int64_t));
  }
  kept.rows = rows;
  kept_bytes_ += kept.bytes;
  Evict();
  return rows;
}

void PositionDeletes::Evict() {
  while (kept_bytes_ > kMaxKeptBytes && kept_.size() > 1) {
    const auto oldest = std::ranges::min_element(
        kept_, {}, [](const auto& entry) { return entry.second.last_use; });
    kept_bytes_ -= oldest->second.bytes;
    kept_.erase(oldest);
  }
}

Result<std::vector<int64_t>> PositionDeletes::Find(const FileTask& task,
                                                   const OperationContext& context) {
  std::vector<int64_t> positions;
  for (const auto& file : task.deletes) {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto rows, Load(*file, context));
    const auto found = rows->find(task.file.path);
    if (found == rows->end()) continue;
    positions.insert(positions.end(), found->second.begin(), found->second.end());
  }
  std::ranges::sort(positions);
  const auto repeated = std::ranges::unique(positions);
  positions.erase(repeated.begin(), repeated.end());
  if (!positions.empty() && (positions.front() < 0 || positions.back() >= task.file.record_count)) {
    return Corrupt("deletes name row ",
                   positions.front() < 0 ? positions.front() : positions.back(), " of data file '",
                   task.file.path, "', which has ", task.file.record_count, " rows");
  }
  return positions;
}

Result<std::shared_ptr<arrow::RecordBatch>> WithoutRows(
    const std::shared_ptr<arrow::RecordBatch>& batch, int64_t begin,
    const std::vector<int64_t>& deleted, const OperationContext& context) {
  const auto first = std::ranges::lower_bound(deleted, begin);
  const auto last = std::ranges::lower_bound(deleted, begin + batch->num_rows());
  if (first == last) return batch;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateBitmap(batch->num_rows(), context.pool));
  arrow::bit_util::SetBitsTo(bits->mutable_data(), 0, batch->num_rows(), true);
  for (auto it = first; it != last; ++it) {
    arrow::bit_util::ClearBit(bits->mutable_data(), *it - begin);
  }
  static const Status initialized = arrow::compute::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  arrow::compute::ExecContext exec(context.pool);
  ARROW_ASSIGN_OR_RAISE(
      const arrow::Datum kept,
      arrow::compute::Filter(batch, std::make_shared<arrow::BooleanArray>(batch->num_rows(), bits),
                             arrow::compute::FilterOptions::Defaults(), &exec));
  return kept.record_batch();
}

}  // namespace tusk::iceberg
