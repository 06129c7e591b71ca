#include "tusk/lance/table/fragment_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_builders.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/json_text.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/field_parts.h"
#include "tusk/lance/table/row_lineage.h"

namespace tusk::lance {
namespace {

/// An array of `length` uint64 that `fill` writes.
template <typename Fill>
Result<std::shared_ptr<arrow::Array>> MakeUInt64(int64_t length, const Fill& fill,
                                                 arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(length * int64_t{sizeof(uint64_t)}, pool));
  fill(std::span(reinterpret_cast<uint64_t*>(buffer->mutable_data()), length));
  return std::make_shared<arrow::UInt64Array>(length, std::move(buffer));
}

const Field* FindById(const std::vector<Field>& fields, int32_t id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* found = FindById(field.children, id)) return found;
  }
  return nullptr;
}

/// Packed structs lie in the file with all children that they had when it was written, and can only
/// be taken apart with these.
void RestorePackedStructs(const FileReader& reader, Field* field) {
  const FieldLayout layout = LayoutOf(*field, reader.minor_version());
  if (layout.kind == ColumnKind::kPackedStruct) {
    const Field* stored = FindById(reader.schema().fields, field->id);
    if (stored != nullptr) field->children = stored->children;
    return;
  }
  for (Field& child : field->children) RestorePackedStructs(reader, &child);
}

/// To open a file of no more bytes is to read it.
constexpr uint64_t kSmallFile = 64 << 10;

/// As Dataset::State::OpenFile, of a file that is closed with its last reader.
Result<std::shared_ptr<const FileReader>> OpenOnce(const Dataset::State& dataset,
                                                   const Fragment& fragment, const DataFile& file,
                                                   const OperationContext& context) {
  if (file.size_bytes == 0 || file.size_bytes > kSmallFile) {
    return dataset.OpenFile(fragment, file, context);
  }
  ARROW_ASSIGN_OR_RAISE(const io::StorePath place, dataset.Locate(fragment, file));
  ARROW_ASSIGN_OR_RAISE(auto reader, FileReader::Open(place.store.get(), place.path, context));
  // What does not fit gets the error of the other way.
  if (reader->num_rows() != fragment.physical_rows) {
    return dataset.OpenFile(fragment, file, context);
  }
  return reader;
}

/// Reading so many takes no longer than asking whether they can be left out.
constexpr int64_t kFewRows = 4096;

/// Of no more rows than one in so many, to read those that are deleted too and drop them is less
/// work than to take the others.
constexpr int64_t kFewDeleted = 8;

/// The rows of `batch`, which has all `offsets`, that are not deleted.
Result<std::shared_ptr<arrow::RecordBatch>> DropDeleted(const arrow::RecordBatch& batch,
                                                        const DeletedRows& deleted,
                                                        RowRange offsets, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateBitmap(offsets.length(), pool));
  arrow::bit_util::SetBitsTo(bits->mutable_data(), 0, offsets.length(), true);
  const std::vector<DeletedRows::Run>& runs = deleted.runs();
  auto run = std::ranges::upper_bound(runs, offsets.begin, {}, &DeletedRows::Run::end);
  int64_t num_rows = offsets.length();
  for (; run != runs.end() && run->begin < offsets.end; ++run) {
    const int64_t begin = std::max(run->begin, offsets.begin);
    const int64_t length = std::min(run->end, offsets.end) - begin;
    arrow::bit_util::SetBitsTo(bits->mutable_data(), begin - offsets.begin, length, false);
    num_rows -= length;
  }
  const auto mask =
      arrow::ArrayData::Make(arrow::boolean(), offsets.length(), {nullptr, std::move(bits)}, 0);
  arrow::ArrayVector columns;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(auto kept, KeepRows(column->data(), mask, pool));
    columns.push_back(arrow::MakeArray(std::move(kept)));
  }
  return arrow::RecordBatch::Make(batch.schema(), num_rows, std::move(columns));
}

/// The pages in which rows can lie: for each column one of its pages.
class PageCombinations {
 public:
  /// More are not tried: what is known of further columns is not used.
  static constexpr size_t kMost = 16;

  void Add(std::string name, std::vector<expr::ColumnRange> pages) {
    if (pages.size() * num_combinations_ > kMost) return;
    num_combinations_ *= pages.size();
    columns_.push_back({.name = std::move(name), .pages = std::move(pages)});
  }

  Result<bool> AnyMayMatch(const RowTest& test) const {
    for (size_t i = 0; i < num_combinations_; ++i) {
      std::map<std::string, expr::ColumnRange> ranges;
      size_t rest = i;
      for (const Column& column : columns_) {
        ranges[column.name] = column.pages[rest % column.pages.size()];
        rest /= column.pages.size();
      }
      ARROW_ASSIGN_OR_RAISE(const bool may_match, test.MayMatch(ranges));
      if (may_match) return true;
    }
    return false;
  }

 private:
  struct Column {
    std::string name;
    std::vector<expr::ColumnRange> pages;
  };
  std::vector<Column> columns_;
  size_t num_combinations_ = 1;
};

}  // namespace

Result<FragmentReader> FragmentReader::Open(const Dataset::State& dataset, const Fragment& fragment,
                                            std::shared_ptr<const Projection> projection,
                                            const OperationContext& context, Options options) {
  FragmentReader result;
  result.options_ = options;
  ARROW_ASSIGN_OR_RAISE(result.deleted_, dataset.FindDeletedRows(fragment, context));
  result.fragment_id_ = fragment.id;
  result.first_row_ = dataset.first_rows[&fragment - dataset.manifest.fragments.data()];
  result.projection_ = std::move(projection);
  std::vector<FilePart> parts(fragment.files.size());
  for (size_t i = 0; i < result.projection_->sources.size(); ++i) {
    ARROW_RETURN_NOT_OK(result.AddSource(dataset, fragment, i, &parts, context));
  }
  std::erase_if(parts, [](const FilePart& part) { return part.columns.empty(); });
  result.parts_ = std::move(parts);
  ARROW_RETURN_NOT_OK(result.ReadLineage(dataset, fragment));
  return result;
}

Status FragmentReader::ReadLineage(const Dataset::State& dataset, const Fragment& fragment) {
  const auto needs = [&](Projection::Kind kind) {
    const auto& columns = projection_->columns;
    return std::ranges::find(columns, kind, &Projection::Column::kind) != columns.end();
  };
  if (needs(Projection::Kind::kRowId) && (dataset.manifest.reader_flags & kFlagStableRowIds) != 0) {
    ARROW_ASSIGN_OR_RAISE(row_ids_, dataset.RowIds(fragment));
  }
  const auto parse = [&](const std::string& versions, bool in_column) -> Result<RowVersions> {
    if (in_column) {
      return Unsupported(dataset.location.path, ": fragment ", fragment.id,
                         " keeps the versions of its rows in a column: that is not supported yet");
    }
    auto parsed = RowVersions::Parse(versions);
    if (parsed.ok()) return parsed;
    return WithContext(parsed.status(), dataset.location.path +
                                            ": versions of the rows of fragment " +
                                            std::to_string(fragment.id));
  };
  if (needs(Projection::Kind::kRowCreatedAt)) {
    ARROW_ASSIGN_OR_RAISE(created_at_,
                          parse(fragment.created_at_versions, fragment.created_at_in_column));
  }
  if (needs(Projection::Kind::kRowUpdatedAt)) {
    ARROW_ASSIGN_OR_RAISE(
        updated_at_, parse(fragment.last_updated_at_versions, fragment.last_updated_at_in_column));
  }
  return Status::OK();
}

Status FragmentReader::AddSource(const Dataset::State& dataset, const Fragment& fragment,
                                 size_t source, std::vector<FilePart>* parts,
                                 const OperationContext& context) const {
  const Projection::Source& from = projection_->sources[source];
  std::vector<FieldPart> found;
  for (size_t f = 0; f < fragment.files.size(); ++f) {
    const DataFile& file = fragment.files[f];
    auto part = FindPart(from.field, from.whole, file);
    if (!part.ok()) {
      return WithContext(part.status(), dataset.location.path + ": data file '" + file.path + "'");
    }
    if (!part->has_value()) continue;
    FilePart& in_file = (*parts)[f];
    if (in_file.reader == nullptr) {
      ARROW_ASSIGN_OR_RAISE(in_file.reader, options_.reads_once
                                                ? OpenOnce(dataset, fragment, file, context)
                                                : dataset.OpenFile(fragment, file, context));
    }
    RestorePackedStructs(*in_file.reader, &(*part)->field);
    in_file.columns.push_back(**std::move(part));
    in_file.sources.push_back(source);
    found.push_back({.field = &in_file.columns.back().field, .rows = nullptr});
  }
  Status complete = CheckParts(from.field, found);
  if (complete.ok()) return complete;
  return WithContext(complete, dataset.location.path + ": fragment " + std::to_string(fragment.id));
}

template <typename ReadPart>
Result<std::vector<std::shared_ptr<arrow::Array>>> FragmentReader::ReadSources(
    int64_t num_rows, const ReadPart& read_part, const OperationContext& context) const {
  const std::vector<Projection::Source>& sources = projection_->sources;
  std::vector<std::vector<FieldPart>> parts(sources.size());
  for (const FilePart& file : parts_) {
    ARROW_ASSIGN_OR_RAISE(auto batch, read_part(file));
    for (size_t i = 0; i < file.sources.size(); ++i) {
      parts[file.sources[i]].push_back(
          {.field = &file.columns[i].field, .rows = batch->column(static_cast<int>(i))});
    }
  }
  std::vector<std::shared_ptr<arrow::Array>> rows;
  rows.reserve(sources.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto array, PutTogether(sources[i].field, sources[i].type, parts[i],
                                                  num_rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const auto text,
                          WithJsonText(sources[i].field, array->data(), context.pool));
    rows.push_back(arrow::MakeArray(text));
  }
  return rows;
}

template <typename RowAt>
Result<std::shared_ptr<arrow::Array>> FragmentReader::MakeSystemColumn(
    Projection::Kind kind, int64_t num_rows, const RowAt& row_at, arrow::MemoryPool* pool) const {
  const bool is_version =
      kind == Projection::Kind::kRowCreatedAt || kind == Projection::Kind::kRowUpdatedAt;
  const RowVersions& versions = kind == Projection::Kind::kRowCreatedAt ? created_at_ : updated_at_;
  const auto value = [&](int64_t offset) -> uint64_t {
    if (is_version) return offset < versions.length() ? versions.At(offset) : kUnknownRowVersion;
    if (kind != Projection::Kind::kRowOffset) {
      return fragment_id_ << 32 | static_cast<uint64_t>(offset);
    }
    return static_cast<uint64_t>(first_row_ +
                                 (deleted_ == nullptr ? offset : deleted_->RowOf(offset)));
  };
  const bool is_stable_id = kind == Projection::Kind::kRowId && row_ids_ != nullptr;
  const auto fill = [&](std::span<uint64_t> out) {
    for (int64_t row = 0; row < num_rows; ++row) {
      if (is_stable_id) {
        row_ids_->Fill(row_at(row), out.subspan(row, 1));
      } else {
        out[row] = value(row_at(row));
      }
    }
  };
  ARROW_ASSIGN_OR_RAISE(auto column, MakeUInt64(num_rows, fill, pool));
  // As pylance has it: not even an address is left of a row that was deleted, but its versions are.
  if (is_version || !options_.include_deleted || deleted_ == nullptr) return column;
  std::vector<uint8_t> is_left(num_rows);
  for (int64_t row = 0; row < num_rows; ++row) is_left[row] = !deleted_->Contains(row_at(row));
  ARROW_ASSIGN_OR_RAISE(auto validity, arrow::internal::BytesToBits(is_left, pool));
  auto data = column->data()->Copy();
  data->buffers[0] = std::move(validity);
  data->SetNullCount(arrow::kUnknownNullCount);
  return arrow::MakeArray(std::move(data));
}

template <typename ReadPart, typename RowAt>
Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Assemble(
    int64_t num_rows, const ReadPart& read_part, const RowAt& row_at,
    const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto sources, ReadSources(num_rows, read_part, context));
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::shared_ptr<arrow::Schema> schema = projection_->schema;
  for (const Projection::Column& column : projection_->columns) {
    std::shared_ptr<arrow::Array> array;
    if (column.kind == Projection::Kind::kField) {
      ARROW_ASSIGN_OR_RAISE(array, Descend(sources[column.source], column.path, context.pool));
    } else {
      ARROW_ASSIGN_OR_RAISE(array, MakeSystemColumn(column.kind, num_rows, row_at, context.pool));
    }
    const auto number = static_cast<int>(arrays.size());
    const auto& field = schema->field(number);
    if (array->type() != field->type() && !array->type()->Equals(*field->type())) {
      ARROW_ASSIGN_OR_RAISE(schema, schema->SetField(number, field->WithType(array->type())));
    }
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(std::move(schema), num_rows, std::move(arrays));
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::TakeOffsets(
    std::span<const int64_t> offsets, const OperationContext& context) const {
  return Assemble(
      std::ssize(offsets),
      [&](const FilePart& part) {
        return options_.takes_again ? part.reader->TakeAgain(part.columns, offsets, context)
                                    : part.reader->Take(part.columns, offsets, context);
      },
      [&](int64_t i) { return offsets[i]; }, context);
}

RowRange FragmentReader::OffsetsOf(RowRange rows) const {
  if (!skips_deleted()) return rows;
  return {.begin = deleted_->OffsetOf(rows.begin), .end = deleted_->OffsetOf(rows.end - 1) + 1};
}

Result<bool> FragmentReader::MayMatch(const RowTest& test, RowRange rows,
                                      const OperationContext& context) const {
  if (rows.length() < kFewRows) return true;
  const RowRange offsets = OffsetsOf(rows);
  PageCombinations combinations;
  for (const FilePart& part : parts_) {
    for (size_t i = 0; i < part.columns.size(); ++i) {
      const auto is_whole_source = [&](const Projection::Column& column) {
        return column.kind == Projection::Kind::kField && column.source == part.sources[i] &&
               column.path.empty();
      };
      const auto column = std::ranges::find_if(projection_->columns, is_whole_source);
      if (column == projection_->columns.end()) continue;
      ARROW_ASSIGN_OR_RAISE(auto ranges,
                            part.reader->PageRanges(part.columns[i], offsets, context));
      const auto number = static_cast<int>(column - projection_->columns.begin());
      combinations.Add(projection_->schema->field(number)->name(), std::move(ranges));
    }
  }
  return combinations.AnyMayMatch(test);
}

template <typename ReadPart>
Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadRows(
    RowRange rows, const ReadPart& read_part, const OperationContext& context) const {
  const RowRange offsets = rows.length() == 0 ? rows : OffsetsOf(rows);
  const int64_t num_deleted = offsets.length() - rows.length();
  if (num_deleted > offsets.length() / kFewDeleted) {
    return TakeOffsets(deleted_->OthersIn(offsets.begin, offsets.end), context);
  }
  ARROW_ASSIGN_OR_RAISE(
      auto batch,
      Assemble(
          offsets.length(), [&](const FilePart& part) { return read_part(part, offsets); },
          [&](int64_t i) { return offsets.begin + i; }, context));
  return num_deleted == 0 ? batch : DropDeleted(*batch, *deleted_, offsets, context.pool);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadRange(
    RowRange rows, const OperationContext& context) const {
  const auto read_part = [&](const FilePart& part, RowRange offsets) {
    return part.reader->ReadRange(part.columns, offsets, context);
  };
  return ReadRows(rows, read_part, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::ReadCodes(
    RowRange rows, const OperationContext& context) const {
  const auto read_part = [&](const FilePart& part, RowRange offsets) {
    return part.reader->ReadCodes(part.columns, offsets, context);
  };
  return ReadRows(rows, read_part, context);
}

Result<std::shared_ptr<arrow::RecordBatch>> FragmentReader::Take(
    std::span<const int64_t> rows, const OperationContext& context) const {
  if (!skips_deleted()) return TakeOffsets(rows, context);
  std::vector<int64_t> offsets;
  offsets.reserve(rows.size());
  for (const int64_t row : rows) offsets.push_back(deleted_->OffsetOf(row));
  return TakeOffsets(offsets, context);
}

}  // namespace tusk::lance
