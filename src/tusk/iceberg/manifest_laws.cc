#include "tusk/iceberg/manifest_laws.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include "tusk/expr/predicate.h"
#include "tusk/iceberg/file_pruning.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"
#include "tusk/iceberg/transform.h"
#include "tusk/testing/fuzz_input.h"

namespace tusk::iceberg {
namespace {

using expr::Predicate;

/// A column, by a value of it.
struct Column {
  std::shared_ptr<arrow::Scalar> value;
  std::vector<std::string> transforms;
};

const std::vector<Column>& Columns() {
  const auto bytes = [](const std::string& text) { return arrow::Buffer::FromString(text); };
  static const auto* columns = new std::vector<Column>{
      {arrow::MakeScalar(true), {"identity"}},
      {arrow::MakeScalar(7), {"identity", "truncate[10]", "bucket[4]"}},
      {arrow::MakeScalar(int64_t{-7}), {"identity", "truncate[10]", "bucket[4]"}},
      {arrow::MakeScalar(1.5F), {"identity"}},
      {arrow::MakeScalar(0.0), {"identity"}},
      {*arrow::MakeScalar(arrow::date32(), -1), {"identity", "year", "month", "day", "bucket[4]"}},
      {*arrow::MakeScalar(arrow::time64(arrow::TimeUnit::MICRO), int64_t{1}),
       {"identity", "bucket[4]"}},
      {*arrow::MakeScalar(arrow::timestamp(arrow::TimeUnit::MICRO), int64_t{-1}),
       {"year", "month", "day", "hour"}},
      {arrow::MakeScalar("abc"), {"identity", "truncate[3]", "bucket[4]", "void"}},
      {std::make_shared<arrow::BinaryScalar>(bytes("abc")),
       {"identity", "truncate[3]", "bucket[4]"}},
      {std::make_shared<arrow::FixedSizeBinaryScalar>(bytes("0123456789abcdef"),
                                                      arrow::fixed_size_binary(16)),
       {"identity", "bucket[4]"}},
      {std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(-150), arrow::decimal128(9, 2)),
       {"identity", "truncate[50]", "bucket[4]"}},
  };
  return *columns;
}

/// Columns 1 and up, in the order of Columns().
std::shared_ptr<arrow::Schema> TableFields() {
  arrow::FieldVector fields;
  for (const Column& column : Columns()) {
    const auto id = static_cast<int32_t>(fields.size()) + 1;
    fields.push_back(WithFieldId(arrow::field("c" + std::to_string(id), column.value->type), id));
  }
  return arrow::schema(fields);
}

/// Every transform over every column that takes it: 1000 and up.
PartitionSpec EveryTransform() {
  PartitionSpec spec;
  int32_t source_id = 0;
  for (const Column& column : Columns()) {
    ++source_id;
    for (const std::string& transform : column.transforms) {
      const auto id = 1000 + static_cast<int32_t>(spec.fields.size());
      spec.fields.push_back({.source_id = source_id,
                             .field_id = id,
                             .name = "p" + std::to_string(id),
                             .transform = *Transform::Parse(transform)});
    }
  }
  return spec;
}

/// For each column and each kind of leaf a pruner that has it alone.
std::vector<FilePruner> MakePruners() {
  std::vector<FilePruner> pruners;
  const auto schema = TableFields();
  const std::map<int32_t, PartitionSpec> specs = {{0, EveryTransform()}};
  for (int i = 0; i < schema->num_fields(); ++i) {
    for (const auto kind :
         {Predicate::Kind::kLess, Predicate::Kind::kGreaterEqual, Predicate::Kind::kEqual,
          Predicate::Kind::kNotIn, Predicate::Kind::kIsNull, Predicate::Kind::kIsNan}) {
      Predicate leaf{.kind = kind, .path = {schema->field(i)->name()}};
      if (kind != Predicate::Kind::kIsNull && kind != Predicate::Kind::kIsNan) {
        leaf.values = {Columns()[static_cast<size_t>(i)].value};
      }
      auto pruner = FilePruner::Make(leaf, *schema, specs);
      Require(pruner.status(), "a pruner of a leaf");
      pruners.push_back(*std::move(pruner));
    }
  }
  return pruners;
}

const std::vector<FilePruner>& Pruners() {
  static const auto* pruners = new std::vector<FilePruner>(MakePruners());
  return *pruners;
}

Result<std::vector<ManifestEntry>> ReadBySteps(std::span<const uint8_t> file,
                                               const ManifestReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto reader, ManifestReader::Open(ExactCopy(file), options));
  std::vector<ManifestEntry> entries;
  std::vector<ManifestEntry> some;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&some));
    Require(more != some.empty(), "entries come until there are none");
    if (!more) return entries;
    std::ranges::move(some, std::back_inserter(entries));
  }
}

template <typename T>
FieldMap<T> Only(const FieldMap<T>& map, int32_t column) {
  return map.contains(column) ? FieldMap<T>{{column, map.at(column)}} : FieldMap<T>();
}

/// `entry` with the counts and bounds of `column` alone.
ManifestEntry WithColumn(ManifestEntry entry, int32_t column) {
  DataFile& file = entry.file;
  file.column_sizes = Only(file.column_sizes, column);
  file.value_counts = Only(file.value_counts, column);
  file.null_value_counts = Only(file.null_value_counts, column);
  file.nan_value_counts = Only(file.nan_value_counts, column);
  file.lower_bounds = Only(file.lower_bounds, column);
  file.upper_bounds = Only(file.upper_bounds, column);
  return entry;
}

/// The fields of the partitions of EveryTransform().
const arrow::FieldVector& EveryPartitionField() {
  static const auto* fields = [] {
    const auto schema = TableFields();
    auto made =
        PartitionFields(EveryTransform(), [&](int32_t id) { return FindFieldById(*schema, id); });
    Require(made.status(), "fields of the partitions");
    return new arrow::FieldVector(*std::move(made));
  }();
  return *fields;
}

/// A partition value in the form that its type has: other bytes may stand for the same, as 4 do for
/// what was an int and is a long.
std::optional<std::string> Normal(const arrow::Field& field,
                                  const std::optional<std::string>& value) {
  const auto scalar = value ? ParseSingleValue(*value, field.type()) : nullptr;
  return scalar == nullptr ? value : SingleValue(*scalar);
}

/// `entry` as the manifests of EveryTransform() keep it.
ManifestEntry AsWritten(ManifestEntry entry) {
  if (entry.change == ManifestEntry::Change::kAdded) {
    entry.sequence_number.reset();
    entry.file_sequence_number.reset();
  }
  entry.file.equality_ids.clear();
  entry.file.referenced_data_file.reset();
  FieldMap<std::optional<std::string>> partition;
  for (const auto& field : EveryPartitionField()) {
    const int32_t id = *FieldId(*field);
    const auto* value = entry.file.partition.Find(id);
    partition[id] = value == nullptr ? std::nullopt : Normal(*field, *value);
  }
  entry.file.partition = std::move(partition);
  return entry;
}

/// A manifest of `entries`, or what is wrong with their partitions.
Result<std::string> Write(const std::vector<ManifestEntry>& entries) {
  ManifestBuilder builder(
      {.schema_json = "{}", .spec = EveryTransform(), .partition_fields = EveryPartitionField()});
  for (const ManifestEntry& entry : entries) ARROW_RETURN_NOT_OK(builder.Append(entry));
  ManifestFile listed;
  return builder.Finish(/*sequence_number=*/7, &listed);
}

}  // namespace

void CheckManifest(std::span<const uint8_t> file) {
  const auto entries = ReadBySteps(file, {});
  if (!entries.ok()) return RequireRefusal(entries.status());
  const auto all = ParseManifest(AsText(file));
  if (!all.ok()) return RequireRefusal(all.status());
  Require(*all == *entries, "entries are the same at once and step by step");
  constexpr int32_t kColumn = 2;
  const auto some = ReadBySteps(file, {.columns = {{kColumn}}});
  Require(some.status(), "what is read with all columns is read with one");
  Require(some->size() == entries->size(), "every entry is there with one column");
  for (size_t i = 0; i < entries->size(); ++i) {
    Require((*some)[i] == WithColumn((*entries)[i], kColumn), "a column has what all have of it");
    for (const FilePruner& pruner : Pruners()) (void)pruner.MayMatch((*entries)[i].file, 0);
  }
  const auto written = Write(*entries);
  if (!written.ok()) return RequireRefusal(written.status());
  const auto again = ParseManifest(*written);
  Require(again.status(), "what is written is read");
  Require(again->size() == entries->size(), "every entry is written");
  for (size_t i = 0; i < entries->size(); ++i) {
    Require(AsWritten((*again)[i]) == AsWritten((*entries)[i]), "an entry is read as written");
  }
}

void CheckManifestList(std::span<const uint8_t> file) {
  const auto bytes = ExactCopy(file);
  const auto manifests = ParseManifestList(std::string_view(*bytes));
  if (!manifests.ok()) return RequireRefusal(manifests.status());
  for (const ManifestFile& manifest : *manifests) {
    for (const FilePruner& pruner : Pruners()) (void)pruner.MayMatch(manifest);
  }
  const auto written = FormatManifestList(*manifests, 1, std::nullopt, 1);
  if (!written.ok()) return RequireRefusal(written.status());
  auto again = ParseManifestList(*written);
  Require(again.status(), "what is written is read");
  Require(again->size() == manifests->size(), "every manifest is written");
  for (size_t i = 0; i < manifests->size(); ++i) {
    ManifestFile manifest = (*manifests)[i];
    // Lists tell deletes of either kind by one number.
    if (manifest.content != FileContent::kData) manifest.content = FileContent::kPositionDeletes;
    Require((*again)[i] == manifest, "a manifest is read as written");
  }
}

}  // namespace tusk::iceberg
