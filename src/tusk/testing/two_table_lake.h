#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "tusk/lake/lake.h"

// A lake with two tables that get the same ids in every joint commit: items.pictures (Lance) and
// items.pictures_meta (Iceberg). Tests ask whether the ids on both sides agree.
namespace tusk::lake {

using Ids = std::vector<int64_t>;

inline catalog::TableName LanceName() { return *catalog::TableName::Parse("items.pictures"); }
inline catalog::TableName IcebergName() {
  return *catalog::TableName::Parse("items.pictures_meta");
}

/// The Lance table's root in the lake at `root`, for those who go by path.
inline std::string LancePath(const std::string& root) {
  return root + "/tables/items/pictures.lance";
}

/// `count` ids from `first` on.
inline Ids Range(int64_t first, int64_t count) {
  Ids ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

/// The two sorted and joined.
inline Ids Union(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::ranges::sort(a);
  return a;
}

/// A batch with columns id (int64) and text (utf8, null for every third id).
inline std::shared_ptr<arrow::RecordBatchReader> Rows(const Ids& ids) {
  arrow::Int64Builder id;
  arrow::StringBuilder text;
  for (const int64_t value : ids) {
    (void)id.Append(value);
    (void)(value % 3 == 0 ? text.AppendNull() : text.Append("text " + std::to_string(value)));
  }
  const auto schema =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8())});
  const auto batch = arrow::RecordBatch::Make(schema, static_cast<int64_t>(ids.size()),
                                              {*id.Finish(), *text.Finish()});
  return *arrow::RecordBatchReader::Make({batch}, schema);
}

/// The same ids for both tables.
inline std::vector<TableAppend> Appends(const Ids& ids) {
  std::vector<TableAppend> appends(2);
  appends[0].name = LanceName();
  appends[0].kind = catalog::TableKind::kLance;
  appends[0].data = Rows(ids);
  appends[1].name = IcebergName();
  appends[1].kind = catalog::TableKind::kIceberg;
  appends[1].data = Rows(ids);
  return appends;
}

/// Appends the same ids to both tables in one joint commit.
inline Result<int64_t> AppendIds(Lake& lake, const Ids& ids, const OperationContext& context) {
  CommitInfo info;
  info.message = std::to_string(ids.size()) + " ids";
  info.author = "test";
  return lake.Append(Appends(ids), info, context);
}

/// The ids that a reader gives, sorted. Corrupt if a text does not belong to its id.
inline Result<Ids> ReadIds(arrow::RecordBatchReader& reader) {
  ARROW_ASSIGN_OR_RAISE(const auto table, reader.ToTable());
  ARROW_ASSIGN_OR_RAISE(const auto batch, table->CombineChunksToBatch());
  const auto id = std::dynamic_pointer_cast<arrow::Int64Array>(batch->GetColumnByName("id"));
  const auto text = std::dynamic_pointer_cast<arrow::StringArray>(batch->GetColumnByName("text"));
  if (id == nullptr || text == nullptr) return Corrupt("columns id and text are not as written");
  Ids ids;
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    const int64_t value = id->Value(i);
    const bool agrees =
        value % 3 == 0 ? text->IsNull(i)
                       : text->IsValid(i) && text->GetView(i) == "text " + std::to_string(value);
    if (!agrees) return Corrupt("the text of id ", value, " is another one");
    ids.push_back(value);
  }
  std::ranges::sort(ids);
  return ids;
}

/// The ids of one side, as a reader through the lake sees them; none if there is no such table.
inline Result<Ids> LanceIds(const Lake& lake, const OperationContext& context) {
  const auto dataset = lake.OpenLance(LanceName(), context);
  if (GetErrorCode(dataset.status()) == ErrorCode::kNotFound) return Ids();
  ARROW_RETURN_NOT_OK(dataset);
  ARROW_ASSIGN_OR_RAISE(const auto reader, (*dataset)->Scan({}, context));
  return ReadIds(*reader);
}

inline Result<Ids> IcebergIds(const Lake& lake, const OperationContext& context) {
  const auto table = lake.OpenIceberg(IcebergName(), context);
  if (GetErrorCode(table.status()) == ErrorCode::kNotFound) return Ids();
  ARROW_RETURN_NOT_OK(table);
  ARROW_ASSIGN_OR_RAISE(const auto reader, (*table)->Scan({}, context));
  return ReadIds(*reader);
}

/// The ids of the Lance table as a reader by path sees them; none if there is no such table.
inline Result<Ids> LanceIdsByPath(const std::string& root, const OperationContext& context) {
  const auto dataset = lance::Dataset::Open(LancePath(root), {}, context);
  if (GetErrorCode(dataset.status()) == ErrorCode::kNotFound) return Ids();
  ARROW_RETURN_NOT_OK(dataset);
  ARROW_ASSIGN_OR_RAISE(const auto reader, (*dataset)->Scan({}, context));
  return ReadIds(*reader);
}

/// Appends to the Lance table by its path, as a writer that does not know of the lake.
inline Status AppendByPath(const std::string& root, const Ids& ids,
                           const OperationContext& context) {
  lance::WriteOptions options;
  options.mode = lance::WriteMode::kAppend;
  return lance::WriteDataset(Rows(ids).get(), LancePath(root), options, context).status();
}

}  // namespace tusk::lake
