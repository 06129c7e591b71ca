#include "tusk/lance/file/describe.h"

#include <numeric>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/array/array_encoding.pb.h"
#include "tusk/lance/file/column.pb.h"
#include "tusk/lance/file/page_layout.pb.h"
#include "tusk/lance/file/writer.h"
#include "tusk/testing/matchers.h"
#include "tusk/testing/numbered_rows.h"

namespace tusk::lance {
namespace {

using testing::HasSubstr;

std::string Typed(const std::string& url, const std::string& message) {
  proto::TypedMessage typed;
  typed.set_type_url(url);
  typed.set_value(message);
  return typed.SerializeAsString();
}

std::string Typed(const proto::PageLayout& layout) {
  return Typed("/lance.encodings21.PageLayout", layout.SerializeAsString());
}

TEST(DescribeEncodingTest, ShowsAMiniBlockPage) {
  proto::PageLayout layout;
  proto::MiniBlockLayout* to = layout.mutable_mini_block_layout();
  proto::ValueEncoding::Fsst* fsst = to->mutable_value_compression()->mutable_fsst();
  fsst->set_symbol_table(std::string(2312, 'x'));
  fsst->mutable_values()->mutable_variable()->mutable_offsets()->mutable_flat()->set_bits_per_value(
      32);
  to->mutable_def_compression()
      ->mutable_rle()
      ->mutable_values()
      ->mutable_flat()
      ->set_bits_per_value(16);
  to->add_layers(proto::NULLABLE_ITEM);
  to->add_layers(proto::NULL_AND_EMPTY_LIST);
  to->set_num_buffers(1);
  to->set_repetition_index_depth(1);
  to->set_num_items(77);
  ASSERT_OK_AND_ASSIGN(const DescribedEncoding page, DescribeEncoding(Typed(layout), 3));
  EXPECT_EQ(page.layout, "mini_block");
  EXPECT_EQ(page.codecs, "fsst > variable");
  EXPECT_EQ(page.num_values, 77);
  EXPECT_EQ(page.encoding.ToString(),
            "MiniBlockLayout(layers=[nullable_item null_and_empty_list], num_buffers=1, "
            "repetition_index_depth=1, num_items=77, has_large_chunk=false, "
            "def_compression=Rle(values=Flat(bits_per_value=16)), "
            "value_compression=Fsst(symbol_table=2312 bytes, "
            "values=Variable(offsets=Flat(bits_per_value=32))))");
}

TEST(DescribeEncodingTest, NamesEachLayout) {
  proto::PageLayout full_zip;
  full_zip.mutable_full_zip_layout()->set_bits_per_value(3072);
  full_zip.mutable_full_zip_layout()->set_num_items(9);
  full_zip.mutable_full_zip_layout()->set_num_visible_items(7);
  proto::ValueEncoding* values = full_zip.mutable_full_zip_layout()->mutable_value_compression();
  values->mutable_general()->mutable_compression()->set_scheme(2);
  values->mutable_general()->mutable_values()->mutable_variable();
  ASSERT_OK_AND_ASSIGN(DescribedEncoding page, DescribeEncoding(Typed(full_zip), 1));
  EXPECT_EQ(page.layout, "full_zip");
  EXPECT_EQ(page.codecs, "zstd > variable");
  EXPECT_EQ(page.num_values, 7);

  proto::PageLayout blob;
  *blob.mutable_blob_layout()->mutable_inner_layout() = full_zip;
  ASSERT_OK_AND_ASSIGN(page, DescribeEncoding(Typed(blob), 1));
  EXPECT_EQ(page.layout, "blob");
  EXPECT_THAT(page.encoding.ToString(), HasSubstr("inner_layout=FullZipLayout("));

  proto::PageLayout constant;
  constant.mutable_constant_layout()->add_layers(proto::NULLABLE_ITEM);
  for (const auto& [buffers, name] : std::vector<std::pair<size_t, std::string>>{
           {0, "all_null"}, {1, "constant"}, {2, "all_null"}, {3, "constant"}}) {
    ASSERT_OK_AND_ASSIGN(page, DescribeEncoding(Typed(constant), buffers));
    EXPECT_EQ(page.layout, name) << buffers;
    EXPECT_EQ(page.num_values, std::nullopt);
  }
  constant.mutable_constant_layout()->set_inline_value("abcd");
  ASSERT_OK_AND_ASSIGN(page, DescribeEncoding(Typed(constant), 0));
  EXPECT_EQ(page.layout, "constant");
  EXPECT_THAT(page.encoding.ToString(), HasSubstr("inline_value=4 bytes"));
}

TEST(DescribeEncodingTest, ShowsPagesOfVersion20) {
  proto::ArrayEncoding encoding;
  auto* nulls = encoding.mutable_nullable()->mutable_some_nulls();
  nulls->mutable_validity()->mutable_flat()->set_bits_per_value(1);
  proto::DictionaryArray* dictionary = nulls->mutable_values()->mutable_dictionary();
  dictionary->set_num_dictionary_items(5);
  dictionary->mutable_indices()->mutable_flat()->set_bits_per_value(8);
  dictionary->mutable_indices()->mutable_flat()->mutable_buffer()->set_index(1);
  dictionary->mutable_items()->mutable_binary();
  ASSERT_OK_AND_ASSIGN(
      const DescribedEncoding page,
      DescribeEncoding(Typed("/lance.encodings.ArrayEncoding", encoding.SerializeAsString()), 2));
  EXPECT_EQ(page.layout, "array");
  EXPECT_EQ(page.codecs, "dictionary > flat");
  EXPECT_EQ(page.encoding.ToString(),
            "Nullable(nulls=some, validity=Flat(bits_per_value=1, buffer=page 0), "
            "values=Dictionary(num_dictionary_items=5, "
            "indices=Flat(bits_per_value=8, buffer=page 1), items=Binary(null_adjustment=0)))");
}

TEST(DescribeEncodingTest, ShowsWhatNoReaderKnows) {
  ASSERT_OK_AND_ASSIGN(DescribedEncoding page,
                       DescribeEncoding(Typed("/lance.encodings23.PlanarLayout", "abc"), 1));
  EXPECT_EQ(page.encoding.ToString(), "PlanarLayout(description=3 bytes)");
  ASSERT_OK_AND_ASSIGN(page, DescribeEncoding(Typed("/a.\xff\n", ""), 1));
  EXPECT_EQ(page.encoding.name, "Unknown");
  ASSERT_OK_AND_ASSIGN(page, DescribeEncoding(Typed("/lance.encodings21.PageLayout", ""), 1));
  EXPECT_EQ(page.layout, "unknown");
  EXPECT_THAT(DescribeEncoding("\xff\xff", 1), FailsWith(ErrorCode::kCorrupt));
  for (const char* url : {"/lance.encodings21.PageLayout", "/lance.encodings.ArrayEncoding"}) {
    EXPECT_THAT(DescribeEncoding(Typed(url, "\xff\xff"), 1), FailsWith(ErrorCode::kCorrupt));
  }
}

class DescribeFileTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto rows = NumberedRows(0, 3000);
    ASSERT_OK_AND_ASSIGN(Schema schema, Schema::FromArrow(*rows->schema()));
    ASSERT_OK_AND_ASSIGN(auto writer,
                         FileWriter::Open(file_.store.get(), file_.path, std::move(schema),
                                          {.page_bytes = 4096}, {}));
    for (const int64_t begin : {0, 1000, 2000}) ASSERT_OK(writer->Write(*rows->Slice(begin, 1000)));
    ASSERT_OK(writer->Finish());
    ASSERT_OK_AND_ASSIGN(const auto bytes, file_.store->Get(file_.path, {}));
    bytes_ = bytes->ToString();
  }

  Result<FileDescription> Describe(const std::string& bytes) {
    ARROW_RETURN_NOT_OK(file_.store->Put("changed", bytes, {}));
    return DescribeFile({.store = file_.store, .path = "changed"}, {});
  }

  const io::StorePath file_{.store = io::MakeMemoryStore(), .path = "f"};
  std::string bytes_;
};

TEST_F(DescribeFileTest, CountsWhatIsThere) {
  ASSERT_OK_AND_ASSIGN(const FileDescription file, DescribeFile(file_, {}));
  EXPECT_EQ(file.num_bytes, std::ssize(bytes_));
  EXPECT_EQ(file.num_rows, 3000);
  EXPECT_EQ(file.version, "2.2");
  EXPECT_TRUE(file.schema->Equals(*NumberedSchema()));
  ASSERT_EQ(file.columns.size(), 5);
  const std::vector<std::string> fields = {"id", "name", "flag", "score", "vector"};
  int64_t bytes = file.num_global_buffer_bytes + file.num_column_metadata_bytes;
  for (size_t i = 0; i < 5; ++i) {
    const ColumnDescription& column = file.columns[i];
    EXPECT_EQ(column.field, fields[i]);
    EXPECT_EQ(column.content, "values");
    EXPECT_EQ(column.num_values, 3000);
    int64_t rows = 0;
    int64_t pages = 0;
    for (const PageDescription& page : column.pages) {
      EXPECT_EQ(page.first_row, rows);
      rows += page.num_rows;
      bytes += page.num_bytes;
    }
    EXPECT_EQ(rows, 3000);
    for (const auto& [encoding, count] : column.CountEncodings()) pages += count;
    EXPECT_EQ(pages, std::ssize(column.pages));
  }
  EXPECT_EQ(file.columns[4].logical_type, "fixed_size_list:float:4");
  EXPECT_GT(file.columns[4].pages.size(), 5);
  // The rest is padding, the table of buffers and the footer.
  EXPECT_LE(bytes, file.num_bytes);
  EXPECT_GT(bytes, file.num_bytes * 9 / 10);
}

TEST_F(DescribeFileTest, RefusesEveryTruncation) {
  for (size_t size = 0; size < bytes_.size(); size += size < bytes_.size() - 3000 ? 97 : 1) {
    EXPECT_FALSE(Describe(bytes_.substr(0, size)).ok()) << size;
  }
}

TEST_F(DescribeFileTest, SurvivesEveryFlippedByteOfItsMetadata) {
  ASSERT_OK_AND_ASSIGN(const FileDescription whole, DescribeFile(file_, {}));
  const size_t begin = static_cast<size_t>(whole.num_data_bytes);
  int64_t refused = 0;
  for (size_t at = begin; at < bytes_.size(); ++at) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 0xFF);
    const auto described = Describe(changed);
    refused += described.ok() ? 0 : 1;
    if (!described.ok()) {
      EXPECT_THAT(described.status().message(), HasSubstr("changed"));
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(DescribeFileTest, RefusesColumnsThatShareTheirMetadata) {
  // A table of many entries that all point at the same large piece would take their product.
  std::string bytes(1 << 20, 'x');
  const auto table = static_cast<uint64_t>(bytes.size());
  constexpr uint32_t kColumns = 10'000;
  for (uint32_t i = 0; i < kColumns; ++i) {
    AppendLittle<uint64_t>(0, &bytes);
    AppendLittle<uint64_t>(1 << 20, &bytes);
  }
  const auto buffers = static_cast<uint64_t>(bytes.size());
  AppendLittle<uint64_t>(0, &bytes);
  AppendLittle<uint64_t>(0, &bytes);
  for (const uint64_t position : {table, table, buffers}) AppendLittle(position, &bytes);
  AppendLittle<uint32_t>(1, &bytes);
  AppendLittle<uint32_t>(kColumns, &bytes);
  AppendLittle<uint16_t>(2, &bytes);
  AppendLittle<uint16_t>(2, &bytes);
  bytes += "LANC";
  const auto described = Describe(bytes);
  EXPECT_THAT(described, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(described.status().message(), HasSubstr("metadata of columns 0 to 1"));
}

}  // namespace
}  // namespace tusk::lance
