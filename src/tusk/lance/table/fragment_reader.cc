#include "tusk/lance/table/fragment_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/json_text.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"

namespace tusk::lance {
namespace {

std::shared_ptr<arrow::Field> SystemField(std::string_view name) {
  return arrow::field(std::string(name), arrow::uint64());
}

/// An array of `length` uint64 that `fill` writes.
template <typename Fill>
Result<std::shared_ptr<arrow::Array>> MakeUInt64(int64_t length, const Fill& fill,
                                                 arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(length * int64_t{sizeof(uint64_t)}, pool));
  fill(std::span(reinterpret_cast<uint64_t*>(buffer->mutable_data()), length));
  return std::make_shared<arrow::UInt64Array>(length, std::move(buffer));
}

/// The numbers of the columns of `file` that hold `field`; none if it does not. Unsupported if it
/// holds a part of it.
Result<std::vector<int32_t>> ColumnsOf(const Field& field, const DataFile& file) {
  const auto minor = static_cast<uint16_t>(file.minor_version);
  const std::vector<PhysicalColumn> owners = PhysicalColumns(field, minor);
  std::vector<int32_t> columns;
  for (const PhysicalColumn& owner : owners) {
    const auto found = std::ranges::find(file.field_ids, owner.field->id);
    if (found == file.field_ids.end()) continue;
    const int64_t index = found - file.field_ids.begin();
    // V1 files list no columns; opening one says so.
    if (index >= std::ssize(file.column_indices)) {
      if (file.major_version < 2) return std::vector<int32_t>{0};
      return Corrupt("does not say which column holds '", owner.field->name, "'");
    }
    columns.push_back(file.column_indices[index]);
  }
  if (columns.empty() || columns.size() == owners.size()) return columns;
  return Unsupported("has ", columns.size(), " of the ", owners.size(), " columns of field '",
                     field.name, "'; fields in several files are not supported yet");
}

}  // namespace

Result<Projection> Projection::Make(const Dataset::State& dataset,
                                    const std::optional<std::vector<std::string>>& names) {
  Projection projection;
  if (!names) {
    for (const Field& field : dataset.manifest.schema.fields) {
      projection.columns.push_back({.field = field});
    }
    projection.schema = dataset.schema;
    return projection;
  }
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::set<std::string_view> seen;
  for (const std::string& name : *names) {
    if (!seen.insert(name).second) {
      return InvalidArgument("column '", name, "' is asked for twice");
    }
    const Field* field = dataset.manifest.schema.FindField(name);
    if (field != nullptr) {
      projection.columns.push_back({.field = *field});
      fields.push_back(dataset.schema->GetFieldByName(name));
    } else if (name == kRowIdColumn) {
      projection.columns.push_back({.kind = Kind::kRowId, .field = {}});
      fields.push_back(SystemField(name));
    } else if (name == kRowAddressColumn) {
      projection.columns.push_back({.kind = Kind::kRowAddress, .field = {}});
      fields.push_back(SystemField(name));
    } else {
      std::string known;
      for (const Field& each : dataset.manifest.schema.fields) known += " '" + each.name + "'";
      return NotFound("no column '", name, "' in ", dataset.location.path, "; it has", known);
    }
  }
  projection.schema = arrow::schema(std::move(fields), dataset.schema->metadata());
  return projection;
}

Result<FragmentReader> FragmentReader::Open(const Dataset::State& dataset, const Fragment& fragment,
                                            const Projection& projection,
                                            const OperationContext& context) {
  FragmentReader result;
  ARROW_ASSIGN_OR_RAISE(result.deleted_, dataset.FindDeletedRows(fragment, context));
  result.fragment_id_ = fragment.id;
  result.projection_ = projection;
  std::vector<FilePart> parts(fragment.files.size());
  bool needs_row_ids = false;
  for (size_t i = 0; i < projection.columns.size(); ++i) {
    const Projection::Column& column = projection.columns[i];
    needs_row_ids |= column.kind == Projection::Kind::kRowId;
    if (column.kind != Projection::Kind::kField) continue;
    bool found = false;
    for (size_t f = 0; f < fragment.files.size() && !found; ++f) {
      const DataFile& file = fragment.files[f];
      auto columns = ColumnsOf(column.field, file);
      if (!columns.ok()) {
        return WithContext(columns.status(),
                           dataset.location.path + ": data file '" + file.path + "'");
      }
      if (columns->empty()) continue;
      if (parts[f].reader == nullptr) {
        ARROW_ASSIGN_OR_RAISE(parts[f].reader, dataset.OpenFile(fragment, file, context));
      }
      parts[f].columns.push_back({.field = column.field, .columns = *std::move(columns)});
      parts[f].positions.push_back(i);
      found = true;
    }
    if (!found && !column.field.nullable) {
      return Corrupt(dataset.location.path, ": no file of fragment ", fragment.id,
                     " holds column '", column.field.name, "', which must not be null");
    }
  }
  std::erase_if(parts, [](const FilePart& part) { return part.columns.empty(); });
  result.parts_ = std::move(parts);
  if (needs_row_ids && (dataset.manifest.reader_flags & kFlagStableRowIds) != 0) {
    ARROW_ASSIGN_OR_RAISE(result.row_ids_, dataset.RowIds(fragment));
  }
  return result;
}

template <typename ReadPart, typename RowAt>
Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Assemble(
    int64_t num_rows, const ReadPart& read_part, const RowAt& row_at,
    const OperationContext& context) const {
  std::vector<std::shared_ptr<arrow::Array>> arrays(projection_.columns.size());
  for (const FilePart& part : parts_) {
    ARROW_ASSIGN_OR_RAISE(auto batch, read_part(part));
    for (size_t i = 0; i < part.positions.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(
          auto rows, WithJsonText(part.columns[i].field, batch->column_data(static_cast<int>(i)),
                                  context.pool));
      arrays[part.positions[i]] = arrow::MakeArray(rows);
    }
  }
  for (size_t i = 0; i < arrays.size(); ++i) {
    const Projection::Kind kind = projection_.columns[i].kind;
    if (arrays[i] != nullptr) continue;
    if (kind == Projection::Kind::kField) {
      const auto& type = projection_.schema->field(static_cast<int>(i))->type();
      ARROW_ASSIGN_OR_RAISE(arrays[i], arrow::MakeArrayOfNull(type, num_rows, context.pool));
      continue;
    }
    const bool stable_id = kind == Projection::Kind::kRowId && row_ids_ != nullptr;
    const auto fill = [&](std::span<uint64_t> out) {
      for (int64_t row = 0; row < num_rows; ++row) {
        if (stable_id) {
          row_ids_->Fill(row_at(row), out.subspan(row, 1));
        } else {
          out[row] = fragment_id_ << 32 | static_cast<uint64_t>(row_at(row));
        }
      }
    };
    ARROW_ASSIGN_OR_RAISE(arrays[i], MakeUInt64(num_rows, fill, context.pool));
  }
  return arrow::RecordBatch::Make(projection_.schema, num_rows, std::move(arrays));
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadOffsets(
    RowRange offsets, const OperationContext& context) const {
  return Assemble(
      offsets.length(),
      [&](const FilePart& part) { return part.reader->ReadRange(part.columns, offsets, context); },
      [&](int64_t i) { return offsets.begin + i; }, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::TakeOffsets(
    std::span<const int64_t> offsets, const OperationContext& context) const {
  return Assemble(
      std::ssize(offsets),
      [&](const FilePart& part) { return part.reader->Take(part.columns, offsets, context); },
      [&](int64_t i) { return offsets[i]; }, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadRange(
    RowRange rows, const OperationContext& context) const {
  if (deleted_ == nullptr || rows.length() == 0) return ReadOffsets(rows, context);
  const RowRange offsets{.begin = deleted_->OffsetOf(rows.begin),
                         .end = deleted_->OffsetOf(rows.end - 1) + 1};
  if (offsets.length() == rows.length()) return ReadOffsets(offsets, context);
  return TakeOffsets(deleted_->OthersIn(offsets.begin, offsets.end), context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Take(
    std::span<const int64_t> rows, const OperationContext& context) const {
  if (deleted_ == nullptr) return TakeOffsets(rows, context);
  std::vector<int64_t> offsets;
  offsets.reserve(rows.size());
  for (const int64_t row : rows) offsets.push_back(deleted_->OffsetOf(row));
  return TakeOffsets(offsets, context);
}

}  // namespace tusk::lance
