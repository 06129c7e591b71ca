#include "tusk/lance/table/sort_rows.h"

#include <algorithm>
#include <concepts>
#include <limits>
#include <queue>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/extension_type.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/decimal.h>

#include "tusk/expr/value_order.h"

namespace tusk::lance {
namespace {

namespace cp = arrow::compute;

/// Rows that Arrow sorts at once, which nothing can interrupt.
constexpr int64_t kRunRows = 256 << 10;
/// Rows that are merged between two looks at the stop token.
constexpr int64_t kRowsPerLook = 64 << 10;

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

/// Less than, equal to or greater than 0 as two values that are there.
using CompareFunction = int (*)(const arrow::Array&, int64_t, const arrow::Array&, int64_t);

template <typename ArrayType>
int CompareValues(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  const auto value = [](const arrow::Array& array, int64_t row) {
    return static_cast<const ArrayType&>(array).GetView(row);
  };
  const auto left = value(a, i);
  const auto right = value(b, j);
  return left < right ? -1 : (right < left ? 1 : 0);
}

template <typename ArrayType, typename Decimal>
int CompareDecimals(const arrow::Array& a, int64_t i, const arrow::Array& b, int64_t j) {
  const auto value = [](const arrow::Array& array, int64_t row) {
    return Decimal(static_cast<const ArrayType&>(array).GetValue(row));
  };
  const Decimal left = value(a, i);
  const Decimal right = value(b, j);
  return left < right ? -1 : (right < left ? 1 : 0);
}

/// How values of the type are compared; null for types that are not known here.
CompareFunction FindCompare(arrow::Type::type type) {
  switch (type) {
    case arrow::Type::BOOL:
      return &CompareValues<arrow::BooleanArray>;
    case arrow::Type::INT8:
      return &CompareValues<arrow::Int8Array>;
    case arrow::Type::INT16:
      return &CompareValues<arrow::Int16Array>;
    case arrow::Type::INT32:
      return &CompareValues<arrow::Int32Array>;
    case arrow::Type::INT64:
      return &CompareValues<arrow::Int64Array>;
    case arrow::Type::UINT8:
      return &CompareValues<arrow::UInt8Array>;
    case arrow::Type::UINT16:
      return &CompareValues<arrow::UInt16Array>;
    case arrow::Type::UINT32:
      return &CompareValues<arrow::UInt32Array>;
    case arrow::Type::UINT64:
      return &CompareValues<arrow::UInt64Array>;
    case arrow::Type::DATE32:
      return &CompareValues<arrow::Date32Array>;
    case arrow::Type::DATE64:
      return &CompareValues<arrow::Date64Array>;
    case arrow::Type::TIME32:
      return &CompareValues<arrow::Time32Array>;
    case arrow::Type::TIME64:
      return &CompareValues<arrow::Time64Array>;
    case arrow::Type::TIMESTAMP:
      return &CompareValues<arrow::TimestampArray>;
    case arrow::Type::DURATION:
      return &CompareValues<arrow::DurationArray>;
    case arrow::Type::BINARY:
    case arrow::Type::STRING:
      return &CompareValues<arrow::BinaryArray>;
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::LARGE_STRING:
      return &CompareValues<arrow::LargeBinaryArray>;
    case arrow::Type::FIXED_SIZE_BINARY:
      return &CompareValues<arrow::FixedSizeBinaryArray>;
    case arrow::Type::DECIMAL128:
      return &CompareDecimals<arrow::Decimal128Array, arrow::Decimal128>;
    case arrow::Type::DECIMAL256:
      return &CompareDecimals<arrow::Decimal256Array, arrow::Decimal256>;
    default:
      return nullptr;
  }
}

/// A column by which rows are ordered, as Arrow can order it.
struct Key {
  std::shared_ptr<arrow::ChunkedArray> values;
  bool ascending = true;
  bool nulls_first = false;
  CompareFunction compare = nullptr;
};

Result<std::vector<Key>> FindKeys(const arrow::Table& table, const std::vector<Ordering>& by,
                                  cp::ExecContext* exec) {
  std::vector<Key> keys;
  for (const Ordering& ordering : by) {
    const auto column = table.GetColumnByName(ordering.column);
    arrow::ArrayVector chunks;
    const bool has_parts = HasParts(*column->type());
    if (has_parts) {
      ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOfParts(*column, ordering, exec));
    }
    for (const auto& chunk : has_parts ? arrow::ArrayVector() : column->chunks()) {
      ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOf(chunk, exec));
    }
    if (chunks.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto none, arrow::MakeEmptyArray(column->type(), exec->memory_pool()));
      ARROW_ASSIGN_OR_RAISE(chunks.emplace_back(), KeyOf(none, exec));
    }
    const CompareFunction compare = FindCompare(chunks[0]->type_id());
    keys.push_back({.values = std::make_shared<arrow::ChunkedArray>(std::move(chunks)),
                    .ascending = ordering.ascending,
                    .nulls_first = ordering.nulls_first,
                    .compare = compare});
  }
  return keys;
}

/// The numbers of the rows of a table of nothing but the keys, in order.
Result<std::shared_ptr<arrow::Array>> SortAtOnce(const std::shared_ptr<arrow::Table>& values,
                                                 const std::vector<Key>& keys,
                                                 cp::ExecContext* exec) {
  std::vector<cp::SortKey> by;
  by.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    by.emplace_back(arrow::FieldRef(static_cast<int>(i)),
                    keys[i].ascending ? cp::SortOrder::Ascending : cp::SortOrder::Descending,
                    keys[i].nulls_first ? cp::NullPlacement::AtStart : cp::NullPlacement::AtEnd);
  }
  auto order = cp::SortIndices(arrow::Datum(values), cp::SortOptions(std::move(by)), exec);
  if (order.ok() || !(order.status().IsTypeError() || order.status().IsNotImplemented())) {
    return order;
  }
  return InvalidArgument("cannot order rows by these columns: ", order.status().message());
}

/// Rows that follow each other in the table, in order among themselves.
struct Run {
  int64_t begin = 0;                          ///< the number of the first
  arrow::ArrayVector keys;                    ///< of these rows alone
  std::shared_ptr<arrow::UInt64Array> order;  ///< numbers inside of the run
  int64_t next = 0;                           ///< of `order`

  int64_t row() const { return static_cast<int64_t>(order->Value(next)); }
};

/// Less than, equal to or greater than 0 as the next row of `a` comes before, with or after that of
/// `b`.
int Compare(const std::vector<Key>& keys, const Run& a, const Run& b) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const Key& key = keys[i];
    const bool a_is_null = a.keys[i]->IsNull(a.row());
    const bool b_is_null = b.keys[i]->IsNull(b.row());
    if (a_is_null && b_is_null) continue;
    if (a_is_null || b_is_null) return a_is_null == key.nulls_first ? -1 : 1;
    const int found = key.compare(*a.keys[i], a.row(), *b.keys[i], b.row());
    if (found != 0) return key.ascending ? found : -found;
  }
  return 0;
}

Result<Run> SortRun(const std::vector<Key>& keys, int64_t begin, int64_t length,
                    const OperationContext& context) {
  Run run{.begin = begin, .keys = {}, .order = nullptr};
  arrow::FieldVector fields;
  for (const Key& key : keys) {
    const auto slice = key.values->Slice(begin, length);
    ARROW_ASSIGN_OR_RAISE(run.keys.emplace_back(),
                          slice->num_chunks() == 1
                              ? Result<std::shared_ptr<arrow::Array>>(slice->chunk(0))
                              : arrow::Concatenate(slice->chunks(), context.pool));
    fields.push_back(arrow::field(std::to_string(fields.size()), key.values->type()));
  }
  cp::ExecContext exec(context.pool);
  const auto table = arrow::Table::Make(arrow::schema(std::move(fields)), run.keys, length);
  ARROW_ASSIGN_OR_RAISE(auto order, SortAtOnce(table, keys, &exec));
  run.order = std::static_pointer_cast<arrow::UInt64Array>(std::move(order));
  return run;
}

/// So many that the texts of a key do not outgrow offsets of 32 bits.
int64_t RunRows(const std::vector<Key>& keys, int64_t num_rows) {
  constexpr int64_t kMostRunBytes = 1 << 30;
  int64_t most = kRunRows;
  for (const Key& key : keys) {
    const int64_t bytes = arrow::util::TotalBufferSize(*key.values);
    most = std::min(most, kMostRunBytes / (bytes / std::max<int64_t>(1, num_rows) + 1) + 1);
  }
  return most;
}

/// The first `most` of the rows of all runs.
Result<std::shared_ptr<arrow::Array>> Merge(const std::vector<Key>& keys, std::vector<Run> runs,
                                            int64_t most, const OperationContext& context) {
  const auto comes_later = [&](const Run* a, const Run* b) {
    const int found = Compare(keys, *a, *b);
    return found != 0 ? found > 0 : a->begin > b->begin;
  };
  std::priority_queue<Run*, std::vector<Run*>, decltype(comes_later)> heads(comes_later);
  for (Run& run : runs) heads.push(&run);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(most * int64_t{sizeof(uint64_t)}, context.pool));
  auto* out = reinterpret_cast<uint64_t*>(buffer->mutable_data());
  for (int64_t i = 0; i < most; ++i) {
    if (i % kRowsPerLook == 0) ARROW_RETURN_NOT_OK(context.CheckStop());
    Run* run = heads.top();
    heads.pop();
    out[i] = static_cast<uint64_t>(run->begin + run->row());
    if (++run->next < run->order->length()) heads.push(run);
  }
  return std::make_shared<arrow::UInt64Array>(most, std::move(buffer));
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> SortRows(const arrow::Table& table,
                                               const std::vector<Ordering>& by, int64_t most,
                                               const OperationContext& context) {
  // Arrow's sort is there only after that.
  static const Status initialized = cp::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  cp::ExecContext exec(context.pool);
  ARROW_ASSIGN_OR_RAISE(const std::vector<Key> keys, FindKeys(table, by, &exec));
  const int64_t num_rows = table.num_rows();
  most = std::min(most, num_rows);
  const bool are_comparable = std::ranges::all_of(keys, [](const Key& key) { return key.compare; });
  const int64_t run_rows =
      are_comparable ? RunRows(keys, num_rows) : std::max<int64_t>(1, num_rows);
  std::vector<Run> runs(std::max<int64_t>(1, (num_rows + run_rows - 1) / run_rows));
  const auto sort = [&](int64_t i) -> Status {
    const int64_t begin = i * run_rows;
    const int64_t length = std::min(run_rows, num_rows - begin);
    ARROW_ASSIGN_OR_RAISE(runs[i], SortRun(keys, begin, length, context));
    return Status::OK();
  };
  if (runs.size() == 1) {
    ARROW_RETURN_NOT_OK(sort(0));
    return runs[0].order->Slice(0, most);
  }
  ARROW_RETURN_NOT_OK(context.executor->ParallelFor(std::ssize(runs), sort, context.stop, nullptr));
  return Merge(keys, std::move(runs), most, context);
}

}  // namespace tusk::lance
