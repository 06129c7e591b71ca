#include "tusk/lance/table/fragment_wire.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <map>
#include <random>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/manifest_laws.h"
#include "tusk/lance/table/table_proto.h"
#include "tusk/lance/table/wire_format.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using testing::ElementsAre;

/// Manifest messages that pylance 14.0.2 wrote, by name; tests/corpus/lance_table/make_seeds.py.
std::map<std::string, std::string> PylanceManifests() {
  std::map<std::string, std::string> manifests;
  for (const auto& entry :
       std::filesystem::directory_iterator(TUSK_CORPUS_DIR "/lance_table/manifest")) {
    std::ifstream file(entry.path(), std::ios::binary);
    manifests[entry.path().filename()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return manifests;
}

proto::Manifest ParseWithProtobuf(std::string_view message) {
  proto::Manifest manifest;
  EXPECT_TRUE(ParseMessage(message, &manifest));
  return manifest;
}

std::string Message(const proto::DataFragment& fragment) { return fragment.SerializeAsString(); }

/// The message of a manifest with this one fragment.
std::string ManifestOf(std::string_view fragment) {
  std::string message;
  AppendBytes(proto::Manifest::kFragmentsFieldNumber, fragment, &message);
  return message;
}

proto::DataFragment SmallFragment() {
  proto::DataFragment fragment;
  fragment.set_id(300);
  fragment.set_physical_rows(1000);
  proto::DataFile* file = fragment.add_files();
  file->set_path("0101ab.lance");
  for (const int id : {0, 1, -2, 200}) file->add_fields(id);
  for (const int column : {0, 1, -1, 2}) file->add_column_indices(column);
  file->set_file_major_version(2);
  file->set_file_minor_version(2);
  file->set_file_size_bytes(uint64_t{1} << 40);
  file->set_base_id(0);
  return fragment;
}

bool IsDecoded(std::string_view message) {
  Fragment fragment;
  return FragmentDecoder().Decode(message, &fragment);
}

TEST(FragmentWireTest, ReadsAndWritesManifestsOfPylanceAsProtobufDoes) {
  const auto manifests = PylanceManifests();
  ASSERT_GE(manifests.size(), 6);
  for (const auto& [name, message] : manifests) EXPECT_TRUE(CheckManifest(message)) << name;
}

TEST(FragmentWireTest, NeedsNoProtobufForFragmentsOfPylance) {
  for (const auto& [name, message] : PylanceManifests()) {
    const proto::Manifest manifest = ParseWithProtobuf(message);
    for (const proto::DataFragment& fragment : manifest.fragments()) {
      EXPECT_TRUE(IsDecoded(Message(fragment))) << name << ", fragment " << fragment.id();
    }
  }
}

TEST(FragmentWireTest, ReadsEveryField) {
  proto::DataFragment message = SmallFragment();
  message.mutable_deletion_file()->set_file_type(1);
  message.mutable_deletion_file()->set_read_version(7);
  message.mutable_deletion_file()->set_id(uint64_t{1} << 63);
  message.mutable_deletion_file()->set_num_deleted_rows(1000);
  message.mutable_deletion_file()->set_base_id(4'294'967'295);
  message.set_inline_row_ids("");
  message.set_inline_created_at_versions("made");
  message.set_inline_last_updated_at_versions("\xFF");
  Fragment fragment;
  ASSERT_TRUE(FragmentDecoder().Decode(Message(message), &fragment));
  EXPECT_EQ(fragment.id, 300);
  EXPECT_EQ(fragment.physical_rows, 1000);
  ASSERT_EQ(fragment.files.size(), 1);
  const DataFile& file = fragment.files[0];
  EXPECT_EQ(file.path, "0101ab.lance");
  EXPECT_THAT(file.field_ids, ElementsAre(0, 1, -2, 200));
  EXPECT_THAT(file.column_indices, ElementsAre(0, 1, -1, 2));
  EXPECT_EQ(file.major_version, 2);
  EXPECT_EQ(file.minor_version, 2);
  EXPECT_EQ(file.size_bytes, uint64_t{1} << 40);
  EXPECT_EQ(file.base_id, 0);
  ASSERT_TRUE(fragment.deletion_file);
  EXPECT_EQ(fragment.deletion_file->type, DeletionFile::Type::kBitmap);
  EXPECT_EQ(fragment.deletion_file->read_version, 7);
  EXPECT_EQ(fragment.deletion_file->id, uint64_t{1} << 63);
  EXPECT_EQ(fragment.deletion_file->num_deleted_rows, 1000);
  EXPECT_EQ(fragment.deletion_file->base_id, 4'294'967'295);
  EXPECT_EQ(fragment.row_ids, "");
  EXPECT_EQ(fragment.created_at_versions, "made");
  EXPECT_EQ(fragment.last_updated_at_versions, "\xFF");
  EXPECT_TRUE(CheckManifest(ManifestOf(Message(message))));
}

TEST(FragmentWireTest, TakesFieldsOfTheFragmentBeforeOnlyIfTheyAreTheSame) {
  FragmentDecoder decoder;
  std::list<std::string> messages;
  const auto decode = [&](const proto::DataFragment& message) {
    Fragment fragment;
    EXPECT_TRUE(decoder.Decode(messages.emplace_back(Message(message)), &fragment));
    return fragment;
  };
  proto::DataFragment message = SmallFragment();
  proto::DataFile* second = message.add_files();
  second->set_path("second.lance");
  second->add_fields(5);
  second->add_column_indices(0);
  second->set_file_major_version(2);
  const Fragment a = decode(message);
  const Fragment b = decode(message);
  for (const int i : {0, 1}) {
    EXPECT_EQ(b.files[i].field_ids, a.files[i].field_ids);
    EXPECT_EQ(b.files[i].column_indices, a.files[i].column_indices);
  }
  message.mutable_files(0)->set_fields(1, 17);
  const Fragment c = decode(message);
  EXPECT_THAT(c.files[0].field_ids, ElementsAre(0, 17, -2, 200));
  EXPECT_THAT(a.files[0].field_ids, ElementsAre(0, 1, -2, 200));
}

TEST(FragmentWireTest, LeavesToProtobufWhatIsUnusual) {
  const std::string usual = Message(SmallFragment());
  ASSERT_TRUE(IsDecoded(usual));
  std::map<std::string, std::string> unusual;
  unusual["an unknown field"] = usual + std::string("\x7A\x01x", 3);
  unusual["a known field of another kind"] = usual + std::string("\x0D\x01\x00\x00\x00", 5);
  unusual["a group"] = usual + "\x7B\x7C";
  unusual["a tag of six bytes"] = usual + std::string("\x88\x80\x80\x80\x80\x00\x01", 7);
  unusual["a field number of 0"] = usual + std::string("\x00\x01", 2);
  unusual["a number of 65 bits"] = usual + "\x20\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F";
  unusual["a number without its end"] = usual + "\x20\xFF";
  unusual["an id above 32 bits"] = usual + "\x08\xFF\xFF\xFF\xFF\x7F";
  unusual["rows above 32 bits"] = usual + "\x20\xFF\xFF\xFF\xFF\x7F";
  unusual["row ids in a column"] = usual + std::string("\x62\x00", 2);
  unusual["row ids of a length beyond the end"] = usual + "\x2A\x05x";
  unusual["two deletion files"] = usual + std::string("\x1A\x02\x18\x01\x1A\x02\x10\x01", 8);
  unusual["a deletion file of a third type"] = usual + std::string("\x1A\x02\x08\x02", 4);
  unusual["more deletions than rows"] = usual + std::string("\x1A\x03\x20\xE9\x07", 5);
  const auto with_file = [&](const std::string& file) {
    std::string message = usual;
    AppendBytes(2, file, &message);
    return message;
  };
  unusual["fields one by one"] = with_file("\x0A\x01x\x10\x05\x18\x06");
  unusual["fields in two pieces"] = with_file("\x0A\x01x\x12\x01\x05\x12\x01\x06\x1A\x02\x01\x02");
  unusual["a field too many"] = with_file("\x0A\x01x\x12\x02\x05\x06\x1A\x01\x02\x20\x02");
  unusual["no path"] = with_file("");
  unusual["two paths"] = with_file("\x0A\x01x\x0A\x01y");
  unusual["a path that leaves its folder"] = with_file("\x0A\x04../x");
  unusual["a path that is no UTF-8"] = with_file("\x0A\x02x\xFF");
  unusual["a path of letters beyond ASCII"] = with_file("\x0A\x02\xC3\xA4");
  for (const auto& [what, message] : unusual) {
    EXPECT_FALSE(IsDecoded(message)) << what;
    // Whether it is refused or read, and as what, protobuf says.
    CheckManifest(ManifestOf(message));
  }
  EXPECT_TRUE(CheckManifest(ManifestOf(unusual["an unknown field"])));
  EXPECT_TRUE(CheckManifest(ManifestOf(unusual["fields one by one"])));
  EXPECT_TRUE(CheckManifest(ManifestOf(unusual["two deletion files"])));
  EXPECT_FALSE(CheckManifest(ManifestOf(unusual["more deletions than rows"])));
  EXPECT_FALSE(CheckManifest(ManifestOf(unusual["a path that leaves its folder"])));
}

TEST(FragmentWireTest, KeepsTheOrderOfFragmentsThatProtobufReads) {
  std::string message;
  for (const int id : {1, 2, 3, 4}) {
    proto::DataFragment fragment = SmallFragment();
    fragment.set_id(id);
    std::string bytes = Message(fragment);
    if (id % 2 == 0) bytes += std::string("\x7A\x01x", 3);
    AppendBytes(2, bytes, &message);
  }
  EXPECT_TRUE(CheckManifest(message));
  ASSERT_OK_AND_ASSIGN(const Manifest manifest, ParseManifest(message));
  EXPECT_EQ(manifest.fragments[0].carried, "");
  EXPECT_EQ(manifest.fragments[3].carried, std::string("\x7A\x01x", 3));
  EXPECT_EQ(manifest.fragments[3].id, 4);
}

TEST(FragmentWireTest, ReadsManifestsThatCannotBeTakenApart) {
  // A group between the fragments, with something in it that looks like one.
  const std::string one = ManifestOf(Message(SmallFragment()));
  EXPECT_TRUE(CheckManifest("\xA3\x06\x12\x01x\xA4\x06" + one));
  EXPECT_FALSE(CheckManifest("\xA3\x06" + one));
  EXPECT_FALSE(CheckManifest(one + "\x12"));
}

TEST(FragmentWireTest, AgreesWithProtobufOnEveryTruncation) {
  for (const auto& [name, message] : PylanceManifests()) {
    const size_t step = message.size() / 2'000 + 1;
    for (size_t length = 0; length < message.size(); length += step) {
      CheckManifest(std::string_view(message).substr(0, length));
    }
  }
}

TEST(FragmentWireTest, AgreesWithProtobufOnRandomDamage) {
  std::mt19937 random(11);
  int read = 0;
  for (const auto& [name, message] : PylanceManifests()) {
    if (message.size() > 20'000) continue;
    for (int round = 0; round < 1'000; ++round) {
      std::string damaged = message;
      for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      }
      read += CheckManifest(damaged) ? 1 : 0;
    }
  }
  EXPECT_GT(read, 100);
}

TEST(FragmentWireTest, WritesEveryFieldAsProtobufDoes) {
  Fragment fragment;
  fragment.id = 0;
  fragment.physical_rows = 0;
  fragment.files.push_back(
      {.path = "", .field_ids = {}, .column_indices = {}, .base_id = {}, .carried = {}});
  fragment.files.push_back({.path = "x",
                            .field_ids = {-2, 0, 1'000'000},
                            .column_indices = {1},
                            .major_version = 0,
                            .minor_version = 4'000'000'000,
                            .size_bytes = ~uint64_t{0},
                            .base_id = 0,
                            .carried = std::string("\x7A\x01x", 3)});
  fragment.deletion_file = DeletionFile{.base_id = 3, .carried = std::string("\x7A\x01y", 3)};
  fragment.row_ids = "";
  fragment.last_updated_at_versions = "u";
  fragment.created_at_versions = "c";
  fragment.carried = std::string("\x7A\x01z", 3);
  for (int columns = 0; columns < 8; ++columns) {
    fragment.row_ids_in_column = (columns & 1) != 0;
    fragment.last_updated_at_in_column = (columns & 2) != 0;
    fragment.created_at_in_column = (columns & 4) != 0;
    std::string written;
    FragmentEncoder().Append(2, fragment, &written);
    EXPECT_EQ(written, ManifestOf(Message(ToProto(fragment)))) << columns;
  }
}

}  // namespace
}  // namespace tusk::lance
