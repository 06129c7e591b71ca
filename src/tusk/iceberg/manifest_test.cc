#include "tusk/iceberg/manifest.h"

#include <fstream>
#include <iterator>
#include <limits>

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/schema.h"
#include "tusk/testing/matchers.h"

namespace tusk::iceberg {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string CorpusFile(const std::string& name) {
  std::ifstream file(std::string(TUSK_TEST_CORPUS) + "/iceberg/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

DataFile SomeFile(std::string path) {
  DataFile file;
  file.path = std::move(path);
  file.format = "PARQUET";
  file.record_count = 1000;
  file.size_bytes = 5'000'000'000;
  file.column_sizes = {{1, 100}, {2, 200}};
  file.value_counts = {{1, 1000}};
  file.null_value_counts = {{1, 0}};
  file.nan_value_counts = {{2, 3}};
  file.lower_bounds = {{1, std::string("\0\1", 2)}};
  file.upper_bounds = {{1, "\xFF"}, {2, ""}};
  file.split_offsets = {4, 1'000'000};
  return file;
}

ManifestFile SomeManifest() {
  ManifestFile manifest;
  manifest.path = "/t/metadata/m0.avro";
  manifest.length = 6000;
  manifest.sequence_number = 3;
  manifest.min_sequence_number = 2;
  manifest.added_snapshot_id = 1'234'567'890'123;
  manifest.added_files = 2;
  manifest.existing_files = 1;
  manifest.deleted_files = 0;
  manifest.added_rows = 2000;
  manifest.existing_rows = 7;
  manifest.deleted_rows = 0;
  return manifest;
}

/// A data manifest that adds `files` in snapshot 42.
Result<std::string> FormatDataManifest(const std::vector<DataFile>& files,
                                       ManifestHeader header = {.schema_json = "{}",
                                                                .schema_id = 3,
                                                                .spec = {},
                                                                .partition_fields = {}},
                                       ManifestFile* listed = nullptr) {
  ManifestBuilder builder(std::move(header));
  for (const DataFile& file : files) {
    ManifestEntry entry;
    entry.snapshot_id = 42;
    entry.file = file;
    ARROW_RETURN_NOT_OK(builder.Append(entry));
  }
  ManifestFile ignored;
  return builder.Finish(7, listed == nullptr ? &ignored : listed);
}

void ExpectSame(const DataFile& read, const DataFile& written) {
  EXPECT_EQ(read.path, written.path);
  EXPECT_EQ(read.format, written.format);
  EXPECT_EQ(read.content, written.content);
  EXPECT_EQ(read.record_count, written.record_count);
  EXPECT_EQ(read.size_bytes, written.size_bytes);
  EXPECT_EQ(read.column_sizes, written.column_sizes);
  EXPECT_EQ(read.value_counts, written.value_counts);
  EXPECT_EQ(read.null_value_counts, written.null_value_counts);
  EXPECT_EQ(read.nan_value_counts, written.nan_value_counts);
  EXPECT_EQ(read.lower_bounds, written.lower_bounds);
  EXPECT_EQ(read.upper_bounds, written.upper_bounds);
  EXPECT_EQ(read.split_offsets, written.split_offsets);
}

TEST(ManifestTest, FindsFieldsByIdInAForeignFile) {
  for (const std::string codec : {"null", "deflate"}) {
    ASSERT_OK_AND_ASSIGN(const auto entries,
                         ParseManifest(CorpusFile("foreign_manifest_" + codec + ".avro")));
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].change, ManifestEntry::Change::kAdded);
    EXPECT_EQ(entries[0].snapshot_id, -5);
    EXPECT_EQ(entries[0].sequence_number, std::nullopt);
    EXPECT_EQ(entries[0].file.path, "/t/data/a.parquet");
    EXPECT_EQ(entries[0].file.format, "parquet");
    EXPECT_EQ(entries[0].file.record_count, 7);
    EXPECT_EQ(entries[0].file.size_bytes, 1234);
    EXPECT_THAT(entries[0].file.value_counts, ElementsAre(Pair(1, 7), Pair(2, 300)));
    EXPECT_THAT(entries[0].file.lower_bounds, ElementsAre(Pair(1, std::string("\1\0\0\0", 4))));
    EXPECT_THAT(entries[0].file.split_offsets, ElementsAre(4, 1000));
    EXPECT_EQ(entries[1].change, ManifestEntry::Change::kDeleted);
    EXPECT_EQ(entries[1].snapshot_id, std::nullopt);
    EXPECT_EQ(entries[1].file.path, "/t/data/b.parquet");
    EXPECT_TRUE(entries[1].file.value_counts.empty());
  }
}

TEST(ManifestTest, ReadsBackWhatItWrote) {
  const std::vector<DataFile> files = {SomeFile("/t/data/1.parquet"), SomeFile("/t/data/2.parquet"),
                                       [] {
                                         DataFile bare;
                                         bare.path = "/t/data/3.parquet";
                                         bare.format = "PARQUET";
                                         return bare;
                                       }()};
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FormatDataManifest(files));
  ASSERT_OK_AND_ASSIGN(const auto entries, ParseManifest(bytes));
  ASSERT_EQ(entries.size(), files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(entries[i].change, ManifestEntry::Change::kAdded);
    EXPECT_EQ(entries[i].snapshot_id, 42);
    EXPECT_EQ(entries[i].sequence_number, std::nullopt);  // inherited
    EXPECT_EQ(entries[i].file_sequence_number, std::nullopt);
    ExpectSame(entries[i].file, files[i]);
  }
  ASSERT_OK_AND_ASSIGN(const AvroFile avro, AvroFile::Parse(bytes));
  EXPECT_EQ(avro.metadata().find("format-version")->second, "2");
  EXPECT_EQ(avro.metadata().find("content")->second, "data");
  EXPECT_EQ(avro.metadata().find("schema-id")->second, "3");
  EXPECT_EQ(avro.metadata().find("partition-spec")->second, "[]");
}

TEST(ManifestTest, RefusesEveryTruncation) {
  for (const std::string& bytes :
       {CorpusFile("foreign_manifest_null.avro"), CorpusFile("foreign_manifest_deflate.avro")}) {
    int read_as_empty = 0;
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto entries = ParseManifest(std::string_view(bytes).substr(0, size));
      // Only a cut right behind the header leaves a well-formed file: one without entries.
      if (entries.ok() && entries->empty()) {
        ++read_as_empty;
        continue;
      }
      EXPECT_THAT(entries, FailsWith(ErrorCode::kCorrupt)) << size;
    }
    EXPECT_EQ(read_as_empty, 1);
  }
}

TEST(ManifestTest, RefusesEntriesThatCannotBe) {
  AvroFileBuilder without_file(
      R"({"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0}]})",
      {});
  ASSERT_OK_AND_ASSIGN(const std::string bytes, without_file.Finish());
  EXPECT_THAT(ParseManifest(bytes), FailsWith(ErrorCode::kCorrupt));
  // A status of 3 and a count below zero do not exist.
  DataFile negative = SomeFile("/t/data/1.parquet");
  negative.record_count = -1;
  ASSERT_OK_AND_ASSIGN(const std::string hostile, FormatDataManifest({negative}));
  EXPECT_THAT(ParseManifest(hostile), FailsWith(ErrorCode::kCorrupt));
}

TEST(ManifestListTest, ReadsBackWhatItWrote) {
  ManifestFile deletes = SomeManifest();
  deletes.content = FileContent::kPositionDeletes;  // written as 1, deletes of either kind
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       FormatManifestList({SomeManifest(), deletes}, 9, 8, 3));
  ASSERT_OK_AND_ASSIGN(const auto manifests, ParseManifestList(bytes));
  ASSERT_EQ(manifests.size(), 2U);
  const ManifestFile written = SomeManifest();
  EXPECT_EQ(manifests[0].path, written.path);
  EXPECT_EQ(manifests[0].length, written.length);
  EXPECT_EQ(manifests[0].partition_spec_id, 0);
  EXPECT_EQ(manifests[0].content, FileContent::kData);
  EXPECT_EQ(manifests[0].sequence_number, written.sequence_number);
  EXPECT_EQ(manifests[0].min_sequence_number, written.min_sequence_number);
  EXPECT_EQ(manifests[0].added_snapshot_id, written.added_snapshot_id);
  EXPECT_EQ(manifests[0].added_files, 2);
  EXPECT_EQ(manifests[0].existing_files, 1);
  EXPECT_EQ(manifests[0].deleted_files, 0);
  EXPECT_EQ(manifests[0].added_rows, 2000);
  EXPECT_EQ(manifests[0].existing_rows, 7);
  EXPECT_EQ(manifests[0].deleted_rows, 0);
  EXPECT_EQ(manifests[1].content, FileContent::kPositionDeletes);
}

TEST(ManifestListTest, KeepsPartitionSummariesAndKeyMetadata) {
  ManifestFile partitioned = SomeManifest();
  partitioned.partitions = {{.contains_null = true,
                             .contains_nan = false,
                             .lower_bound = std::string("\1\0\0\0", 4),
                             .upper_bound = std::string("\x7F\0\0\0", 4)},
                            {.contains_null = false}};
  partitioned.key_metadata = "secret";
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       FormatManifestList({partitioned, SomeManifest()}, 1, std::nullopt, 1));
  ASSERT_OK_AND_ASSIGN(const auto manifests, ParseManifestList(bytes));
  ASSERT_EQ(manifests.size(), 2U);
  ASSERT_TRUE(manifests[0].partitions.has_value());
  ASSERT_EQ(manifests[0].partitions->size(), 2U);
  const PartitionSummary& first = manifests[0].partitions->front();
  EXPECT_TRUE(first.contains_null);
  EXPECT_EQ(first.contains_nan, false);
  EXPECT_EQ(first.lower_bound, partitioned.partitions->front().lower_bound);
  EXPECT_EQ(first.upper_bound, partitioned.partitions->front().upper_bound);
  EXPECT_EQ(manifests[0].partitions->back().contains_nan, std::nullopt);
  EXPECT_EQ(manifests[0].partitions->back().lower_bound, std::nullopt);
  EXPECT_EQ(manifests[0].key_metadata, "secret");
  EXPECT_EQ(manifests[1].partitions, std::nullopt);
  EXPECT_EQ(manifests[1].key_metadata, std::nullopt);
}

TEST(ManifestListTest, DoesNotMakeUpCounts) {
  ManifestFile uncounted = SomeManifest();
  uncounted.deleted_rows.reset();
  EXPECT_THAT(FormatManifestList({uncounted}, 1, std::nullopt, 1),
              FailsWith(ErrorCode::kUnsupported));
}

/// A partition field of each type that values can have.
arrow::FieldVector EveryPartitionType() {
  arrow::FieldVector fields;
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  for (const auto& type :
       {arrow::boolean(), arrow::int32(), arrow::int64(), arrow::float32(), arrow::float64(),
        arrow::date32(), arrow::time64(arrow::TimeUnit::MICRO), utc, arrow::utf8(), arrow::binary(),
        arrow::fixed_size_binary(3), arrow::decimal128(9, 2), arrow::decimal128(38, 0)}) {
    const int32_t id = 1000 + static_cast<int32_t>(fields.size());
    fields.push_back(WithFieldId(arrow::field("a column, so named", type), id));
  }
  fields.push_back(MarkUuid(WithFieldId(arrow::field("1", arrow::fixed_size_binary(16)), 2000)));
  return fields;
}

/// A value of each type, in single-value serialization.
std::vector<std::string> EveryPartitionValue() {
  return {std::string(1, 1),
          std::string("\xFE\xFF\xFF\xFF", 4),
          std::string("\1\0\0\0\0\0\0\x80", 8),
          std::string("\0\0\x90\xC0", 4),
          std::string("\0\0\0\0\0\0\xF0\x3F", 8),
          std::string("\xFF\xFF\xFF\xFF", 4),
          std::string("\0\1\0\0\0\0\0\0", 8),
          std::string("\0\0\0\0\0\0\0\x80", 8),
          "ü",
          "",
          "",          // set by the test: it has a zero byte
          "\xFA\x74",  // -14.20
          "",
          "0123456789abcdef"};
}

TEST(ManifestTest, ReadsBackEveryPartitionTypeAndSumsItUp) {
  const arrow::FieldVector fields = EveryPartitionType();
  std::vector<std::string> values = EveryPartitionValue();
  values[10] = std::string("\x80\0\1", 3);
  values[12] = std::string("\0\x80", 2);
  ManifestHeader header{.schema_json = "{}", .spec = {.spec_id = 9}, .partition_fields = fields};
  for (const auto& field : fields) {
    header.spec.fields.push_back(
        {.source_id = 1, .field_id = *FieldId(*field), .name = field->name(), .transform = {}});
  }
  DataFile full = SomeFile("/t/data/1.parquet");
  DataFile empty = SomeFile("/t/data/2.parquet");
  for (size_t i = 0; i < fields.size(); ++i) {
    full.partition[*FieldId(*fields[i])] = values[i];
    empty.partition[*FieldId(*fields[i])] = std::nullopt;
  }
  ManifestFile listed;
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FormatDataManifest({full, empty}, header, &listed));
  ASSERT_OK_AND_ASSIGN(const auto entries, ParseManifest(bytes));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].file.partition, full.partition);
  EXPECT_EQ(entries[1].file.partition, empty.partition);
  EXPECT_EQ(listed.partition_spec_id, 9);
  EXPECT_EQ(listed.added_files, 2);
  EXPECT_EQ(listed.added_rows, 2000);
  EXPECT_EQ(listed.min_sequence_number, 7);
  ASSERT_EQ(listed.partitions->size(), fields.size());
  for (size_t i = 0; i < fields.size(); ++i) {
    EXPECT_TRUE((*listed.partitions)[i].contains_null) << i;
    EXPECT_EQ((*listed.partitions)[i].lower_bound, values[i]) << i;
    EXPECT_EQ((*listed.partitions)[i].upper_bound, values[i]) << i;
  }
}

TEST(ManifestTest, RefusesPartitionValuesThatAreNone) {
  ManifestHeader header{.schema_json = "{}",
                        .spec = {},
                        .partition_fields = {WithFieldId(arrow::field("p", arrow::int32()), 1000)}};
  DataFile file = SomeFile("/t/data/1.parquet");
  file.partition[1000] = "abc";
  EXPECT_THAT(FormatDataManifest({file}, header), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(ManifestTest, WritesAnyTrueAsAvroHasIt) {
  // In single-value form every byte but 0 is true, and other writers may have left one.
  ManifestHeader header{
      .schema_json = "{}",
      .spec = {},
      .partition_fields = {WithFieldId(arrow::field("p", arrow::boolean()), 1000)}};
  DataFile file = SomeFile("/t/data/1.parquet");
  file.partition[1000] = "\x02";
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FormatDataManifest({file}, header));
  ASSERT_OK_AND_ASSIGN(const auto entries, ParseManifest(bytes));
  EXPECT_EQ(entries.at(0).file.partition.at(1000), "\x01");
}

TEST(ManifestTest, KeepsWhatIsKnownOfSomeColumnsOnly) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       FormatDataManifest({SomeFile("/t/data/1.parquet")}));
  ASSERT_OK_AND_ASSIGN(auto reader,
                       ManifestReader::Open(arrow::Buffer::FromString(bytes), {.columns = {{2}}}));
  std::vector<ManifestEntry> entries;
  ASSERT_OK_AND_ASSIGN(const bool more, reader.Next(&entries));
  ASSERT_TRUE(more);
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_THAT(entries[0].file.column_sizes, ElementsAre(Pair(2, 200)));
  EXPECT_TRUE(entries[0].file.value_counts.empty());
  EXPECT_THAT(entries[0].file.upper_bounds, ElementsAre(Pair(2, "")));
  EXPECT_THAT(entries[0].file.split_offsets, ElementsAre(4, 1'000'000));
  ASSERT_OK_AND_ASSIGN(const bool after, reader.Next(&entries));
  EXPECT_FALSE(after);
}

TEST(ManifestTest, IsReadAThousandEntriesAtATime) {
  std::vector<DataFile> files;
  for (int i = 0; i < 2500; ++i) {
    DataFile& file = files.emplace_back();
    file.path = "/t/data/" + std::to_string(i);
    file.format = "PARQUET";
    // Ten times as large as what is handed out at once.
    if (i == 1100) file.lower_bounds[1] = std::string(10 << 20, 'x');
  }
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FormatDataManifest(files));
  ASSERT_OK_AND_ASSIGN(auto reader, ManifestReader::Open(arrow::Buffer::FromString(bytes)));
  std::vector<size_t> sizes;
  std::vector<ManifestEntry> entries;
  int next = 0;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const bool more, reader.Next(&entries));
    if (!more) break;
    sizes.push_back(entries.size());
    for (const ManifestEntry& entry : entries) {
      EXPECT_EQ(entry.file.path, "/t/data/" + std::to_string(next++));
    }
  }
  EXPECT_THAT(sizes, ElementsAre(1000, 101, 1000, 399));
}

TEST(ManifestTest, RefusesToTakeMemoryOutOfProportion) {
  DataFile file;
  file.path = "/t";
  file.format = "PARQUET";
  const std::vector<DataFile> files(200'000, file);
  ASSERT_OK_AND_ASSIGN(const std::string bytes, FormatDataManifest(files));
  ASSERT_LT(bytes.size(), 40'000U);
  EXPECT_THAT(ParseManifest(bytes), FailsWith(ErrorCode::kCorrupt));
  // Step by step it takes no memory to speak of.
  ASSERT_OK_AND_ASSIGN(auto reader, ManifestReader::Open(arrow::Buffer::FromString(bytes)));
  std::vector<ManifestEntry> entries;
  size_t count = 0;
  bool more = true;
  while (more) {
    ASSERT_OK_AND_ASSIGN(more, reader.Next(&entries));
    count += entries.size();
  }
  EXPECT_EQ(count, files.size());

  const std::vector<ManifestFile> manifests(400'000, SomeManifest());
  ASSERT_OK_AND_ASSIGN(const std::string list, FormatManifestList(manifests, 9, 8, 3));
  EXPECT_THAT(ParseManifestList(list), FailsWith(ErrorCode::kCorrupt));
}

TEST(ManifestTest, RefusesMoreRowsThanCanBeCounted) {
  DataFile huge = SomeFile("/t/data/1.parquet");
  huge.record_count = std::numeric_limits<int64_t>::max();
  EXPECT_OK(FormatDataManifest({huge}));
  EXPECT_THAT(FormatDataManifest({huge, SomeFile("/t/data/2.parquet")}),
              FailsWith(ErrorCode::kCorrupt));
}

TEST(FieldMapTest, SortsAndKeepsTheLastOfEqualIds) {
  const FieldMap<int> map({{3, 1}, {1, 2}, {3, 4}});
  EXPECT_THAT(map, ElementsAre(Pair(1, 2), Pair(3, 4)));
  EXPECT_EQ(map.Find(2), nullptr);
  FieldMap<int> grown;
  grown[5] = 1;
  grown[2] = 2;
  grown[5] = 3;
  EXPECT_THAT(grown, ElementsAre(Pair(2, 2), Pair(5, 3)));
}

}  // namespace
}  // namespace tusk::iceberg
