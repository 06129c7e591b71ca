#include "tusk/lance/table/manifest_file.h"

#include <fstream>
#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/feature_flags.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;
using testing::Pair;

/// Version 6 of a table that pylance 14.0.2 made: 1,000 rows with stable row ids in files of 600,
/// config and table metadata set, an index on `id`, rows deleted (id < 10), rows updated
/// (id % 50 = 0). tests/corpus/README.md says how.
std::string PylanceManifest() {
  std::ifstream file(TUSK_CORPUS_DIR "/lance_table/pylance_index_deletions.manifest",
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<Manifest> Parse(std::string_view bytes) {
  int64_t read_more = 0;
  return ParseManifestFile(bytes, static_cast<int64_t>(bytes.size()), &read_more);
}

TEST(ManifestFileTest, ReadsAManifestOfPylance) {
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, Parse(PylanceManifest()));
  EXPECT_EQ(manifest.version, 6);
  EXPECT_EQ(manifest.timestamp_ns / 1000, 1'795'213'860'922'524);
  EXPECT_EQ(manifest.reader_flags, kFlagDeletionFiles | kFlagStableRowIds);
  EXPECT_EQ(manifest.writer_flags, kFlagDeletionFiles | kFlagStableRowIds | kFlagTableConfig);
  EXPECT_EQ(manifest.max_fragment_id, 2);
  EXPECT_EQ(manifest.next_row_id, 1000);
  EXPECT_EQ(manifest.data_version, "2.2");
  EXPECT_THAT(manifest.config, ElementsAre(Pair("owner", "curator")));
  ASSERT_EQ(manifest.schema.fields.size(), 2);
  EXPECT_EQ(manifest.schema.fields[1].name, "s");
  EXPECT_EQ(manifest.schema.fields[1].id, 1);
  EXPECT_EQ(manifest.schema.fields[1].logical_type, "string");
  ASSERT_EQ(manifest.fragments.size(), 3);
  EXPECT_EQ(manifest.CountPhysicalRows(), 1019);
  const Fragment& first = manifest.fragments[0];
  EXPECT_EQ(first.physical_rows, 600);
  ASSERT_EQ(first.files.size(), 1);
  EXPECT_EQ(first.files[0].path, "001011000101100111000100b91507417ca4ac606e4c5a8ac4.lance");
  EXPECT_THAT(first.files[0].field_ids, ElementsAre(0, 1));
  EXPECT_THAT(first.files[0].column_indices, ElementsAre(0, 1));
  EXPECT_EQ(first.files[0].size_bytes, 6535);
  ASSERT_TRUE(first.deletion_file);
  EXPECT_EQ(first.deletion_file->type, DeletionFile::Type::kArrow);
  EXPECT_EQ(first.deletion_file->num_deleted_rows, 21);
  EXPECT_FALSE(manifest.fragments[2].deletion_file);
}

TEST(ManifestFileTest, WritesBackEverythingThatItRead) {
  ASSERT_OK_AND_ASSIGN(Manifest manifest, Parse(PylanceManifest()));
  const std::string index_section = "the index section";
  const std::string bytes = SerializeManifestFile(&manifest, index_section, "");
  EXPECT_EQ(manifest.index_section, 0);
  EXPECT_FALSE(manifest.transaction_section);
  ASSERT_OK_AND_ASSIGN(Manifest again, Parse(bytes));
  EXPECT_EQ(SerializeManifest(again), SerializeManifest(manifest));
  EXPECT_THAT(again.table_metadata, testing::Contains(testing::Pair(testing::_, "a table")));
  EXPECT_NE(bytes.find(index_section), std::string::npos);
}

TEST(ManifestFileTest, RefusesEveryTruncation) {
  const std::string bytes = PylanceManifest();
  ASSERT_GT(bytes.size(), 1000);
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(Parse(bytes.substr(0, length)), FailsWith(ErrorCode::kCorrupt)) << length;
    int64_t read_more = 0;
    const std::string tail = bytes.substr(bytes.size() - length);
    const auto parsed = ParseManifestFile(tail, static_cast<int64_t>(bytes.size()), &read_more);
    EXPECT_TRUE(!parsed.ok() || read_more > 0 || parsed->version == 6) << length;
  }
}

TEST(ManifestFileTest, SurvivesRandomDamage) {
  const std::string bytes = PylanceManifest();
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string damaged = bytes;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    }
    const auto parsed = Parse(damaged);
    if (!parsed.ok()) {
      ++refused;
      continue;
    }
    // What was accepted can be written and is then stable.
    Manifest manifest = *parsed;
    EXPECT_OK(Parse(SerializeManifestFile(&manifest, "", "")));
  }
  EXPECT_GT(refused, 500);
}

TEST(ManifestFileTest, RefusesWhatDoesNotFitTogether) {
  ASSERT_OK_AND_ASSIGN(const Manifest good, Parse(PylanceManifest()));
  const auto reparse = [](Manifest manifest) { return ParseManifest(SerializeManifest(manifest)); };
  ASSERT_OK(reparse(good));
  Manifest bad = good;
  bad.fragments[1].id = 0;
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = good;
  bad.fragments[1].id = uint64_t{1} << 32;
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = good;
  bad.fragments[0].files[0].path = "../../etc/passwd";
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = good;
  bad.fragments[0].files[0].column_indices.pop_back();
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = good;
  bad.fragments[0].deletion_file->num_deleted_rows = 601;
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
  bad = good;
  bad.transaction_file = "../x.txn";
  EXPECT_THAT(reparse(bad), FailsWith(ErrorCode::kCorrupt));
}

TEST(ManifestFileTest, NamesVersionsInBothSchemes) {
  EXPECT_EQ(ManifestPath(1, ManifestNaming::kV2), "_versions/18446744073709551614.manifest");
  EXPECT_EQ(ManifestPath(12, ManifestNaming::kV1), "_versions/12.manifest");
  const auto v2 = ParseManifestName("18446744073709551603.manifest");
  ASSERT_TRUE(v2);
  EXPECT_EQ(v2->version, 12);
  EXPECT_EQ(v2->naming, ManifestNaming::kV2);
  EXPECT_EQ(v2->path, "_versions/18446744073709551603.manifest");
  const auto v1 = ParseManifestName("12.manifest");
  ASSERT_TRUE(v1);
  EXPECT_EQ(v1->version, 12);
  EXPECT_EQ(v1->naming, ManifestNaming::kV1);
  for (const char* name :
       {"", ".manifest", "latest_version_hint.json", "d9223372036854775809.manifest",
        "12.manifest-x", "12x.manifest", "-1.manifest", "18446744073709551615.manifest",
        "0.manifest", "99999999999999999999.manifest", "1.manifest.manifest", ".tmp/1.manifest"}) {
    EXPECT_FALSE(ParseManifestName(name)) << name;
  }
}

TEST(FeatureFlagsTest, RefusesUnknownBitsByName) {
  ASSERT_OK_AND_ASSIGN(Manifest manifest, Parse(PylanceManifest()));
  EXPECT_OK(CheckReadable(manifest));
  EXPECT_OK(CheckWritable(manifest));
  manifest.writer_flags |= kFlagNonReusableFieldIds;
  EXPECT_OK(CheckReadable(manifest));
  Status status = CheckWritable(manifest);
  EXPECT_THAT(status, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(status.message(), testing::HasSubstr("bit 15 (non-reusable field ids)"));
  manifest.reader_flags |= kFlagDataOverlays | uint64_t{1} << 63;
  status = CheckReadable(manifest);
  EXPECT_THAT(status, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(status.message(), testing::HasSubstr("bit 6 (data overlay files)"));
  EXPECT_THAT(status.message(), testing::HasSubstr("bit 63 (unknown to this build)"));
}

}  // namespace
}  // namespace tusk::lance
