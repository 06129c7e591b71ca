#include "tusk/lance/change_columns.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/io/deferring_store.h"
#include "tusk/lance/table/cast_column.h"
#include "tusk/lance/table/column_files.h"
#include "tusk/lance/table/commit_change.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/field_ids.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/merge_schema.h"
#include "tusk/lance/table/row_change.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

using DatasetPtr = std::shared_ptr<const Dataset>;

Result<DatasetPtr> OpenToChange(const io::StorePath& table, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto dataset, Dataset::Open(table, {}, context));
  const Status writable = CheckWritable(dataset->state().manifest);
  if (!writable.ok()) return WithContext(writable, table.path);
  return dataset;
}

/// Commits an operation on `base`; `remove_files` as in CommitChange, `written` in CommitOptions.
template <typename Operation>
Result<DatasetPtr> Commit(const Dataset& base, Operation operation,
                          const ChangeColumnsOptions& options,
                          const std::function<void()>& remove_files,
                          const std::shared_ptr<io::ObjectStore>& written,
                          const OperationContext& context) {
  const Transaction transaction{.read_version = base.version(),
                                .uuid = RandomUuidString(),
                                .properties = options.transaction_properties,
                                .operation = std::move(operation)};
  return CommitChange(base, transaction, {.lock = options.commit_lock, .written = written},
                      remove_files, context);
}

template <typename Operation>
Result<DatasetPtr> Commit(const Dataset& base, Operation operation,
                          const ChangeColumnsOptions& options, const OperationContext& context) {
  return Commit(base, std::move(operation), options, nullptr, nullptr, context);
}

/// Calls `attempt` on the newest version, again if another writer was first.
Result<DatasetPtr> OnNewest(const io::StorePath& table, const ChangeColumnsOptions& options,
                            const OperationContext& context,
                            const std::function<Result<DatasetPtr>(const Dataset&)>& attempt) {
  const RetryLimit limit{.max_retries = options.max_retries, .timeout = kAnyTime};
  return RetryConflicts<DatasetPtr>(limit, [&](int /*number*/) -> Result<DatasetPtr> {
    ARROW_ASSIGN_OR_RAISE(const DatasetPtr newest, OpenToChange(table, context));
    return attempt(*newest);
  });
}

/// The values of new columns: rows of a fragment that are not deleted.
using Values =
    std::function<Result<std::shared_ptr<arrow::RecordBatchReader>>(const Fragment& fragment)>;

/// New files of columns for the fragments of a version. Removes them again unless they are kept.
class ColumnFiles {
 public:
  ColumnFiles(const Dataset& dataset, const Schema& schema, uint16_t minor_version,
              const OperationContext& context)
      : state_(dataset.state()),
        schema_(schema),
        minor_version_(minor_version),
        target_(io::Deferring(state_.location)),
        context_(context),
        fragments_(state_.manifest.fragments),
        written_(fragments_.size()) {}
  ~ColumnFiles() {
    if (!is_kept_) Remove();
  }
  ColumnFiles(const ColumnFiles&) = delete;
  ColumnFiles& operator=(const ColumnFiles&) = delete;

  /// Several fragments at a time, if there are enough of them.
  Status WriteInParallel(const Values& values) {
    const auto write = [&](int64_t i) { return WriteOne(static_cast<size_t>(i), values); };
    const auto count = static_cast<int64_t>(fragments_.size());
    if (count >= context_.executor->parallelism()) {
      return context_.executor->ParallelFor(count, write, context_.stop, nullptr);
    }
    // A file is written by several threads, too.
    for (int64_t i = 0; i < count; ++i) ARROW_RETURN_NOT_OK(write(i));
    return Status::OK();
  }
  Status WriteInOrder(const Values& values) {
    for (size_t i = 0; i < fragments_.size(); ++i) ARROW_RETURN_NOT_OK(WriteOne(i, values));
    return Status::OK();
  }

  /// The fragments with their new files.
  std::vector<Fragment> Fragments() const {
    std::vector<Fragment> fragments = fragments_;
    for (size_t i = 0; i < fragments.size(); ++i) fragments[i].files.push_back(*written_[i]);
    return fragments;
  }
  void Keep() { is_kept_ = true; }
  /// Through what they were written.
  const std::shared_ptr<io::ObjectStore>& store() const { return target_.store; }
  void Remove() {
    is_kept_ = true;
    Fragment all;
    for (std::optional<DataFile>& file : written_) {
      if (file) all.files.push_back(*std::move(file));
    }
    RemoveDataFiles(state_.location, {std::move(all)}, context_);
  }

 private:
  Status WriteOne(size_t i, const Values& values) {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    ARROW_ASSIGN_OR_RAISE(const auto rows, values(fragments_[i]));
    return WriteColumnFile(rows.get(), state_, fragments_[i], schema_, minor_version_, target_,
                           context_)
        .Value(&written_[i].emplace());
  }

  const Dataset::State& state_;
  const Schema& schema_;
  const uint16_t minor_version_;
  const io::StorePath target_;  ///< the table; what is written is durable with the commit
  const OperationContext& context_;
  const std::vector<Fragment>& fragments_;
  std::vector<std::optional<DataFile>> written_;
  bool is_kept_ = false;
};

/// Commits the files as `merge`, whose fragments are set here.
Result<DatasetPtr> CommitFiles(const Dataset& base, MergeColumns merge, ColumnFiles* files,
                               const ChangeColumnsOptions& options,
                               const OperationContext& context) {
  merge.fragments = files->Fragments();
  files->Keep();
  return Commit(base, std::move(merge), options, [&] { files->Remove(); }, files->store(), context);
}

Result<MergedSchema> MergeInto(const Dataset& base, const arrow::Schema& more) {
  const Manifest& manifest = base.state().manifest;
  ARROW_ASSIGN_OR_RAISE(const Schema schema, Schema::FromArrow(more));
  ARROW_ASSIGN_OR_RAISE(MergedSchema merged,
                        MergeSchemas(manifest.schema, schema, NextFieldId(manifest)));
  if (merged.added.fields.empty()) return InvalidArgument("there is no column to add");
  return merged;
}

Result<DatasetPtr> AddComputed(const Dataset& base, const std::vector<NamedExpression>& columns,
                               const ChangeColumnsOptions& options,
                               const OperationContext& context) {
  ScanOptions scan;
  scan.expressions = columns;
  scan.batch_rows = options.batch_rows;
  scan.fragments = std::vector<uint64_t>();
  ARROW_ASSIGN_OR_RAISE(const auto nothing, base.Scan(scan, context));
  ARROW_ASSIGN_OR_RAISE(const MergedSchema merged, MergeInto(base, *nothing->schema()));
  ARROW_ASSIGN_OR_RAISE(
      const uint16_t minor_version,
      MinorVersionOfRows(base.state(), options.data_storage_version, "write columns of"));
  ColumnFiles files(base, merged.added, minor_version, context);
  ARROW_RETURN_NOT_OK(files.WriteInParallel([&](const Fragment& fragment) {
    ScanOptions own = scan;
    own.fragments = {fragment.id};
    return base.Scan(own, context);
  }));
  return CommitFiles(
      base, {.schema = merged.schema, .preserves_nullability = merged.preserves_nullability},
      &files, options, context);
}

/// So many of the next rows of a reader.
class NextRows final : public arrow::RecordBatchReader {
 public:
  explicit NextRows(arrow::RecordBatchReader* rows) : rows_(rows) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  void Allow(int64_t count) { left_ = count; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    if (left_ == 0) return Status::OK();
    while (rest_ == nullptr || rest_->num_rows() == 0) {
      ARROW_RETURN_NOT_OK(rows_->ReadNext(&rest_));
      if (rest_ == nullptr) return Status::OK();
    }
    const int64_t count = std::min(left_, rest_->num_rows());
    *out = rest_->Slice(0, count);
    rest_ = rest_->Slice(count);
    left_ -= count;
    return Status::OK();
  }

 private:
  arrow::RecordBatchReader* rows_;
  std::shared_ptr<arrow::RecordBatch> rest_;
  int64_t left_ = 0;
};

/// InvalidArgument if a row of the field at `path` is null.
Status CheckHasNoNulls(const Dataset& base, const std::string& path,
                       const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto filter, expr::Filter::FromSql(path + " IS NULL"));
  ARROW_ASSIGN_OR_RAISE(const int64_t nulls, base.CountRows(std::move(filter), context));
  if (nulls == 0) return Status::OK();
  return InvalidArgument("cannot forbid nulls in column '", path, "': it has ", nulls);
}

/// InvalidArgument if an index has one of these fields.
Status CheckNotIndexed(const Dataset& base, const std::set<int32_t>& ids,
                       const OperationContext& context) {
  const Dataset::State& state = base.state();
  ARROW_ASSIGN_OR_RAISE(
      const std::string section,
      ReadIndexSection(state.location, state.manifest_path, state.manifest, context));
  if (section.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto indices, ParseIndexSection(section));
  for (const IndexMetadata& index : indices) {
    const bool has_one =
        std::ranges::any_of(index.field_ids, [&](int32_t id) { return ids.contains(id); });
    if (has_one && !index.is_system()) {
      return InvalidArgument("cannot change the type of a column that index '", index.name,
                             "' is made of: drop the index first, and make it again after it");
    }
  }
  return Status::OK();
}

/// What alterations make of a schema.
struct AlteredSchema {
  Schema schema;
  std::vector<ColumnCast> casts;
  bool forbids_nulls = false;
};

Result<AlteredSchema> Alter(const Dataset& base, const std::vector<ColumnAlteration>& alterations,
                            const OperationContext& context) {
  const Manifest& manifest = base.state().manifest;
  AlteredSchema altered{.schema = manifest.schema, .casts = {}};
  int32_t next_id = NextFieldId(manifest);
  for (const ColumnAlteration& alteration : alterations) {
    ARROW_ASSIGN_OR_RAISE(const auto fields, manifest.schema.Resolve(alteration.path));
    const Field& before = *fields.back();
    Field* after = FindById(&altered.schema.fields, before.id);
    if (after == nullptr) {
      return InvalidArgument("column '", alteration.path, "' is altered twice");
    }
    if (alteration.nullable == false && before.nullable) {
      ARROW_RETURN_NOT_OK(CheckHasNoNulls(base, alteration.path, context));
      altered.forbids_nulls = true;
    }
    if (alteration.name) after->name = *alteration.name;
    if (alteration.nullable) after->nullable = *alteration.nullable;
    if (alteration.type == nullptr) continue;
    ARROW_ASSIGN_OR_RAISE(*after, RetypeField(*after, alteration.type, alteration.path, &next_id));
    altered.casts.push_back({.path = alteration.path, .field_id = after->id, .source = &before});
  }
  ARROW_RETURN_NOT_OK(CheckFieldNames(altered.schema.fields));
  return altered;
}

/// Writes the columns of other types anew. Of the old files those go of which no field is left.
Result<DatasetPtr> Recast(const Dataset& base, const AlteredSchema& altered,
                          const ChangeColumnsOptions& options, const OperationContext& context) {
  std::set<int32_t> changed;
  for (const ColumnCast& cast : altered.casts) changed.insert(cast.source->id);
  ARROW_RETURN_NOT_OK(CheckNotIndexed(base, changed, context));
  ARROW_ASSIGN_OR_RAISE(
      const uint16_t minor_version,
      MinorVersionOfRows(base.state(), options.data_storage_version, "write columns of"));
  ARROW_ASSIGN_OR_RAISE(const CastPlan plan, CastPlan::Make(base.state().manifest.schema,
                                                            altered.schema, altered.casts));
  ColumnFiles files(base, plan.written(), minor_version, context);
  ARROW_RETURN_NOT_OK(files.WriteInParallel(
      [&](const Fragment& fragment) -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
        ScanOptions scan;
        scan.columns = plan.columns();
        scan.batch_rows = options.batch_rows;
        scan.fragments = {fragment.id};
        ARROW_ASSIGN_OR_RAISE(auto reader, base.Scan(scan, context));
        return plan.Read(std::move(reader), context.pool);
      }));
  MergeColumns merge{.fragments = files.Fragments(),
                     .schema = altered.schema,
                     .preserves_nullability = plan.preserves_nullability()};
  const std::set<int32_t> live = AllFieldIds(altered.schema.fields);
  for (Fragment& fragment : merge.fragments) {
    std::erase_if(fragment.files, [&](const DataFile& file) {
      return std::ranges::none_of(file.field_ids,
                                  [&](int32_t id) { return live.contains(id) || id < kTombstone; });
    });
  }
  files.Keep();
  return Commit(base, std::move(merge), options, [&] { files.Remove(); }, files.store(), context);
}

}  // namespace

Result<DatasetPtr> AddColumns(const io::StorePath& table,
                              const std::vector<NamedExpression>& columns,
                              const ChangeColumnsOptions& options,
                              const OperationContext& context) {
  if (columns.empty()) return InvalidArgument("there is no column to add");
  return OnNewest(table, options, context, [&](const Dataset& base) {
    return AddComputed(base, columns, options, context);
  });
}

Result<DatasetPtr> AddNullColumns(const io::StorePath& table,
                                  const std::shared_ptr<arrow::Schema>& schema,
                                  const ChangeColumnsOptions& options,
                                  const OperationContext& context) {
  return OnNewest(table, options, context, [&](const Dataset& base) -> Result<DatasetPtr> {
    ARROW_ASSIGN_OR_RAISE(const MergedSchema merged, MergeInto(base, *schema));
    for (const Field& field : merged.added.fields) {
      if (!field.nullable) {
        return InvalidArgument("cannot add column '", field.name,
                               "' without values: it must not be null");
      }
    }
    return Commit(base,
                  MergeColumns{.fragments = base.state().manifest.fragments,
                               .schema = merged.schema,
                               .preserves_nullability = merged.preserves_nullability},
                  options, context);
  });
}

Result<DatasetPtr> AddColumnsFrom(const Dataset& base, arrow::RecordBatchReader* data,
                                  const ChangeColumnsOptions& options,
                                  const OperationContext& context) {
  const Status writable = CheckWritable(base.state().manifest);
  if (!writable.ok()) return WithContext(writable, base.uri());
  ARROW_ASSIGN_OR_RAISE(const MergedSchema merged, MergeInto(base, *data->schema()));
  ARROW_ASSIGN_OR_RAISE(
      const uint16_t minor_version,
      MinorVersionOfRows(base.state(), options.data_storage_version, "write columns of"));
  ColumnFiles files(base, merged.added, minor_version, context);
  const auto rows = std::make_shared<NextRows>(data);
  ARROW_RETURN_NOT_OK(files.WriteInOrder(
      [&](const Fragment& fragment) -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
        rows->Allow(fragment.CountRows());
        return rows;
      }));
  rows->Allow(1);
  std::shared_ptr<arrow::RecordBatch> more;
  ARROW_RETURN_NOT_OK(rows->ReadNext(&more));
  if (more != nullptr) {
    return InvalidArgument("cannot add columns to ", base.uri(), ": the data has more than its ",
                           base.state().num_rows(), " rows");
  }
  return CommitFiles(
      base, {.schema = merged.schema, .preserves_nullability = merged.preserves_nullability},
      &files, options, context);
}

Result<DatasetPtr> DropColumns(const io::StorePath& table, const std::vector<std::string>& paths,
                               const ChangeColumnsOptions& options,
                               const OperationContext& context) {
  return OnNewest(table, options, context, [&](const Dataset& base) -> Result<DatasetPtr> {
    ARROW_ASSIGN_OR_RAISE(auto schema, WithoutFields(base.state().manifest.schema, paths));
    return Commit(base, ProjectSchema{.schema = std::move(schema), .preserves_nullability = true},
                  options, context);
  });
}

Result<DatasetPtr> AlterColumns(const io::StorePath& table,
                                const std::vector<ColumnAlteration>& alterations,
                                const ChangeColumnsOptions& options,
                                const OperationContext& context) {
  return OnNewest(table, options, context, [&](const Dataset& base) -> Result<DatasetPtr> {
    ARROW_ASSIGN_OR_RAISE(const AlteredSchema altered, Alter(base, alterations, context));
    if (altered.casts.empty()) {
      return Commit(
          base,
          ProjectSchema{.schema = altered.schema, .preserves_nullability = !altered.forbids_nulls},
          options, context);
    }
    if (altered.forbids_nulls) {
      return InvalidArgument(
          "cannot forbid nulls and change types in one call: change the types "
          "first");
    }
    return Recast(base, altered, options, context);
  });
}

Result<DatasetPtr> ReorderColumns(const io::StorePath& table, const std::vector<std::string>& names,
                                  const ChangeColumnsOptions& options,
                                  const OperationContext& context) {
  return OnNewest(table, options, context, [&](const Dataset& base) -> Result<DatasetPtr> {
    const Schema& before = base.state().manifest.schema;
    ARROW_ASSIGN_OR_RAISE(Schema after, before.Project(names));
    if (after.fields.size() != before.fields.size()) {
      return InvalidArgument("the new order names ", after.fields.size(), " of the ",
                             before.fields.size(), " columns");
    }
    after.metadata = before.metadata;
    return Commit(base, ProjectSchema{.schema = std::move(after), .preserves_nullability = true},
                  options, context);
  });
}

}  // namespace tusk::lance
