#include "tusk/lance/table/take.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/chunk_resolver.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/byte_size.h>

#include "tusk/lance/dataset.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/fragment_reader.h"

namespace tusk::lance {
namespace {

/// Below so many rows a take stays on the caller's thread.
constexpr size_t kRowsWorthThreads = 512;

/// The rows of one fragment, and where in the answer each goes.
struct FragmentRows {
  size_t fragment = 0;
  std::vector<int64_t> rows;
  std::vector<int64_t> positions;

  /// Brings the rows into ascending order.
  void Sort();
};

void FragmentRows::Sort() {
  if (std::ranges::is_sorted(rows)) return;
  std::vector<std::pair<int64_t, int64_t>> sorted;  // and their positions
  sorted.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) sorted.emplace_back(rows[i], positions[i]);
  std::ranges::sort(sorted);
  for (size_t i = 0; i < rows.size(); ++i) std::tie(rows[i], positions[i]) = sorted[i];
}

/// What a take asks for, by fragment.
class Split {
 public:
  /// The row `row` of fragment number `fragment` is the next of the answer.
  void Add(size_t fragment, int64_t row) {
    FragmentRows& part = parts_[fragment];
    part.fragment = fragment;
    part.rows.push_back(row);
    part.positions.push_back(num_rows_++);
  }
  /// Fragments in table order.
  std::vector<FragmentRows> Finish() {
    std::vector<FragmentRows> parts;
    parts.reserve(parts_.size());
    for (auto& [fragment, part] : parts_) parts.push_back(std::move(part));
    return parts;
  }

 private:
  std::map<size_t, FragmentRows> parts_;
  int64_t num_rows_ = 0;
};

/// By position in scan order.
Result<std::vector<FragmentRows>> SplitRows(const Dataset::State& dataset,
                                            std::span<const int64_t> rows) {
  Split split;
  for (const int64_t row : rows) {
    if (row < 0 || row >= dataset.num_rows()) {
      return InvalidArgument("cannot take row ", row, ": version ", dataset.manifest.version,
                             " of ", dataset.location.path, " has ", dataset.num_rows(), " rows");
    }
    // The last fragment that begins at or before the row; empty ones begin where the next does.
    const auto after = std::ranges::upper_bound(dataset.first_rows, row);
    const size_t fragment = after - dataset.first_rows.begin() - 1;
    split.Add(fragment, row - dataset.first_rows[fragment]);
  }
  return split.Finish();
}

/// By row address, without those that are deleted; rows are counted with them.
Result<std::vector<FragmentRows>> SplitAddresses(const Dataset::State& dataset,
                                                 std::span<const uint64_t> addresses,
                                                 const OperationContext& context) {
  const std::vector<Fragment>& fragments = dataset.manifest.fragments;
  Split split;
  auto fragment = fragments.end();  // of the address before, and its deleted rows
  std::shared_ptr<const DeletedRows> deleted;
  for (const uint64_t address : addresses) {
    const auto offset = static_cast<int64_t>(address & 0xFFFFFFFF);
    if (fragment == fragments.end() || fragment->id != address >> 32) {
      fragment = std::ranges::lower_bound(fragments, address >> 32, {}, &Fragment::id);
      if (fragment != fragments.end() && fragment->id == address >> 32) {
        ARROW_ASSIGN_OR_RAISE(deleted, dataset.FindDeletedRows(*fragment, context));
      }
    }
    if (fragment == fragments.end() || fragment->id != address >> 32 ||
        offset >= fragment->physical_rows) {
      return InvalidArgument("cannot take row address ", address, ": version ",
                             dataset.manifest.version, " of ", dataset.location.path,
                             " has no row ", offset, " in a fragment ", address >> 32);
    }
    if (deleted != nullptr && deleted->Contains(offset)) continue;
    split.Add(fragment - fragments.begin(), offset);
  }
  return split.Finish();
}

/// The addresses of the rows with these stable ids; those that no fragment has are left out.
Result<std::vector<uint64_t>> FindAddresses(const Dataset::State& dataset,
                                            std::span<const uint64_t> ids) {
  std::vector<uint64_t> sorted(ids.begin(), ids.end());
  std::ranges::sort(sorted);
  std::unordered_map<uint64_t, uint64_t> address_of;
  address_of.reserve(ids.size());
  for (const Fragment& fragment : dataset.manifest.fragments) {
    ARROW_ASSIGN_OR_RAISE(const auto row_ids, dataset.RowIds(fragment));
    row_ids->Find(sorted, [&](uint64_t id, int64_t offset) {
      address_of[id] = fragment.id << 32 | static_cast<uint64_t>(offset);
    });
  }
  std::vector<uint64_t> addresses;
  for (const uint64_t id : ids) {
    const auto found = address_of.find(id);
    if (found != address_of.end()) addresses.push_back(found->second);
  }
  return addresses;
}

/// Whether rows of the column are better copied one by one than by Arrow's Take, which joins the
/// chunks first.
Result<bool> HasWideRows(const arrow::ChunkedArray& column) {
  constexpr int64_t kWideRowBytes = 4096;
  const arrow::Type::type type = column.type()->id();
  if (!arrow::is_base_binary_like(type) && type != arrow::Type::FIXED_SIZE_LIST &&
      type != arrow::Type::FIXED_SIZE_BINARY) {
    return false;
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(column));
  // Offsets of 32 bits must hold what comes of it.
  return bytes / column.length() >= kWideRowBytes && bytes < std::numeric_limits<int32_t>::max();
}

/// The rows with the numbers `order` of a column; each is copied once.
Result<std::shared_ptr<arrow::ChunkedArray>> CopyRows(const arrow::ChunkedArray& column,
                                                      std::span<const int64_t> order,
                                                      arrow::MemoryPool* pool) {
  const arrow::ChunkResolver chunks(column.chunks());
  arrow::ArrayVector rows;
  rows.reserve(order.size());
  for (const int64_t row : order) {
    const arrow::ChunkLocation place = chunks.Resolve(row);
    const int chunk = static_cast<int>(place.chunk_index);
    rows.push_back(column.chunk(chunk)->Slice(place.index_in_chunk, 1));
  }
  ARROW_ASSIGN_OR_RAISE(auto copied, arrow::Concatenate(rows, pool));
  return std::make_shared<arrow::ChunkedArray>(std::move(copied));
}

/// `table` holds the rows of `parts` one after the other; gives them the places they were asked in.
Result<std::shared_ptr<arrow::Table>> Reorder(std::shared_ptr<arrow::Table> table,
                                              const std::vector<FragmentRows>& parts,
                                              arrow::MemoryPool* pool) {
  std::vector<int64_t> order(table->num_rows());
  int64_t next = 0;
  for (const FragmentRows& part : parts) {
    for (const int64_t position : part.positions) order[position] = next++;
  }
  // Without columns there is nothing to move, and Arrow's Take would forget the number of rows.
  if (table->num_columns() == 0 || std::ranges::is_sorted(order)) return table;
  arrow::Int64Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.AppendValues(order));
  ARROW_ASSIGN_OR_RAISE(auto indices, builder.Finish());
  arrow::compute::ExecContext compute(pool);
  arrow::ChunkedArrayVector columns;
  columns.reserve(table->num_columns());
  for (const auto& column : table->columns()) {
    ARROW_ASSIGN_OR_RAISE(const bool is_wide, HasWideRows(*column));
    if (is_wide) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), CopyRows(*column, order, pool));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(
        auto taken, arrow::compute::Take(column, indices,
                                         arrow::compute::TakeOptions::NoBoundsCheck(), &compute));
    columns.push_back(taken.chunked_array());
  }
  return arrow::Table::Make(table->schema(), std::move(columns), table->num_rows());
}

/// Bytes of a value of fixed width; 0 for others.
int64_t FixedWidth(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
    return list.list_size() * FixedWidth(*list.value_type());
  }
  return std::max(0, type.byte_width());
}

/// Whether the rows of a single fragment had better be read to the places that they were asked in.
/// Mostly it is less work to read them in their order and to move them then.
bool AreReadInPlace(const arrow::Schema& schema) {
  constexpr int64_t kWideRowBytes = 1024;
  return std::ranges::any_of(schema.fields(), [](const auto& field) {
    return FixedWidth(*field->type()) >= kWideRowBytes;
  });
}

/// What a take gives of each row.
struct Output {
  std::shared_ptr<const Projection> read;
  std::shared_ptr<const ComputedColumns> computed;  ///< where an expression is more than a path

  static Result<Output> Make(const Dataset::State& dataset, const TakeOptions& options,
                             const OperationContext& context);
};

Result<Output> Output::Make(const Dataset::State& dataset, const TakeOptions& options,
                            const OperationContext& context) {
  Output output;
  if (!options.expressions.empty() && !ArePaths(dataset, options.expressions)) {
    ARROW_ASSIGN_OR_RAISE(output.computed,
                          ComputedColumns::Make(dataset, options.expressions, context));
    output.read = output.computed->read();
  } else if (!options.expressions.empty()) {
    ARROW_ASSIGN_OR_RAISE(output.read, Projection::Make(dataset, options.expressions));
  } else if (!options.columns) {
    output.read = dataset.all_columns;
  } else if (options.nested) {
    ARROW_ASSIGN_OR_RAISE(output.read, Projection::MakeNested(dataset, *options.columns));
  } else {
    ARROW_ASSIGN_OR_RAISE(output.read, Projection::Make(dataset, *options.columns));
  }
  return output;
}

/// What of each part to read: FragmentReader::Take or TakeOffsets.
using TakePart = Result<std::shared_ptr<arrow::RecordBatch>> (FragmentReader::*)(
    std::span<const int64_t>, const OperationContext&) const;

Result<std::shared_ptr<arrow::Table>> TakeParts(const Dataset::State& dataset,
                                                std::vector<FragmentRows> parts, TakePart take,
                                                const Output& output,
                                                const OperationContext& context) {
  const std::shared_ptr<const Projection>& projection = output.read;
  const std::shared_ptr<const ComputedColumns>& computed = output.computed;
  if (parts.size() > 1 || !AreReadInPlace(*projection->schema)) {
    for (FragmentRows& part : parts) part.Sort();
  }
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches(parts.size());
  const auto take_part = [&](int64_t i) -> Status {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    const Fragment& fragment = dataset.manifest.fragments[parts[i].fragment];
    ARROW_ASSIGN_OR_RAISE(const FragmentReader reader,
                          FragmentReader::Open(dataset, fragment, projection, context,
                                               {.include_deleted = false, .takes_again = true}));
    ARROW_ASSIGN_OR_RAISE(batches[i], (reader.*take)(parts[i].rows, context));
    if (computed != nullptr) {
      ARROW_ASSIGN_OR_RAISE(batches[i], computed->Compute(*batches[i], context));
    }
    return Status::OK();
  };
  size_t num_rows = 0;
  for (const FragmentRows& part : parts) num_rows += part.rows.size();
  if (num_rows < kRowsWorthThreads) {
    for (int64_t i = 0; i < std::ssize(parts); ++i) ARROW_RETURN_NOT_OK(take_part(i));
  } else {
    ARROW_RETURN_NOT_OK(
        context.executor->ParallelFor(std::ssize(parts), take_part, context.stop, nullptr));
  }
  const auto& schema = computed != nullptr ? computed->schema() : projection->schema;
  // Arrow counts no rows of batches without columns.
  if (schema->num_fields() == 0) {
    return arrow::Table::Make(schema, arrow::ChunkedArrayVector(), static_cast<int64_t>(num_rows));
  }
  ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches(schema, batches));
  return Reorder(std::move(table), parts, context.pool);
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> TakeAddressed(const Dataset::State& dataset,
                                                    std::span<const uint64_t> addresses,
                                                    std::shared_ptr<const Projection> read,
                                                    std::shared_ptr<const ComputedColumns> computed,
                                                    const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto parts, SplitAddresses(dataset, addresses, context));
  const Output output{.read = std::move(read), .computed = std::move(computed)};
  return TakeParts(dataset, std::move(parts), &FragmentReader::TakeOffsets, output, context);
}

Result<std::shared_ptr<arrow::Table>> Dataset::Take(std::span<const int64_t> rows,
                                                    const TakeOptions& options,
                                                    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(auto parts, SplitRows(*state_, rows));
  ARROW_ASSIGN_OR_RAISE(const Output output, Output::Make(*state_, options, context));
  return TakeParts(*state_, std::move(parts), &FragmentReader::Take, output, context);
}

Result<std::shared_ptr<arrow::Table>> Dataset::TakeAddresses(
    std::span<const uint64_t> addresses, const TakeOptions& options,
    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(Output output, Output::Make(*state_, options, context));
  return TakeAddressed(*state_, addresses, std::move(output.read), std::move(output.computed),
                       context);
}

Result<std::shared_ptr<arrow::Table>> Dataset::TakeRowIds(std::span<const uint64_t> ids,
                                                          const TakeOptions& options,
                                                          const OperationContext& context) const {
  if (!has_stable_row_ids()) return TakeAddresses(ids, options, context);
  ARROW_ASSIGN_OR_RAISE(const auto addresses, FindAddresses(*state_, ids));
  return TakeAddresses(addresses, options, context);
}

}  // namespace tusk::lance
