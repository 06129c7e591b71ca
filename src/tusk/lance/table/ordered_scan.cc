#include "tusk/lance/table/ordered_scan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "tusk/expr/value_order.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;

/// So many rows more than those that may be given are gathered before the others are dropped.
constexpr int64_t kMostSurplus = 64 << 10;

/// Integers in the order of the floats: NaN above all, or below if its sign is set, and -0 below 0.
template <typename Integer>
Result<std::shared_ptr<arrow::Array>> OrderedIntegers(const arrow::Array& floats,
                                                      const std::shared_ptr<arrow::DataType>& type,
                                                      arrow::MemoryPool* pool) {
  const arrow::ArrayData& data = *floats.data();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(floats.length() * int64_t{sizeof(Integer)}, pool));
  auto* to = reinterpret_cast<Integer*>(buffer->mutable_data());
  const auto* from = data.GetValues<Integer>(1);
  for (int64_t i = 0; i < floats.length(); ++i) {
    to[i] = from[i] < 0 ? from[i] ^ std::numeric_limits<Integer>::max() : from[i];
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (floats.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(pool, floats.null_bitmap_data(),
                                                                floats.offset(), floats.length()));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, floats.length(), {std::move(validity), std::move(buffer)}));
}

/// What Arrow can order of a chunk of a column: Arrow itself has NaN beside the nulls.
Result<std::shared_ptr<arrow::Array>> KeyOf(const std::shared_ptr<arrow::Array>& column,
                                            cp::ExecContext* context) {
  switch (column->type_id()) {
    case arrow::Type::HALF_FLOAT:
      return OrderedIntegers<int16_t>(*column, arrow::int16(), context->memory_pool());
    case arrow::Type::FLOAT:
      return OrderedIntegers<int32_t>(*column, arrow::int32(), context->memory_pool());
    case arrow::Type::DOUBLE:
      return OrderedIntegers<int64_t>(*column, arrow::int64(), context->memory_pool());
    case arrow::Type::DICTIONARY: {
      const auto& type = static_cast<const arrow::DictionaryType&>(*column->type());
      ARROW_ASSIGN_OR_RAISE(const arrow::Datum values,
                            cp::Cast(column, type.value_type(), cp::CastOptions::Safe(), context));
      return KeyOf(values.make_array(), context);
    }
    case arrow::Type::EXTENSION:
      return KeyOf(static_cast<const arrow::ExtensionArray&>(*column).storage(), context);
    default:
      return column;
  }
}

/// Whether the values of `type`, or of what it is stored as, have parts.
bool HasParts(const arrow::DataType& type) {
  if (type.id() != arrow::Type::EXTENSION) return expr::HasParts(type);
  return HasParts(*static_cast<const arrow::ExtensionType&>(type).storage_type());
}

/// Numbers in the order of values with parts, in which nulls stand where those of the column do.
Result<std::shared_ptr<arrow::Array>> KeyOfParts(const arrow::ChunkedArray& column,
                                                 const Ordering& by, cp::ExecContext* context) {
  const arrow::ArrayVector& chunks = column.chunks();
  if (chunks.empty()) return arrow::MakeEmptyArray(arrow::int64(), context->memory_pool());
  ARROW_ASSIGN_OR_RAISE(const auto values, arrow::Concatenate(chunks, context->memory_pool()));
  const auto nulls =
      by.nulls_first == by.ascending ? expr::NullOrder::kBelow : expr::NullOrder::kAbove;
  ARROW_ASSIGN_OR_RAISE(const auto ranks, expr::RankValues(*values, nulls, context));
  arrow::Int64Builder builder(context->memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(ranks.size())));
  for (const int64_t rank : ranks) {
    if (rank < 0) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(rank);
    }
  }
  return builder.Finish();
}

class OrderedReader final : public arrow::RecordBatchReader {
 public:
  OrderedReader(std::shared_ptr<arrow::RecordBatchReader> input, RowOrder order,
                OperationContext context)
      : input_(std::move(input)), order_(std::move(order)), context_(std::move(context)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return order_.columns; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    if (failure_.ok() && input_ != nullptr) failure_ = ReadAll();
    ARROW_RETURN_NOT_OK(failure_);
    return batches_ == nullptr ? Status::OK() : batches_->ReadNext(out);
  }

  Status Close() override {
    input_.reset();
    batches_.reset();
    return Status::OK();
  }

 private:
  int64_t most_rows() const {
    constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
    if (!order_.limit) return kAll;
    return *order_.limit > kAll - order_.offset ? kAll : order_.offset + *order_.limit;
  }

  Status ReadAll() {
    const int64_t most = most_rows();
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    int64_t num_rows = 0;
    while (most > 0) {
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_ASSIGN_OR_RAISE(auto batch, input_->Next());
      if (batch == nullptr) break;
      num_rows += batch->num_rows();
      batches.push_back(std::move(batch));
      if (num_rows - most <= std::max(most, kMostSurplus)) continue;
      ARROW_ASSIGN_OR_RAISE(auto first, Sort(std::exchange(batches, {}), 0, most));
      num_rows = first->num_rows();
      batches.push_back(std::move(first));
    }
    ARROW_ASSIGN_OR_RAISE(const auto sorted, Sort(std::move(batches), order_.offset, most));
    input_.reset();
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : order_.columns->fields()) {
      columns.push_back(sorted->GetColumnByName(field->name()));
    }
    const auto given =
        arrow::RecordBatch::Make(order_.columns, sorted->num_rows(), std::move(columns));
    ARROW_ASSIGN_OR_RAISE(const auto table,
                          arrow::Table::FromRecordBatches(order_.columns, {given}));
    auto reader = std::make_shared<arrow::TableBatchReader>(table);
    reader->set_chunksize(order_.batch_rows);
    batches_ = std::move(reader);
    return Status::OK();
  }

  /// The rows [begin, end), as far as there are so many, once all are in order.
  Result<std::shared_ptr<arrow::RecordBatch>> Sort(
      std::vector<std::shared_ptr<arrow::RecordBatch>> batches, int64_t begin, int64_t end) const {
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(input_->schema(), batches));
    batches.clear();
    begin = std::min(begin, table->num_rows());
    end = std::clamp(end, begin, table->num_rows());
    cp::ExecContext exec(context_.pool);
    ARROW_ASSIGN_OR_RAISE(const auto keys, KeysOf(*table, &exec));
    ARROW_ASSIGN_OR_RAISE(const auto order, OrderOf(keys, &exec));
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum rows,
                          cp::Take(std::move(table), order->Slice(begin, end - begin),
                                   cp::TakeOptions::NoBoundsCheck(), &exec));
    if (rows.table()->num_columns() > 0) return rows.table()->CombineChunksToBatch(context_.pool);
    return arrow::RecordBatch::Make(input_->schema(), end - begin, arrow::ArrayVector());
  }

  Result<std::shared_ptr<arrow::Table>> KeysOf(const arrow::Table& table,
                                               cp::ExecContext* exec) const {
    arrow::FieldVector fields;
    arrow::ChunkedArrayVector columns;
    for (const Ordering& by : order_.by) {
      const auto column = table.GetColumnByName(by.column);
      arrow::ArrayVector chunks;
      if (HasParts(*column->type())) {
        ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOfParts(*column, by, exec));
        fields.push_back(arrow::field(std::to_string(fields.size()), arrow::int64()));
        columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks)));
        continue;
      }
      for (const auto& chunk : column->chunks()) {
        ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOf(chunk, exec));
      }
      if (chunks.empty()) {
        ARROW_ASSIGN_OR_RAISE(auto none, arrow::MakeEmptyArray(column->type(), context_.pool));
        ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOf(none, exec));
      }
      fields.push_back(arrow::field(std::to_string(fields.size()), chunks[0]->type()));
      columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks)));
    }
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns),
                              table.num_rows());
  }

  Result<std::shared_ptr<arrow::Array>> OrderOf(const std::shared_ptr<arrow::Table>& keys,
                                                cp::ExecContext* exec) const {
    std::vector<cp::SortKey> by;
    by.reserve(order_.by.size());
    for (size_t i = 0; i < order_.by.size(); ++i) {
      by.emplace_back(
          arrow::FieldRef(static_cast<int>(i)),
          order_.by[i].ascending ? cp::SortOrder::Ascending : cp::SortOrder::Descending,
          order_.by[i].nulls_first ? cp::NullPlacement::AtStart : cp::NullPlacement::AtEnd);
    }
    auto order = cp::SortIndices(arrow::Datum(keys), cp::SortOptions(std::move(by)), exec);
    if (order.ok() || !(order.status().IsTypeError() || order.status().IsNotImplemented())) {
      return order;
    }
    return InvalidArgument("cannot order rows by these columns: ", order.status().message());
  }

  std::shared_ptr<arrow::RecordBatchReader> input_;  ///< null once it was read
  const RowOrder order_;
  const OperationContext context_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  Status failure_;
};

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> MakeOrderedReader(
    std::shared_ptr<arrow::RecordBatchReader> input, RowOrder order, OperationContext context) {
  return std::make_shared<OrderedReader>(std::move(input), std::move(order), std::move(context));
}

}  // namespace tusk::lance
