#include "tusk/lance/table/column_files.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/blob_input.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/field_ids.h"
#include "tusk/lance/table/projection.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

/// Rows of a fragment in which every row is deleted are all null.
constexpr int64_t kNullRows = 64 << 10;

class RowsWithDeleted final : public arrow::RecordBatchReader {
 public:
  RowsWithDeleted(arrow::RecordBatchReader* rows, const Fragment& fragment, const Schema& schema,
                  std::shared_ptr<const DeletedRows> deleted, const OperationContext& context)
      : rows_(rows),
        fragment_(fragment),
        schema_(schema),
        deleted_(std::move(deleted)),
        context_(context) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      ARROW_RETURN_NOT_OK(rows_->ReadNext(&batch));
    } while (batch != nullptr && batch->num_rows() == 0);
    if (batch == nullptr) return Finish(out);
    live_ += batch->num_rows();
    if (live_ > fragment_.CountRows()) {
      return InvalidArgument("there are more than the ", fragment_.CountRows(),
                             " rows of fragment ", fragment_.id);
    }
    // Deleted rows stand before the row that they are a copy of, but for those at the end.
    if (deleted_ == nullptr) {
      *out = std::move(batch);
      return Status::OK();
    }
    const bool is_last = live_ == fragment_.CountRows();
    const int64_t end = is_last ? fragment_.physical_rows : deleted_->OffsetOf(live_ - 1) + 1;
    ARROW_ASSIGN_OR_RAISE(*out, Spread(*batch, end));
    next_ = end;
    return Status::OK();
  }

 private:
  /// The rows of the fragment from `next_` to `end`, of which `batch` has those not deleted.
  Result<std::shared_ptr<arrow::RecordBatch>> Spread(const arrow::RecordBatch& batch,
                                                     int64_t end) const {
    arrow::Int64Builder numbers(context_.pool);
    arrow::Int64Builder or_null(context_.pool);
    ARROW_RETURN_NOT_OK(numbers.Reserve(end - next_));
    ARROW_RETURN_NOT_OK(or_null.Reserve(end - next_));
    int64_t row = 0;
    auto run = std::ranges::upper_bound(deleted_->runs(), next_, {}, &DeletedRows::Run::end);
    for (int64_t offset = next_; offset < end; ++offset) {
      if (run != deleted_->runs().end() && offset >= run->end) ++run;
      const bool is_deleted = run != deleted_->runs().end() && offset >= run->begin;
      numbers.UnsafeAppend(std::min(row, batch.num_rows() - 1));
      if (is_deleted) {
        or_null.UnsafeAppendNull();
      } else {
        or_null.UnsafeAppend(row++);
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto neighbours, numbers.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto nulls, or_null.Finish());
    arrow::ArrayVector columns;
    for (int i = 0; i < batch.num_columns(); ++i) {
      // Nobody wants a copy of a large value that is not there.
      const Field* field = schema_.FindField(batch.column_name(i));
      const bool has_nulls = field != nullptr && field->nullable && HasBlobs(*field);
      ARROW_ASSIGN_OR_RAISE(
          const auto taken,
          TakeRows(batch.column_data(i), (has_nulls ? nulls : neighbours)->data(), context_.pool));
      columns.push_back(arrow::MakeArray(taken));
    }
    return arrow::RecordBatch::Make(batch.schema(), end - next_, std::move(columns));
  }

  Status Finish(std::shared_ptr<arrow::RecordBatch>* out) {
    out->reset();
    if (live_ < fragment_.CountRows()) {
      return InvalidArgument("there are ", live_, " of the ", fragment_.CountRows(),
                             " rows of fragment ", fragment_.id);
    }
    const int64_t length = std::min(fragment_.physical_rows - next_, kNullRows);
    if (fragment_.CountRows() > 0 || length == 0) return Status::OK();
    arrow::ArrayVector columns;
    for (const auto& field : schema()->fields()) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(),
                            arrow::MakeArrayOfNull(field->type(), length, context_.pool));
    }
    next_ += length;
    *out = arrow::RecordBatch::Make(schema(), length, std::move(columns));
    return Status::OK();
  }

  arrow::RecordBatchReader* rows_;
  const Fragment& fragment_;
  const Schema& schema_;
  const std::shared_ptr<const DeletedRows> deleted_;
  const OperationContext& context_;
  int64_t live_ = 0;  ///< rows that were read
  int64_t next_ = 0;  ///< the offset of the next row to give
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> WithDeletedRows(arrow::RecordBatchReader* rows,
                                                                  const Dataset::State& state,
                                                                  const Fragment& fragment,
                                                                  const Schema& schema,
                                                                  const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto deleted, state.FindDeletedRows(fragment, context));
  return std::make_shared<RowsWithDeleted>(rows, fragment, schema, std::move(deleted), context);
}

Result<DataFile> WriteColumnFile(arrow::RecordBatchReader* rows, const Dataset::State& state,
                                 const Fragment& fragment, const Schema& schema,
                                 uint16_t minor_version, const io::StorePath& target,
                                 const OperationContext& context) {
  WriteOptions options;
  options.max_rows_per_file = options.max_bytes_per_file = std::numeric_limits<int64_t>::max();
  ARROW_ASSIGN_OR_RAISE(const auto all, WithDeletedRows(rows, state, fragment, schema, context));
  const bool has_addresses = rows->schema()->GetFieldIndex(std::string(kRowAddressColumn)) >= 0;
  const BlobWriteScope scope{.base_paths = state.manifest.base_paths,
                             .source = has_addresses ? &state : nullptr};
  ARROW_ASSIGN_OR_RAISE(auto written, WriteFragments(all.get(), target, schema, minor_version,
                                                     options, scope, context));
  if (written.size() == 1 && written[0].physical_rows == fragment.physical_rows) {
    return std::move(written[0].files[0]);
  }
  RemoveDataFiles(state.location, written, context);
  return Corrupt("fragment ", fragment.id, " of ", state.location.path, " claims ",
                 fragment.physical_rows, " rows, but others were found");
}

Fragment WithColumnFile(Fragment fragment, DataFile file, const std::set<int32_t>& fields) {
  for (DataFile& old : fragment.files) {
    for (int32_t& id : old.field_ids) {
      if (fields.contains(id)) id = kTombstone;
    }
  }
  std::erase_if(fragment.files, [](const DataFile& old) {
    return std::ranges::all_of(old.field_ids, [](int32_t id) { return id == kTombstone; });
  });
  fragment.files.push_back(std::move(file));
  return fragment;
}

}  // namespace tusk::lance
