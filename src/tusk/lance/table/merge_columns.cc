#include "tusk/lance/table/merge_columns.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/column_files.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/function_reader.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/rewritten_columns.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

using Match = MergeJoin::Match;

/// Rows of the source that are taken at once have no more bytes, unless one alone has.
constexpr int64_t kTakenBytes = 32 << 20;

/// The fields of the source that are not of the key, in the table's order.
Schema ChangedFields(const Schema& table, const arrow::Schema& source,
                     const std::vector<std::string>& on) {
  Schema changed;
  for (const Field& field : table.fields) {
    const bool is_key = std::ranges::find(on, field.name) != on.end();
    if (!is_key && source.GetFieldIndex(field.name) >= 0) changed.fields.push_back(field);
  }
  return changed;
}

/// Rows of the table with the values of the source where they match.
class ChangedRows {
 public:
  /// Of the columns `changed`.
  ChangedRows(const MergeSource& source, const Schema& changed, std::span<const Match> matches,
              const OperationContext& context)
      : source_(source), changed_(changed), matches_(matches), context_(context) {
    for (const Field& field : changed.fields) names_.push_back(field.name);
  }

  /// How many of the rows of `batch`, from `begin` on, Change can be given at once: those of the
  /// source that take their places are not too many for the memory.
  int64_t CountAtOnce(const arrow::RecordBatch& batch, int64_t begin) const {
    const auto addresses = batch.GetColumnByName(std::string(kRowAddressColumn));
    const auto* address = addresses->data()->GetValues<uint64_t>(1);
    std::vector<int64_t> taken;
    for (const Match& match : matches_) {
      if (match.address > address[batch.num_rows() - 1]) break;
      taken.push_back(match.source_row);
    }
    const auto count = static_cast<size_t>(source_.CountWithin(taken, kTakenBytes));
    if (count == taken.size()) return batch.num_rows() - begin;
    // Up to the row whose change is too much.
    const auto* end =
        std::lower_bound(address + begin, address + batch.num_rows(), matches_[count].address);
    return end - address - begin;
  }

  /// `batch` has these columns and the addresses of the next rows, ascending. Gives both.
  Result<std::shared_ptr<arrow::RecordBatch>> Change(const arrow::RecordBatch& batch) {
    const auto addresses = batch.GetColumnByName(std::string(kRowAddressColumn));
    const auto* address = addresses->data()->GetValues<uint64_t>(1);
    // Behind the rows of the batch stand those of the source.
    std::vector<int64_t> places(batch.num_rows());
    std::vector<int64_t> taken;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      places[row] = row;
      if (matches_.empty() || matches_.front().address != address[row]) continue;
      places[row] = batch.num_rows() + std::ssize(taken);
      taken.push_back(matches_.front().source_row);
      matches_ = matches_.subspan(1);
    }
    if (taken.empty()) return batch.Slice(0);
    ARROW_ASSIGN_OR_RAISE(const auto rows, source_.Take(taken, names_, context_));
    const arrow::Int64Array numbers(batch.num_rows(), arrow::Buffer::Wrap(places));
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const Field& field : changed_.fields) {
      ARROW_ASSIGN_OR_RAISE(const auto both,
                            JoinBlobRows(field, batch.GetColumnByName(field.name),
                                         rows->GetColumnByName(field.name), context_.pool));
      ARROW_ASSIGN_OR_RAISE(const auto changed,
                            TakeRows(both->data(), numbers.data(), context_.pool));
      columns.push_back(arrow::MakeArray(changed));
      fields.push_back(batch.schema()->GetFieldByName(field.name)->WithType(changed->type));
    }
    columns.push_back(addresses);
    fields.push_back(batch.schema()->GetFieldByName(std::string(kRowAddressColumn)));
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                    std::move(columns));
  }

  /// OK once every match was found.
  Status CheckEnd() const {
    if (matches_.empty()) return Status::OK();
    return Corrupt("row address ", matches_.front().address, " matched but was not found again");
  }

 private:
  const MergeSource& source_;
  const Schema& changed_;
  std::vector<std::string> names_;
  std::span<const Match> matches_;  ///< those that are left
  const OperationContext& context_;
};

/// The file of one fragment.
Result<DataFile> WriteOne(const Dataset& dataset, const Fragment& fragment,
                          const MergeSource& source, const Schema& changed,
                          std::span<const Match> matches, uint16_t minor_version,
                          const io::StorePath& target, const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  std::vector<std::string> names;
  names.reserve(changed.fields.size());
  for (const Field& field : changed.fields) names.push_back(field.name);
  ARROW_ASSIGN_OR_RAISE(const auto rewritten, RewrittenColumns::Make(state, names, "merge",
                                                                     /*keeps_addresses=*/true));
  ScanOptions scan;
  scan.columns = names;
  scan.fragments = {fragment.id};
  scan.with_row_address = true;
  ARROW_ASSIGN_OR_RAISE(const auto old, dataset.Scan(scan, context));
  ARROW_ASSIGN_OR_RAISE(
      const auto with_address,
      rewritten.schema()->AddField(rewritten.schema()->num_fields(),
                                   arrow::field(std::string(kRowAddressColumn), arrow::uint64())));
  ChangedRows rows(source, changed, matches, context);
  std::shared_ptr<arrow::RecordBatch> stored;
  int64_t next = 0;  // row of it
  FunctionReader reader(with_address, [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    ARROW_RETURN_NOT_OK(context.CheckStop());
    while (stored == nullptr || next == stored->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, old->Next());
      if (batch == nullptr) {
        ARROW_RETURN_NOT_OK(rows.CheckEnd());
        return nullptr;
      }
      ARROW_ASSIGN_OR_RAISE(stored, rewritten.Convert(*batch));
      next = 0;
    }
    const int64_t count = rows.CountAtOnce(*stored, next);
    const auto piece = stored->Slice(next, count);
    next += count;
    return rows.Change(*piece);
  });
  return WriteColumnFile(&reader, state, fragment, changed, minor_version, target, context);
}

Result<std::string> OffsetsOf(std::span<const Match> matches) {
  DeletedRows offsets;
  for (const Match& match : matches) {
    const auto offset = static_cast<int64_t>(match.address & 0xFFFFFFFF);
    ARROW_RETURN_NOT_OK(offsets.Add(offset, offset + 1));
  }
  return SerializeRoaringBitmap(offsets);
}

}  // namespace

Status CheckColumnsCanChange(const Schema& table, const Schema& source,
                             const std::vector<std::string>& on,
                             const MergeInsertOptions& options) {
  const auto refuse = [](std::string_view why) {
    return InvalidArgument("cannot merge by writing columns anew: ", why,
                           "; ask for rewrite_rows or auto");
  };
  if (options.when_matched != WhenMatched::kUpdate)
    return refuse("rows that match must be updated");
  if (options.insert_not_matched) return refuse("no row may be inserted");
  if (options.delete_not_matched_by_source) return refuse("no row may be deleted");
  if (source.fields.size() == table.fields.size()) {
    return refuse("the source has all columns, so that none would be spared");
  }
  if (source.fields.size() == on.size()) return refuse("the source has no column beside its key");
  return Status::OK();
}

Result<UpdateRows> WriteMatchedColumns(const Dataset& dataset, const MergeSource& source,
                                       const std::vector<std::string>& on,
                                       std::vector<Match> matches, uint16_t minor_version,
                                       const io::StorePath& target,
                                       const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  const Schema changed = ChangedFields(state.manifest.schema, *source.schema(), on);
  // Each pass of the join goes through the whole table.
  std::ranges::sort(matches, {}, &Match::address);
  UpdateRows update{.mode = UpdateMode::kRewriteColumns};
  const std::set<int32_t> ids = AllFieldIds(changed.fields);
  if (!matches.empty()) update.fields_modified.assign(ids.begin(), ids.end());
  const auto write = [&]() -> Status {
    std::span<const Match> left = matches;
    for (const Fragment& fragment : state.manifest.fragments) {
      const auto end = std::ranges::find_if(
          left, [&](const Match& match) { return match.address >> 32 != fragment.id; });
      const std::span<const Match> own(left.begin(), end);
      if (own.empty()) continue;
      left = left.subspan(own.size());
      ARROW_ASSIGN_OR_RAISE(DataFile file, WriteOne(dataset, fragment, source, changed, own,
                                                    minor_version, target, context));
      update.updated.push_back(WithColumnFile(fragment, std::move(file), ids));
      // For the versions of rows, which only such tables keep.
      if (!dataset.has_stable_row_ids()) continue;
      ARROW_ASSIGN_OR_RAISE(update.updated_offsets[fragment.id], OffsetsOf(own));
    }
    return Status::OK();
  };
  const Status written = write();
  if (!written.ok()) {
    RemoveMatchedColumns(dataset, update, context);
    return written;
  }
  return update;
}

void RemoveMatchedColumns(const Dataset& dataset, const UpdateRows& update,
                          const OperationContext& context) {
  Fragment all;
  for (const Fragment& fragment : update.updated) all.files.push_back(fragment.files.back());
  RemoveDataFiles(dataset.state().location, {std::move(all)}, context);
}

}  // namespace tusk::lance
