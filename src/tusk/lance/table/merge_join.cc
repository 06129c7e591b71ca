#include "tusk/lance/table/merge_join.h"

#include <algorithm>
#include <map>
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
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

/// So many pairs are gathered before rows are made of them, but those of one batch of the target
/// always together.
constexpr size_t kPairsAtOnce = 8192;

/// A key of which so many parts are still too large for the memory it may have is not cut further.
constexpr uint64_t kMostPasses = 4096;

Result<JoinKeys> KeysOf(const arrow::RecordBatch& batch, size_t num_columns,
                        const OperationContext& context) {
  const auto& columns = batch.columns();
  return JoinKeys::Make({columns.begin(), columns.begin() + static_cast<int64_t>(num_columns)},
                        batch.num_rows(), context);
}

/// The items of `values` for which `mask` is true.
template <typename T>
void Keep(const arrow::BooleanArray& mask, std::vector<T>* values) {
  size_t kept = 0;
  for (size_t i = 0; i < values->size(); ++i) {
    if (mask.Value(static_cast<int64_t>(i))) (*values)[kept++] = (*values)[i];
  }
  values->resize(kept);
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
    ARROW_RETURN_NOT_OK(JoinKeys::CheckType(*target.GetFieldByName(key)));
  }
  const bool writes = options_.when_matched == WhenMatched::kUpdate || options_.insert_not_matched;
  if (writes) {
    for (const Field& field : state.manifest.schema.fields) {
      const bool is_missing = source_.schema()->GetFieldIndex(field.name) < 0;
      (is_missing ? missing_columns_ : source_columns_).push_back(field.name);
    }
    // What the source does not have is left alone.
    if (options_.write_mode == MergeWriteMode::kRewriteColumns) missing_columns_.clear();
    ARROW_ASSIGN_OR_RAISE(rewritten_, RewrittenColumns::Make(state, missing_columns_, "merge",
                                                             /*keeps_addresses=*/true));
  }
  arrow::FieldVector fields;
  for (const Field& field : state.manifest.schema.fields) {
    auto found = source_.schema()->GetFieldByName(field.name);
    if (found == nullptr && writes) found = rewritten_.schema()->GetFieldByName(field.name);
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
  num_passes_ = std::min(static_cast<uint64_t>(passes), kMostPasses);
  // Nothing matches, and nothing goes for want of a match.
  if (source_.num_rows() == 0 && !options_.delete_not_matched_by_source) pass_ = num_passes_;
  return Status::OK();
}

/// Whether the keys of this pass fit the memory that they may have.
Result<bool> MergeJoin::TryToBuildKeyTable() {
  arrow::FieldVector key_fields;
  for (const std::string& key : on_) key_fields.push_back(source_.schema()->GetFieldByName(key));
  table_.emplace(JoinKeys::IsHashTheKey(key_fields), context_.pool);
  ARROW_ASSIGN_OR_RAISE(const auto reader, source_.Scan(on_, context_));
  int64_t first_row = 0;
  while (true) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_ASSIGN_OR_RAISE(const JoinKeys keys, KeysOf(*batch, on_.size(), context_));
    for (int64_t row = 0; row < keys.num_rows(); ++row) {
      if (keys.has_null(row) || !IsOfThisPass(keys.hash(row))) continue;
      ARROW_RETURN_NOT_OK(table_->Add(keys, row, first_row + row));
    }
    first_row += batch->num_rows();
    if (table_->num_bytes() > options_.key_bytes_in_memory) return false;
  }
  ARROW_RETURN_NOT_OK(table_->Finish());
  return true;
}

Status MergeJoin::BuildKeyTable() {
  while (true) {
    auto fits = TryToBuildKeyTable();
    const bool is_out_of_memory = fits.status().IsOutOfMemory();
    if (!fits.ok() && !is_out_of_memory) return fits.status();
    if (fits.ok() && *fits) return Status::OK();
    // Later passes have as many keys as the first, more or less.
    if (pass_ > 0 || num_passes_ >= kMostPasses) {
      if (is_out_of_memory) return fits.status();
      return table_->Finish();
    }
    num_passes_ *= 2;
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
  return target_->Scan(scan, context_).Value(&target_rows_);
}

Status MergeJoin::EndPass() {
  target_rows_.reset();
  table_.reset();
  ++pass_;
  return AddRows(std::exchange(gone_of_pass_, {}), &gone_);
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

Status MergeJoin::AddMatches(const JoinKeys& keys, int64_t row, uint64_t address, uint64_t id,
                             bool* is_matched) {
  const size_t before = pairs_.source_rows.size();
  table_->Find(keys, row, [&](int64_t source_row) {
    arrow::bit_util::SetBit(is_matched_->mutable_data(), source_row);
    *is_matched = true;
    if (options_.when_matched != WhenMatched::kKeep) pairs_.source_rows.push_back(source_row);
  });
  if (pairs_.source_rows.size() == before) return Status::OK();
  if (options_.when_matched == WhenMatched::kFail) {
    return ErrorAt(pairs_.source_rows.back(), "a row of the source matches one that is there");
  }
  pairs_.addresses.resize(pairs_.source_rows.size(), address);
  if (target_->has_stable_row_ids()) pairs_.ids.resize(pairs_.source_rows.size(), id);
  return Status::OK();
}

/// The rows whose key may be in the table of this pass.
std::vector<int64_t> MergeJoin::FindCandidates(const JoinKeys& keys) const {
  std::vector<int64_t> candidates(keys.num_rows());
  size_t count = 0;
  for (int64_t row = 0; row < keys.num_rows(); ++row) {
    // Those that may not are written over.
    candidates[count] = row;
    count += table_->MayHave(keys.hash(row)) && !keys.has_null(row) ? 1 : 0;
  }
  candidates.resize(count);
  return candidates;
}

Status MergeJoin::Probe(const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const JoinKeys keys, KeysOf(batch, on_.size(), context_));
  const auto addresses = batch.GetColumnByName(std::string(kRowAddressColumn));
  const auto* address = addresses->data()->GetValues<uint64_t>(1);
  const auto ids = batch.GetColumnByName(std::string(kRowIdColumn));
  const auto* id = ids == nullptr ? address : ids->data()->GetValues<uint64_t>(1);
  const bool deletes = options_.delete_not_matched_by_source;
  std::vector<bool> is_unmatched(deletes ? batch.num_rows() : 0);
  for (int64_t row = 0; row < std::ssize(is_unmatched); ++row) {
    is_unmatched[row] = keys.has_null(row) ? pass_ == 0 : IsOfThisPass(keys.hash(row));
  }
  constexpr size_t kAhead = 16;
  const std::vector<int64_t> candidates = FindCandidates(keys);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i + kAhead < candidates.size()) table_->Prefetch(keys.hash(candidates[i + kAhead]));
    const int64_t row = candidates[i];
    bool is_matched = false;
    ARROW_RETURN_NOT_OK(AddMatches(keys, row, address[row], id[row], &is_matched));
    if (deletes && is_matched) is_unmatched[row] = false;
  }
  return deletes ? DeleteUnmatched(batch, is_unmatched) : Status::OK();
}

Status MergeJoin::DeleteUnmatched(const arrow::RecordBatch& batch,
                                  const std::vector<bool>& is_unmatched) {
  std::shared_ptr<arrow::BooleanArray> mask;
  if (delete_condition_ != nullptr) {
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (const std::string& name : delete_columns_) {
      fields.push_back(batch.schema()->GetFieldByName(name));
      columns.push_back(batch.GetColumnByName(name));
    }
    const auto read = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(),
                                               std::move(columns));
    ARROW_ASSIGN_OR_RAISE(mask, delete_condition_->Judge(*read, context_));
  }
  const auto addresses = batch.GetColumnByName(std::string(kRowAddressColumn));
  const auto* address = addresses->data()->GetValues<uint64_t>(1);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (!is_unmatched[row] || (mask != nullptr && !mask->Value(row))) continue;
    gone_addresses_.push_back(address[row]);
    ++counts_.deleted;
  }
  return Status::OK();
}

/// Keeps the pairs for which the condition is true.
Status MergeJoin::KeepTrue() {
  if (!update_condition_) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(
      const auto source,
      source_.Take(pairs_.source_rows, update_condition_->source_columns(), context_));
  ARROW_ASSIGN_OR_RAISE(
      const auto table,
      target_->TakeAddresses(pairs_.addresses,
                             {.columns = update_condition_->target_columns(), .expressions = {}},
                             context_));
  ARROW_ASSIGN_OR_RAISE(const auto target, table->CombineChunksToBatch(context_.pool));
  ARROW_ASSIGN_OR_RAISE(const auto mask, update_condition_->Judge(*source, *target, context_));
  Keep(*mask, &pairs_.source_rows);
  Keep(*mask, &pairs_.addresses);
  Keep(*mask, &pairs_.ids);
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
  std::ranges::sort(gone_addresses_);
  ARROW_RETURN_NOT_OK(AddAddresses(gone_addresses_, &gone_of_pass_));
  gone_addresses_.clear();
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::Flush() {
  std::shared_ptr<arrow::RecordBatch> rows;
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
      return nullptr;
    }
    gone_addresses_.insert(gone_addresses_.end(), pairs_.addresses.begin(), pairs_.addresses.end());
    if (options_.when_matched == WhenMatched::kDelete) {
      counts_.deleted += num_pairs;
    } else if (num_pairs > 0) {
      counts_.updated += num_pairs;
      moved_ids_.insert(moved_ids_.end(), pairs_.ids.begin(), pairs_.ids.end());
      ARROW_ASSIGN_OR_RAISE(rows, MakeMoved());
    }
    pairs_ = {};
  }
  ARROW_RETURN_NOT_OK(FlushGone());
  return rows;
}

/// The rows of the source, with what it does not have from the rows of the target.
Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::MakeMoved() {
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        source_.Take(pairs_.source_rows, source_columns_, context_));
  std::shared_ptr<arrow::RecordBatch> missing;
  if (!missing_columns_.empty()) {
    ARROW_ASSIGN_OR_RAISE(
        const auto table,
        target_->TakeAddresses(pairs_.addresses, {.columns = missing_columns_, .expressions = {}},
                               context_));
    ARROW_ASSIGN_OR_RAISE(const auto rows, table->CombineChunksToBatch(context_.pool));
    ARROW_ASSIGN_OR_RAISE(missing, rewritten_.Convert(*rows));
  }
  arrow::UInt64Builder addresses(context_.pool);
  ARROW_RETURN_NOT_OK(addresses.AppendValues(pairs_.addresses));
  arrow::ArrayVector columns;
  for (const auto& field : schema_->fields()) {
    if (field->name() == kRowAddressColumn) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), addresses.Finish());
      continue;
    }
    auto column = source->GetColumnByName(field->name());
    if (column == nullptr) column = missing->GetColumnByName(field->name());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, source->num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> MergeJoin::NextMoved() {
  while (pass_ < num_passes_) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    if (target_rows_ == nullptr) ARROW_RETURN_NOT_OK(BeginPass());
    ARROW_ASSIGN_OR_RAISE(const auto batch, target_rows_->Next());
    if (batch != nullptr) {
      ARROW_RETURN_NOT_OK(Probe(*batch));
      if (pairs_.source_rows.size() < kPairsAtOnce && gone_addresses_.size() < kPairsAtOnce) {
        continue;
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto rows, Flush());
    if (batch == nullptr) ARROW_RETURN_NOT_OK(EndPass());
    if (rows != nullptr) return rows;
  }
  return nullptr;
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
  }
  return arrow::RecordBatch::Make(schema_, std::ssize(rows), std::move(columns));
}

}  // namespace tusk::lance
