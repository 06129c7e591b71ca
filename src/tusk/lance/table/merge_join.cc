#include "tusk/lance/table/merge_join.h"

#include <algorithm>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/partial_struct.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// So many pairs are gathered before rows are made of them, but those of one batch of the target
/// always together.
constexpr size_t kPairsAtOnce = 8192;

/// So many rows are made at once, and then written, so that their memory is that of the next ones;
/// fewer if they have more bytes, but one at least.
constexpr int64_t kMovedAtOnce = 16'384;
constexpr int64_t kMovedBytes = 32 << 20;

/// So many keys of the source are looked at together: what is known of them stays in a cache.
constexpr int64_t kKeysAtOnce = 16'384;

/// A key of which so many parts are still too large for the memory it may have is not cut further.
constexpr uint64_t kMostPasses = 4096;

/// The items of `values` for which `mask` is true.
template <typename T>
void Keep(const std::vector<bool>& mask, std::vector<T>* values) {
  size_t kept = 0;
  for (size_t i = 0; i < values->size(); ++i) {
    if (mask[i]) (*values)[kept++] = (*values)[i];
  }
  values->resize(kept);
}

/// The bytes that a row has in the files of a fragment, of the one in which they are most. Those
/// whose size is not known count for nothing.
int64_t MostRowBytes(const Manifest& manifest) {
  uint64_t most = 0;
  for (const Fragment& fragment : manifest.fragments) {
    uint64_t bytes = 0;
    for (const DataFile& file : fragment.files) bytes += file.size_bytes;
    most = std::max(most, bytes / std::max<uint64_t>(fragment.physical_rows, 1));
  }
  return static_cast<int64_t>(most);
}

}  // namespace

MergeJoin::MergeJoin(std::shared_ptr<const Dataset> target, const MergeSource& source,
                     const std::vector<std::string>& on, const MergeInsertOptions& options,
                     const OperationContext& context)
    : target_(std::move(target)), source_(source), on_(on), options_(options), context_(context) {}

Result<std::unique_ptr<MergeJoin>> MergeJoin::Make(std::shared_ptr<const Dataset> target,
                                                   const MergeSource& source,
                                                   const std::vector<std::string>& on,
                                                   const MergeInsertOptions& options,
                                                   const OperationContext& context) {
  auto join =
      std::unique_ptr<MergeJoin>(new MergeJoin(std::move(target), source, on, options, context));
  ARROW_RETURN_NOT_OK(join->Prepare());
  return join;
}

Status MergeJoin::Prepare() {
  const Dataset::State& state = target_->state();
  const arrow::Schema& target = *state.all_columns->schema;
  for (const std::string& key : on_) {
    const auto column = target.GetFieldByName(key);
    ARROW_RETURN_NOT_OK(JoinKeys::CheckType(*column));
    if (JoinKeys::IsNarrow(*column)) narrow_columns_.push_back(key);
  }
  if (narrow_columns_.size() == on_.size()) narrow_columns_.clear();
  const bool writes = options_.when_matched == WhenMatched::kUpdate || options_.insert_not_matched;
  if (writes) {
    for (const Field& field : state.manifest.schema.fields) {
      const auto found = source_.schema()->GetFieldByName(field.name);
      if (found != nullptr) source_columns_.push_back(field.name);
      bool is_whole = false;
      if (found != nullptr) {
        ARROW_ASSIGN_OR_RAISE(is_whole, CanBeStored(*found, field));
      }
      if (!is_whole) missing_columns_.push_back(field.name);
    }
    // What the source does not have is left alone.
    if (options_.write_mode == MergeWriteMode::kRewriteColumns) missing_columns_.clear();
    ARROW_ASSIGN_OR_RAISE(rewritten_, RewrittenColumns::Make(state, missing_columns_, "merge",
                                                             /*keeps_addresses=*/true));
  }
  moved_at_once_ = kMovedAtOnce;
  if (!missing_columns_.empty() || options_.update_condition != nullptr) {
    const int64_t row_bytes = std::max<int64_t>(MostRowBytes(state.manifest), 1);
    moved_at_once_ = std::clamp<int64_t>(kMovedBytes / row_bytes, 1, kMovedAtOnce);
  }
  arrow::FieldVector fields;
  for (const Field& field : state.manifest.schema.fields) {
    auto found = source_.schema()->GetFieldByName(field.name);
    const auto missing = writes ? rewritten_.schema()->GetFieldByName(field.name) : nullptr;
    if (found != nullptr && missing != nullptr) {
      found = found->WithType(CompletedType(*found->type(), missing->type()));
    } else if (found == nullptr) {
      found = missing;
    }
    if (found != nullptr) fields.push_back(found->WithNullable(true));
  }
  // By it the blobs are found that a row keeps.
  fields.push_back(arrow::field(std::string(kRowAddressColumn), arrow::uint64()));
  schema_ = arrow::schema(std::move(fields));
  if (options_.update_condition != nullptr) {
    ARROW_ASSIGN_OR_RAISE(
        update_condition_,
        MergeCondition::Make(*options_.update_condition, *source_.schema(), target, context_));
  }
  if (options_.delete_condition != nullptr) {
    ARROW_ASSIGN_OR_RAISE(delete_columns_, options_.delete_condition->Columns(target));
    arrow::FieldVector read;
    for (const std::string& name : delete_columns_) read.push_back(target.GetFieldByName(name));
    ARROW_ASSIGN_OR_RAISE(delete_condition_,
                          options_.delete_condition->Bind(arrow::Schema(read), context_));
  }
  ARROW_ASSIGN_OR_RAISE(is_matched_, arrow::AllocateEmptyBitmap(source_.num_rows(), context_.pool));
  const int64_t key_bytes = source_.num_rows() * JoinKeyTable::kBytesPerRow;
  const int64_t passes = key_bytes / std::max<int64_t>(options_.key_bytes_in_memory, 1) + 1;
  part_.count = std::min(static_cast<uint64_t>(passes), kMostPasses);
  // Nothing matches, and nothing goes for want of a match.
  if (source_.num_rows() == 0 && !options_.delete_not_matched_by_source) part_.number = part_.count;
  return Status::OK();
}

/// Whether there may be more passes than are planned. Later ones have as many keys as the first,
/// more or less: that they have more memory for them is better than to begin anew.
bool MergeJoin::CanCutFurther() const { return part_.number == 0 && part_.count < kMostPasses; }

/// Adds those keys that belong to this pass; `first_row` is the number of the first in the source.
Status MergeJoin::AddKeys(const arrow::RecordBatch& rows, int64_t first_row) {
  ARROW_ASSIGN_OR_RAISE(const JoinKeys keys,
                        JoinKeys::Make(rows.columns(), rows.num_rows(), context_));
  for (int64_t row = 0; row < keys.num_rows(); ++row) {
    if (keys.has_null(row) || !part_.Has(keys.hash(row))) continue;
    ARROW_RETURN_NOT_OK(table_->Add(keys, row, first_row + row));
  }
  if (narrow_filter_ == nullptr) return Status::OK();
  arrow::ArrayVector narrow;
  for (const std::string& name : narrow_columns_) narrow.push_back(rows.GetColumnByName(name));
  ARROW_ASSIGN_OR_RAISE(const JoinKeys parts, JoinKeys::Make(narrow, rows.num_rows(), context_));
  for (int64_t row = 0; row < keys.num_rows(); ++row) {
    if (!keys.has_null(row) && part_.Has(keys.hash(row))) narrow_filter_->Add(parts.hash(row));
  }
  return Status::OK();
}

/// Whether the keys of this pass fit the memory that they may have.
Result<bool> MergeJoin::TryToBuildKeyTable() {
  arrow::FieldVector source_fields;
  arrow::FieldVector target_fields;
  for (const std::string& key : on_) {
    source_fields.push_back(source_.schema()->GetFieldByName(key));
    target_fields.push_back(target_->state().all_columns->schema->GetFieldByName(key));
  }
  table_ = std::make_shared<JoinKeyTable>(JoinKeys::IsHashTheKey(source_fields), context_.pool);
  bounds_.emplace(source_fields, target_fields);
  // Beyond one part there is no telling how many keys it has.
  if (part_.count == 1) ARROW_RETURN_NOT_OK(table_->Reserve(source_.num_rows()));
  if (!narrow_columns_.empty() && !options_.delete_not_matched_by_source) {
    narrow_filter_ = std::make_shared<HashFilter>(context_.pool);
    const auto count = static_cast<int64_t>(part_.count);
    ARROW_RETURN_NOT_OK(narrow_filter_->Reserve(source_.num_rows() / count));
  }
  ARROW_ASSIGN_OR_RAISE(const auto reader, source_.Scan(on_, context_));
  int64_t first_row = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(bounds_->Add(batch->columns(), batch->num_rows(), context_.pool));
    for (int64_t begin = 0; begin < batch->num_rows(); begin += kKeysAtOnce) {
      const auto rows = batch->Slice(begin, kKeysAtOnce);
      ARROW_RETURN_NOT_OK(AddKeys(*rows, first_row));
      first_row += rows->num_rows();
      if (CanCutFurther() && table_->num_bytes() > options_.key_bytes_in_memory) return false;
    }
  }
  ARROW_RETURN_NOT_OK(table_->Finish());
  return true;
}

Status MergeJoin::BuildKeyTable() {
  while (true) {
    auto fits = TryToBuildKeyTable();
    if (fits.ok() && *fits) return Status::OK();
    if (!fits.ok() && (!fits.status().IsOutOfMemory() || !CanCutFurther())) return fits.status();
    part_.count *= 2;
  }
}

Status MergeJoin::BeginPass() {
  ARROW_RETURN_NOT_OK(BuildKeyTable());
  ScanOptions scan;
  scan.columns = on_;
  for (const std::string& name : delete_columns_) {
    if (std::ranges::find(on_, name) == on_.end()) scan.columns->push_back(name);
  }
  scan.with_row_id = target_->has_stable_row_ids();
  scan.with_row_address = true;
  scan.all_at_once = true;
  const TargetSearch search{.on = on_,
                            .table = table_,
                            .part = part_,
                            .wants_unmatched = options_.delete_not_matched_by_source,
                            .condition = delete_condition_,
                            .condition_columns = delete_columns_};
  RowMapping mapping{
      .test = nullptr, .test_columns = on_, .map = MakeKeyMatcher(search, scan.with_row_id)};
  if (narrow_filter_ != nullptr) {
    mapping.test = MakeKeyTest(narrow_filter_, bounds_->predicate());
    mapping.test_columns = narrow_columns_;
  } else if (!search.wants_unmatched) {
    const std::shared_ptr<const HashFilter> filter(table_, &table_->filter());
    mapping.test = MakeKeyTest(filter, bounds_->predicate());
  }
  return ScanMapped(target_, scan, std::move(mapping), ReadAheadOfWriter(context_), context_)
      .Value(&target_rows_);
}

Status MergeJoin::EndPass() {
  target_rows_.reset();
  table_.reset();
  ++part_.number;
  AffectedRows gone = std::exchange(gone_of_pass_, {});
  if (!gone_.empty()) return AddRows(gone, &gone_);
  gone_ = std::move(gone);
  return Status::OK();
}

Status MergeJoin::ErrorAt(int64_t source_row, std::string_view message) const {
  ARROW_ASSIGN_OR_RAISE(const auto row, source_.Take({&source_row, 1}, on_, context_));
  std::string key;
  for (int i = 0; i < row->num_columns(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto value, row->column(i)->GetScalar(0));
    key += (i == 0 ? "" : ", ") + on_[i] + " = " + value->ToString();
  }
  return InvalidArgument("merge into ", target_->state().location.path, ": ", message, " (", key,
                         ")");
}

Status MergeJoin::Take(const FoundRows& found) {
  for (int64_t i = 0; i < found.count; ++i) {
    const int64_t source_row = found.source_rows[i];
    if (source_row == FoundRows::kUnmatched) {
      gone_addresses_.push_back(found.addresses[i]);
      ++counts_.deleted;
      continue;
    }
    arrow::bit_util::SetBit(is_matched_->mutable_data(), source_row);
    if (options_.when_matched == WhenMatched::kKeep) continue;
    if (options_.when_matched == WhenMatched::kFail) {
      return ErrorAt(source_row, "a row of the source matches one that is there");
    }
    pairs_.source_rows.push_back(source_row);
    pairs_.addresses.push_back(found.addresses[i]);
    if (found.ids != nullptr) pairs_.ids.push_back(found.ids[i]);
  }
  return Status::OK();
}

/// Whether the condition is true of each of these pairs of rows.
Result<std::shared_ptr<arrow::BooleanArray>> MergeJoin::Judge(
    std::span<const int64_t> source_rows, std::span<const uint64_t> addresses) const {
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        source_.Take(source_rows, update_condition_->source_columns(), context_));
  ARROW_ASSIGN_OR_RAISE(
      const auto table,
      target_->TakeAddresses(addresses,
                             {.columns = update_condition_->target_columns(), .expressions = {}},
                             context_));
  ARROW_ASSIGN_OR_RAISE(const auto target, table->CombineChunksToBatch(context_.pool));
  return update_condition_->Judge(*source, *target, context_);
}

/// Keeps the pairs for which the condition is true.
Status MergeJoin::KeepTrue() {
  if (!update_condition_) return Status::OK();
  std::span<const int64_t> source_rows = pairs_.source_rows;
  std::span<const uint64_t> addresses = pairs_.addresses;
  std::vector<bool> is_true;
  while (!source_rows.empty()) {
    const int64_t most = std::min(std::ssize(source_rows), moved_at_once_);
    const int64_t count = source_.CountWithin(source_rows.first(most), kMovedBytes);
    ARROW_ASSIGN_OR_RAISE(const auto mask, Judge(source_rows.first(count), addresses.first(count)));
    for (int64_t i = 0; i < count; ++i) is_true.push_back(mask->Value(i));
    source_rows = source_rows.subspan(count);
    addresses = addresses.subspan(count);
  }
  Keep(is_true, &pairs_.source_rows);
  Keep(is_true, &pairs_.addresses);
  Keep(is_true, &pairs_.ids);
  return Status::OK();
}

/// The pairs of one row of the target stand side by side.
Status MergeJoin::CheckUnique() const {
  const auto twice = std::ranges::adjacent_find(pairs_.addresses);
  if (twice == pairs_.addresses.end()) return Status::OK();
  return ErrorAt(pairs_.source_rows[twice - pairs_.addresses.begin()],
                 "several rows of the source match the same row that is there: only one may");
}

Status MergeJoin::FlushGone() {
  if (!std::ranges::is_sorted(gone_addresses_)) std::ranges::sort(gone_addresses_);
  ARROW_RETURN_NOT_OK(AddAddresses(gone_addresses_, &gone_of_pass_));
  gone_addresses_.clear();
  return Status::OK();
}

Status MergeJoin::Flush() {
  if (!pairs_.source_rows.empty()) {
    ARROW_RETURN_NOT_OK(KeepTrue());
    ARROW_RETURN_NOT_OK(CheckUnique());
    const auto num_pairs = std::ssize(pairs_.source_rows);
    if (options_.write_mode == MergeWriteMode::kRewriteColumns) {
      counts_.updated += num_pairs;
      for (int64_t i = 0; i < num_pairs; ++i) {
        matches_.push_back({pairs_.addresses[i], pairs_.source_rows[i]});
      }
      pairs_ = {};
      return Status::OK();
    }
    gone_addresses_.insert(gone_addresses_.end(), pairs_.addresses.begin(), pairs_.addresses.end());
    if (options_.when_matched == WhenMatched::kDelete) {
      counts_.deleted += num_pairs;
    } else if (num_pairs > 0) {
      counts_.updated += num_pairs;
      moved_ids_.insert(moved_ids_.end(), pairs_.ids.begin(), pairs_.ids.end());
      moved_ = std::exchange(pairs_, {});
      next_moved_ = 0;
    }
    pairs_ = {};
  }
  return FlushGone();
}

/// The next of the rows that are known to move: those of the source, with what it does not have
/// from the rows of the target.
Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::MakeMoved() {
  auto source_rows = std::span<const int64_t>(moved_.source_rows).subspan(next_moved_);
  const int64_t most = std::min(std::ssize(source_rows), moved_at_once_);
  source_rows = source_rows.first(most);
  source_rows = source_rows.first(source_.CountWithin(source_rows, kMovedBytes));
  const size_t count = source_rows.size();
  const auto moved_addresses = std::span(moved_.addresses).subspan(next_moved_, count);
  next_moved_ += count;
  ARROW_ASSIGN_OR_RAISE(const auto source, source_.Take(source_rows, source_columns_, context_));
  std::shared_ptr<arrow::RecordBatch> missing;
  if (!missing_columns_.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        const auto table,
        target_->TakeAddresses(moved_addresses, {.columns = missing_columns_, .expressions = {}},
                               context_));
    ARROW_ASSIGN_OR_RAISE(const auto rows, table->CombineChunksToBatch(context_.pool));
    ARROW_ASSIGN_OR_RAISE(missing, rewritten_.Convert(*rows));
  }
  arrow::UInt64Builder addresses(context_.pool);
  ARROW_RETURN_NOT_OK(addresses.AppendValues(moved_addresses.data(), std::ssize(moved_addresses)));
  arrow::ArrayVector columns;
  for (const auto& field : schema_->fields()) {
    if (field->name() == kRowAddressColumn) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), addresses.Finish());
      continue;
    }
    auto column = source->GetColumnByName(field->name());
    const auto before = missing == nullptr ? nullptr : missing->GetColumnByName(field->name());
    if (column == nullptr) {
      column = before;
    } else if (before != nullptr) {
      ARROW_ASSIGN_OR_RAISE(column, Complete(column, before->type(), before, context_.pool));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, source->num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::NextMoved() {
  while (true) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    if (next_moved_ < moved_.source_rows.size()) return MakeMoved();
    if (part_.number == part_.count) return nullptr;
    if (target_rows_ == nullptr) ARROW_RETURN_NOT_OK(BeginPass());
    ARROW_ASSIGN_OR_RAISE(const auto batch, target_rows_->Next());
    if (batch != nullptr) {
      ARROW_RETURN_NOT_OK(Take(FoundRows(*batch)));
      if (pairs_.source_rows.size() < kPairsAtOnce && gone_addresses_.size() < kPairsAtOnce) {
        continue;
      }
    }
    ARROW_RETURN_NOT_OK(Flush());
    if (batch == nullptr) ARROW_RETURN_NOT_OK(EndPass());
  }
}

Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::NextInserted() {
  if (!options_.insert_not_matched) return nullptr;
  if (source_rows_ == nullptr) {
    ARROW_ASSIGN_OR_RAISE(source_rows_, source_.Scan(source_columns_, context_));
  }
  while (true) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto batch, source_rows_->Next());
    if (batch == nullptr) return nullptr;
    std::vector<int64_t> rows;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (!arrow::bit_util::GetBit(is_matched_->data(), next_source_row_ + row)) {
        rows.push_back(row);
      }
    }
    next_source_row_ += batch->num_rows();
    if (rows.empty()) continue;
    counts_.inserted += std::ssize(rows);
    return MakeInserted(*batch, rows);
  }
}

Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::MakeInserted(
    const arrow::RecordBatch& batch, const std::vector<int64_t>& rows) const {
  const arrow::Int64Array numbers(std::ssize(rows), arrow::Buffer::Wrap(rows));
  arrow::ArrayVector columns;
  for (const auto& field : schema_->fields()) {
    const auto column = batch.GetColumnByName(field->name());
    if (column == nullptr) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayOfNull(field->type(), std::ssize(rows), context_.pool));
    } else if (std::ssize(rows) == batch.num_rows()) {
      columns.push_back(column);
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto taken,
                            TakeRows(column->data(), numbers.data(), context_.pool));
      columns.push_back(arrow::MakeArray(taken));
    }
    const auto missing = rewritten_.schema()->GetFieldByName(field->name());
    if (column != nullptr && missing != nullptr) {
      ARROW_ASSIGN_OR_RAISE(columns.back(),
                            Complete(columns.back(), missing->type(), nullptr, context_.pool));
    }
  }
  return arrow::RecordBatch::Make(schema_, std::ssize(rows), std::move(columns));
}

}  // namespace tusk::lance
