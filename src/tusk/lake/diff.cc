#include "tusk/lake/diff.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/base/sha256.h"
#include "tusk/lake/content_ids.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/row_bytes.h"

namespace tusk::lake {
namespace {

/// Half of a SHA-256: enough to tell any number of ids apart.
using IdDigest = std::array<uint8_t, 16>;

/// A row as it is compared: which it is, and what is in it.
struct Row {
  IdDigest id = {};
  uint64_t content = 0;
};

/// One side of a comparison: a table at a joint version, which may not be there.
class Side {
 public:
  static Result<Side> Open(const Lake& lake, const std::optional<catalog::TableEntry>& entry,
                           const OperationContext& context) {
    Side side;
    if (!entry) return side;
    if (entry->kind == catalog::TableKind::kLance) {
      ARROW_ASSIGN_OR_RAISE(side.lance_, lake.OpenLance(entry->name, context));
      ARROW_ASSIGN_OR_RAISE(side.rows_, side.lance_->CountRows(nullptr, context));
    } else {
      ARROW_ASSIGN_OR_RAISE(side.iceberg_, lake.OpenIceberg(entry->name, context));
      ARROW_ASSIGN_OR_RAISE(side.rows_, side.iceberg_->CountRows(nullptr, {}, context));
    }
    return side;
  }

  int64_t rows() const { return rows_; }
  /// Null if there is no table.
  std::shared_ptr<arrow::Schema> schema() const {
    if (lance_ != nullptr) return lance_->schema();
    return iceberg_ == nullptr ? nullptr : iceberg_->schema();
  }

  /// Calls `visit` with every batch of the columns.
  Status Visit(const std::vector<std::string>& columns,
               const std::function<Status(const arrow::RecordBatch&)>& visit,
               const OperationContext& context) const {
    if (schema() == nullptr || columns.empty()) return Status::OK();
    std::shared_ptr<arrow::RecordBatchReader> reader;
    if (lance_ != nullptr) {
      lance::ScanOptions options;
      options.columns = columns;
      ARROW_ASSIGN_OR_RAISE(reader, lance_->Scan(options, context));
    } else {
      iceberg::ScanOptions options;
      options.columns = columns;
      ARROW_ASSIGN_OR_RAISE(reader, iceberg_->Scan(options, context));
    }
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(context.CheckStop());
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) return Status::OK();
      ARROW_RETURN_NOT_OK(visit(*batch));
    }
  }

 private:
  std::shared_ptr<const lance::Dataset> lance_;
  std::shared_ptr<const iceberg::Table> iceberg_;
  int64_t rows_ = 0;
};

bool IsBinary(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY ||
         type.id() == arrow::Type::FIXED_SIZE_BINARY;
}

/// The columns that both sides have in the same type and that are compared.
std::vector<std::string> SharedColumns(const arrow::Schema& before, const arrow::Schema& after,
                                       const DiffOptions& options) {
  std::vector<std::string> columns;
  for (const auto& field : before.fields()) {
    const auto other = after.GetFieldByName(field->name());
    if (other == nullptr || !other->type()->Equals(*field->type())) continue;
    if (field->name() == options.id_column) continue;
    if (IsBinary(*field->type()) && !options.compare_binary) continue;
    columns.push_back(field->name());
  }
  return columns;
}

/// An id as text: what is listed.
Result<std::string> IdText(const arrow::Array& ids, int64_t row) {
  if (ids.IsNull(row)) return InvalidArgument("an id is null: another column must be the id");
  switch (ids.type_id()) {
    case arrow::Type::STRING:
      return static_cast<const arrow::StringArray&>(ids).GetString(row);
    case arrow::Type::LARGE_STRING:
      return static_cast<const arrow::LargeStringArray&>(ids).GetString(row);
    default:
      break;
  }
  if (ids.type()->num_fields() > 0) {
    return InvalidArgument("the id column is of type ", ids.type()->ToString(),
                           ": nested values cannot be ids");
  }
  ARROW_ASSIGN_OR_RAISE(const auto scalar, ids.GetScalar(row));
  return scalar->ToString();
}

Result<IdDigest> DigestOf(const std::string& text) {
  // A content id is a hash already.
  auto digest = ParseContentId(text);
  if (!digest.ok()) {
    ARROW_ASSIGN_OR_RAISE(const std::string hex,
                          Sha256Hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
    digest = ParseContentId(hex);
  }
  ARROW_RETURN_NOT_OK(digest);
  IdDigest id;
  std::copy_n(digest->begin(), id.size(), id.begin());
  return id;
}

/// All rows of a side, ascending by id; rows of one id are one.
Result<std::vector<Row>> ReadRows(const Side& side, const std::string& id_column,
                                  const std::vector<std::string>& columns,
                                  const OperationContext& context) {
  std::vector<Row> rows;
  rows.reserve(side.rows());
  std::vector<std::string> wanted = {id_column};
  wanted.insert(wanted.end(), columns.begin(), columns.end());
  std::string bytes;
  ARROW_RETURN_NOT_OK(side.Visit(
      wanted,
      [&](const arrow::RecordBatch& batch) -> Status {
        for (int64_t i = 0; i < batch.num_rows(); ++i) {
          ARROW_ASSIGN_OR_RAISE(const std::string text, IdText(*batch.column(0), i));
          bytes.clear();
          for (int c = 1; c < batch.num_columns(); ++c) {
            AppendValueBytes(*batch.column(c), i, &bytes);
          }
          Row row{.id = {}, .content = std::hash<std::string_view>()(bytes)};
          ARROW_ASSIGN_OR_RAISE(row.id, DigestOf(text));
          rows.push_back(row);
        }
        if (context.progress != nullptr) {
          context.progress->Report("rows", std::ssize(rows), side.rows());
        }
        return Status::OK();
      },
      context));
  std::ranges::sort(rows, {}, &Row::id);
  // Rows of one id stand side by side now: their contents add up, in whatever order they came.
  size_t last = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].id == rows[last].id) {
      rows[last].content += rows[i].content;
    } else {
      rows[++last] = rows[i];
    }
  }
  if (!rows.empty()) rows.resize(last + 1);
  return rows;
}

/// Counts ids and remembers the first so many of them.
class IdSet {
 public:
  explicit IdSet(int64_t max_listed) : max_listed_(max_listed) {}
  void Add(const IdDigest& id) {
    ++count_;
    if (std::ssize(listed_) < max_listed_) listed_.insert(id);
  }
  int64_t count() const { return count_; }
  const std::set<IdDigest>& listed() const { return listed_; }

 private:
  const int64_t max_listed_;
  int64_t count_ = 0;
  std::set<IdDigest> listed_;
};

struct Changes {
  explicit Changes(int64_t max_listed)
      : added(max_listed), removed(max_listed), changed(max_listed) {}
  IdSet added;
  IdSet removed;
  IdSet changed;
};

void Compare(const std::vector<Row>& before, const std::vector<Row>& after, Changes* changes) {
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->id < now->id)) {
      changes->removed.Add((old++)->id);
    } else if (old == before.end() || now->id < old->id) {
      changes->added.Add((now++)->id);
    } else {
      if (old->content != now->content) changes->changed.Add(now->id);
      ++old;
      ++now;
    }
  }
}

/// The texts of the ids, in the order of their digests.
Status ListTexts(
    const Side& side, const std::string& id_column,
    const std::vector<std::pair<const std::set<IdDigest>*, std::vector<std::string>*>>& wanted,
    const OperationContext& context) {
  std::map<IdDigest, std::string> texts;
  for (const auto& [ids, out] : wanted) {
    for (const IdDigest& id : *ids) texts.emplace(id, "");
  }
  if (texts.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(side.Visit(
      {id_column},
      [&](const arrow::RecordBatch& batch) -> Status {
        for (int64_t i = 0; i < batch.num_rows(); ++i) {
          ARROW_ASSIGN_OR_RAISE(std::string text, IdText(*batch.column(0), i));
          ARROW_ASSIGN_OR_RAISE(const IdDigest id, DigestOf(text));
          const auto found = texts.find(id);
          if (found != texts.end()) found->second = std::move(text);
        }
        return Status::OK();
      },
      context));
  for (const auto& [ids, out] : wanted) {
    for (const IdDigest& id : *ids) out->push_back(texts.at(id));
  }
  return Status::OK();
}

bool HasText(const arrow::Schema* schema, const std::string& column) {
  const auto field = schema == nullptr ? nullptr : schema->GetFieldByName(column);
  return field != nullptr && field->type()->id() == arrow::Type::STRING;
}

using LabelCounts = std::map<std::optional<std::string>, LabelCount>;

Status CountLabels(const Side& side, const std::string& column, int64_t LabelCount::* counter,
                   LabelCounts* counts, const OperationContext& context) {
  if (!HasText(side.schema().get(), column)) return Status::OK();
  return side.Visit(
      {column},
      [&](const arrow::RecordBatch& batch) {
        const auto& labels = static_cast<const arrow::StringArray&>(*batch.column(0));
        for (int64_t i = 0; i < labels.length(); ++i) {
          auto label = labels.IsNull(i) ? std::nullopt : std::optional(labels.GetString(i));
          LabelCount& count = (*counts)[label];
          count.label = std::move(label);
          ++(count.*counter);
        }
        return Status::OK();
      },
      context);
}

Status DiffIds(const Side& before, const Side& after, const DiffOptions& options, TableDiff* diff,
               const OperationContext& context) {
  const auto old_schema = before.schema();
  const auto new_schema = after.schema();
  const auto has_id = [&](const std::shared_ptr<arrow::Schema>& schema) {
    return schema == nullptr || schema->GetFieldByName(options.id_column) != nullptr;
  };
  diff->has_ids = has_id(old_schema) && has_id(new_schema);
  if (!diff->has_ids) return Status::OK();
  const std::vector<std::string> columns = old_schema == nullptr || new_schema == nullptr
                                               ? std::vector<std::string>()
                                               : SharedColumns(*old_schema, *new_schema, options);
  Changes changes(options.max_listed);
  {
    ARROW_ASSIGN_OR_RAISE(const auto old_rows,
                          ReadRows(before, options.id_column, columns, context));
    ARROW_ASSIGN_OR_RAISE(const auto new_rows,
                          ReadRows(after, options.id_column, columns, context));
    Compare(old_rows, new_rows, &changes);
  }
  diff->added = changes.added.count();
  diff->removed = changes.removed.count();
  diff->changed = changes.changed.count();
  ARROW_RETURN_NOT_OK(ListTexts(before, options.id_column,
                                {{&changes.removed.listed(), &diff->removed_ids}}, context));
  return ListTexts(after, options.id_column,
                   {{&changes.added.listed(), &diff->added_ids},
                    {&changes.changed.listed(), &diff->changed_ids}},
                   context);
}

Result<TableDiff> DiffTable(const Side& before, const Side& after, const catalog::TableEntry& entry,
                            const DiffOptions& options, const OperationContext& context) {
  TableDiff diff{.name = entry.name,
                 .kind = entry.kind,
                 .rows_before = before.rows(),
                 .rows_after = after.rows()};
  diff.schema_changed = before.schema() != nullptr && after.schema() != nullptr &&
                        !before.schema()->Equals(*after.schema(), /*check_metadata=*/false);
  ARROW_RETURN_NOT_OK(DiffIds(before, after, options, &diff, context));
  LabelCounts counts;
  ARROW_RETURN_NOT_OK(
      CountLabels(before, options.label_column, &LabelCount::before, &counts, context));
  ARROW_RETURN_NOT_OK(
      CountLabels(after, options.label_column, &LabelCount::after, &counts, context));
  for (auto& [label, count] : counts) diff.labels.push_back(std::move(count));
  return diff;
}

using Entries = std::map<catalog::TableName, catalog::TableEntry>;

Result<Entries> EntriesAt(const Lake& lake, const OperationContext& context) {
  Entries entries;
  ARROW_ASSIGN_OR_RAISE(auto tables, lake.Tables(context));
  for (catalog::TableEntry& entry : tables) entries.emplace(entry.name, std::move(entry));
  return entries;
}

std::optional<catalog::TableEntry> Find(const Entries& entries, const catalog::TableName& name) {
  const auto found = entries.find(name);
  return found == entries.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Result<std::vector<TableDiff>> Diff(const Lake& lake, int64_t before, int64_t after,
                                    const DiffOptions& options, const OperationContext& context) {
  if (options.max_listed < 0) return InvalidArgument("a list of ", options.max_listed, " ids");
  const io::StorePath& root = lake.state().parts.root;
  ARROW_ASSIGN_OR_RAISE(const auto old_lake, Lake::Open(root, before, context));
  ARROW_ASSIGN_OR_RAISE(const auto new_lake, Lake::Open(root, after, context));
  ARROW_ASSIGN_OR_RAISE(const Entries old_tables, EntriesAt(*old_lake, context));
  ARROW_ASSIGN_OR_RAISE(const Entries new_tables, EntriesAt(*new_lake, context));
  std::set<catalog::TableName> names(options.tables.begin(), options.tables.end());
  if (names.empty()) {
    for (const auto& [name, entry] : old_tables) names.insert(name);
    for (const auto& [name, entry] : new_tables) names.insert(name);
  }
  std::vector<TableDiff> diffs;
  for (const catalog::TableName& name : names) {
    const auto old_entry = Find(old_tables, name);
    const auto new_entry = Find(new_tables, name);
    if (!old_entry && !new_entry) {
      return NotFound("no table '", name.ToString(), "' at joint version ", before, " or ", after);
    }
    if (old_entry && new_entry && old_entry->pointer.path == new_entry->pointer.path) continue;
    const std::string what = "comparing table '" + name.ToString() + "'";
    auto diff = [&]() -> Result<TableDiff> {
      ARROW_ASSIGN_OR_RAISE(const Side old_side, Side::Open(*old_lake, old_entry, context));
      ARROW_ASSIGN_OR_RAISE(const Side new_side, Side::Open(*new_lake, new_entry, context));
      return DiffTable(old_side, new_side, new_entry ? *new_entry : *old_entry, options, context);
    }();
    if (!diff.ok()) return WithContext(diff.status(), what);
    diffs.push_back(*std::move(diff));
  }
  return diffs;
}

}  // namespace tusk::lake
