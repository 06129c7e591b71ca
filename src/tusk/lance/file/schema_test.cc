#include "tusk/lance/file/schema.h"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/file/writer.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using arrow::TimeUnit;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(LanceSchemaTest, RefusesByNameWhatLanceCannotStore) {
  const auto inner = arrow::struct_({arrow::field("odd", arrow::month_day_nano_interval())});
  const auto schema = Schema::FromArrow(arrow::Schema({arrow::field("s", arrow::list(inner))}));
  ASSERT_THAT(schema, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(schema.status().message(),
              HasSubstr("field 's': field 'item': field 'odd': type month_day_nano_interval"));
}

TEST(LanceSchemaTest, NamesWhatCanBeReadButNotWritten) {
  const auto metadata = [](const char* key, const char* value) {
    return arrow::key_value_metadata({{key, value}});
  };
  const auto point = arrow::struct_({arrow::field("x", arrow::int32())});
  const auto blob = metadata("lance-encoding:blob", "true");
  for (const auto& field :
       {arrow::field("odd", arrow::fixed_size_binary(0)),
        arrow::field("odd", arrow::list(arrow::fixed_size_list(point, 3))),
        arrow::field("top", arrow::list(arrow::field("odd", arrow::large_binary(), true, blob))),
        arrow::field("odd", arrow::struct_({arrow::field("data", arrow::large_binary())}), true,
                     metadata("ARROW:extension:name", "lance.blob.v2"))}) {
    ASSERT_OK_AND_ASSIGN(const Schema schema, Schema::FromArrow(arrow::Schema({field})));
    const Status status = CheckWritable(schema, 2);
    ASSERT_THAT(status, FailsWith(ErrorCode::kUnsupported)) << field->ToString();
    EXPECT_THAT(status.message(), HasSubstr("field '")) << field->ToString();
  }
}

TEST(LanceSchemaTest, KeepsNamesNullabilityAndMetadata) {
  const auto arrow_schema = arrow::schema(
      {arrow::field("id", arrow::int64(), /*nullable=*/false),
       arrow::field("text", arrow::utf8(), true, arrow::key_value_metadata({{"k", "v"}}))},
      arrow::key_value_metadata({{"owner", "us"}}));
  ASSERT_OK_AND_ASSIGN(const Schema schema, Schema::FromArrow(*arrow_schema));
  EXPECT_EQ(schema.fields[0].id, 0);
  EXPECT_EQ(schema.fields[1].id, 1);
  EXPECT_EQ(schema.MaxFieldId(), 1);
  ASSERT_OK_AND_ASSIGN(const auto back, schema.ToArrow());
  EXPECT_TRUE(back->Equals(*arrow_schema, /*check_metadata=*/true)) << back->ToString(true);
}

TEST(LanceSchemaTest, ProjectsInTheOrderAsked) {
  ASSERT_OK_AND_ASSIGN(const Schema schema,
                       Schema::FromArrow(arrow::Schema({arrow::field("a", arrow::int8()),
                                                        arrow::field("b", arrow::int8()),
                                                        arrow::field("c", arrow::int8())})));
  ASSERT_OK_AND_ASSIGN(const Schema two, schema.Project(std::vector<std::string>{"c", "a"}));
  EXPECT_EQ(two.fields[0].id, 2);
  EXPECT_EQ(two.fields[1].id, 0);
  EXPECT_THAT(schema.Project(std::vector<std::string>{"a", "a"}),
              FailsWith(ErrorCode::kInvalidArgument));
  const auto missing = schema.Project(std::vector<std::string>{"d"});
  ASSERT_THAT(missing, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(missing.status().message(), HasSubstr("a, b, c"));
}

Field MakeField(std::string name, int32_t id, std::string type, std::vector<Field> children = {}) {
  Field field;
  field.name = std::move(name);
  field.id = id;
  field.logical_type = std::move(type);
  field.children = std::move(children);
  for (Field& child : field.children) child.parent_id = id;
  return field;
}

TEST(LanceSchemaProtoTest, FlattensDepthFirstAndRebuilds) {
  Schema schema;
  schema.metadata["m"] = "1";
  schema.fields = {MakeField("s", 0, "struct",
                             {MakeField("x", 1, "int32"),
                              MakeField("t", 2, "struct", {MakeField("y", 3, "string")})}),
                   MakeField("z", 4, "float")};
  schema.fields[1].unenforced_primary_key = true;
  schema.fields[1].unenforced_primary_key_position = 2;
  const proto::Schema flat = ToProto(schema);
  std::vector<std::pair<int32_t, int32_t>> ids;
  for (const auto& field : flat.fields()) ids.emplace_back(field.id(), field.parent_id());
  EXPECT_THAT(ids, ElementsAre(std::pair(0, -1), std::pair(1, 0), std::pair(2, 0), std::pair(3, 2),
                               std::pair(4, -1)));
  ASSERT_OK_AND_ASSIGN(const Schema back, FromProto(flat));
  EXPECT_EQ(back.metadata, schema.metadata);
  ASSERT_EQ(back.fields.size(), 2);
  EXPECT_EQ(back.fields[0].children[1].children[0].name, "y");
  EXPECT_EQ(back.fields[0].children[1].children[0].parent_id, 2);
  EXPECT_EQ(back.fields[1].unenforced_primary_key_position, 2);
  EXPECT_EQ(back.MaxFieldId(), 4);
}

TEST(LanceSchemaProtoTest, ReadsAMillionFields) {
  proto::Schema wide;
  for (int i = 0; i < 1'000'000; ++i) {
    proto::Field* field = wide.add_fields();
    field->set_id(i);
    field->set_parent_id(i % 1000 == 0 ? -1 : i - i % 1000);
    field->set_logical_type(i % 1000 == 0 ? "struct" : "int8");
  }
  ASSERT_OK_AND_ASSIGN(const Schema schema, FromProto(wide));
  ASSERT_EQ(schema.fields.size(), 1000);
  EXPECT_EQ(schema.fields[999].children.size(), 999);
  EXPECT_EQ(schema.MaxFieldId(), 999'999);
}

TEST(LanceSchemaProtoTest, KeepsFieldsWithoutIdsAtTheTop) {
  // The parts of a blob belong to the blob right before them, and only if they are its parts.
  proto::Schema schema;
  for (const char* name : {"b", "kind", "size", "position"}) {
    proto::Field* field = schema.add_fields();
    field->set_name(name);
    field->set_id(schema.fields_size() == 1 ? 0 : -1);
    field->set_parent_id(-1);
    field->set_logical_type(schema.fields_size() == 1   ? "struct"
                            : schema.fields_size() == 2 ? "uint8"
                                                        : "uint64");
  }
  proto::MetadataEntry* blob = schema.mutable_fields(0)->add_metadata();
  blob->set_key("lance-encoding:blob");
  blob->set_value("true");
  ASSERT_OK_AND_ASSIGN(const Schema parsed, FromProto(schema));
  ASSERT_EQ(parsed.fields.size(), 3);
  ASSERT_EQ(parsed.fields[0].children.size(), 1);
  EXPECT_EQ(parsed.fields[0].children[0].name, "kind");
  EXPECT_EQ(parsed.fields[1].name, "size");
  EXPECT_EQ(parsed.fields[2].name, "position");
}

TEST(LanceSchemaProtoTest, RefusesNamesThatAreNotUtf8) {
  proto::Schema schema;
  schema.add_fields()->set_parent_id(-1);
  schema.mutable_fields(0)->set_logical_type("int8");
  schema.mutable_fields(0)->set_name("caf\xc3\xa9");
  EXPECT_OK(FromProto(schema));
  schema.mutable_fields(0)->set_name("caf\xe9");
  EXPECT_THAT(FromProto(schema), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceSchemaProtoTest, RefusesBrokenTrees) {
  proto::Schema orphan;
  orphan.add_fields()->set_parent_id(7);
  EXPECT_THAT(FromProto(orphan), FailsWith(ErrorCode::kCorrupt));

  proto::Schema twice;
  for (int i = 0; i < 2; ++i) {
    twice.add_fields()->set_id(3);
    twice.mutable_fields(i)->set_parent_id(-1);
  }
  EXPECT_THAT(FromProto(twice), FailsWith(ErrorCode::kCorrupt));

  proto::Schema child_of_later;
  child_of_later.add_fields()->set_id(1);
  child_of_later.mutable_fields(0)->set_parent_id(2);
  child_of_later.add_fields()->set_id(2);
  child_of_later.mutable_fields(1)->set_parent_id(-1);
  EXPECT_THAT(FromProto(child_of_later), FailsWith(ErrorCode::kCorrupt));

  proto::Schema own_parent;
  own_parent.add_fields()->set_id(1);
  own_parent.mutable_fields(0)->set_parent_id(1);
  EXPECT_THAT(FromProto(own_parent), FailsWith(ErrorCode::kCorrupt));

  proto::Schema deep;
  for (int i = 0; i < 100'000; ++i) {
    deep.add_fields()->set_id(i);
    deep.mutable_fields(i)->set_parent_id(i - 1);
  }
  EXPECT_THAT(FromProto(deep), FailsWith(ErrorCode::kCorrupt));
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Result<Schema> ParseDescriptor(std::string_view hex) {
  proto::FileDescriptor descriptor;
  if (!descriptor.ParseFromString(FromHex(hex))) return Corrupt("no descriptor");
  return FromProto(descriptor.schema());
}

/// The descriptor of a file with the columns of AllTypes(), written by pylance 14.0.2.
constexpr std::string_view kAllTypesHex =
    "0acf090a1612016e20ffffffffffffffffff012a046e756c6c30010a1a12016c180120ffffffffffffffffff012a"
    "046c697374300138010a161207656c656d656e74180220012a05696e74333238010a2112026c6c180320ffffffff"
    "ffffffffff012a0a6c617267655f6c697374300138010a1b12046974656d180420032a0b6c6973742e7374727563"
    "74300138010a1412046974656d180520042a0673747275637430010a12120178180620052a05696e743332300138"
    "010a11120179180720052a06737472696e6738020a1a120165180820ffffffffffffffffff012a06737472756374"
    "30010a1a120173180920ffffffffffffffffff012a0673747275637430010a11120170180a20092a067374727563"
    "7430010a20120171180b200a2a1374696d657374616d703a75733a2b30383a3030300138010a1912016d180c20ff"
    "ffffffffffffffff012a036d6170300138010a151207656e7472696573180d200c2a067374727563740a1312036b"
    "6579180e200d2a06737472696e6738020a1b120576616c7565180f200d2a0a6c617267655f6c697374300138010a"
    "1412046974656d1810200f2a04696e7438300138010a2e120166181120ffffffffffffffffff012a186669786564"
    "5f73697a655f6c6973743a7374727563743a32300138010a1412046974656d181220112a0673747275637430010a"
    "12120178181320122a05696e743332300138010a11120179181420122a06737472696e6738020a48120176181520"
    "ffffffffffffffffff012a3266697865645f73697a655f6c6973743a66697865645f73697a655f6c6973743a6c61"
    "6e63652e62666c6f617431363a323a33300138010a2d120164181620ffffffffffffffffff012a17646963743a73"
    "7472696e673a696e7431363a66616c7365300138030a6612016a181720ffffffffffffffffff012a046a736f6e30"
    "0138024a0a6c616e63652e6a736f6e52220a144152524f573a657874656e73696f6e3a6e616d65120a6c616e6365"
    "2e6a736f6e521a0a184152524f573a657874656e73696f6e3a6d657461646174610a2812026c73181820ffffffff"
    "ffffffffff012a116c617267655f6c6973742e737472756374300138010a1412046974656d181920182a06737472"
    "75637430010a12120178181a20192a05696e743332300138010a11120179181b20192a06737472696e6738020a76"
    "120175181c20ffffffffffffffffff012a1466697865645f73697a655f62696e6172793a3136300138014a0a6172"
    "726f772e75756964521a0a184152524f573a657874656e73696f6e3a6d6574616461746152220a144152524f573a"
    "657874656e73696f6e3a6e616d65120a6172726f772e757569640a7d120162181d20ffffffffffffffffff012a13"
    "66697865645f73697a655f62696e6172793a32300138014a0e6c616e63652e62666c6f6174313652260a14415252"
    "4f573a657874656e73696f6e3a6e616d65120e6c616e63652e62666c6f61743136521a0a184152524f573a657874"
    "656e73696f6e3a6d657461646174610a401202626c181e20ffffffffffffffffff012a0c6c617267655f62696e61"
    "727930013802521b0a136c616e63652d656e636f64696e673a626c6f621204747275650a2212026964181f20ffff"
    "ffffffffffffff012a05696e743634380152060a016b1201762a0b0a056f776e6572120275731001";

std::shared_ptr<arrow::Field> WithExtension(std::shared_ptr<arrow::Field> field, const char* name) {
  return field->WithMetadata(arrow::key_value_metadata(
      {{"ARROW:extension:name", name}, {"ARROW:extension:metadata", ""}}));
}

/// What pylance's LanceFileReader gives for them (texts for json in datasets).
std::shared_ptr<arrow::Schema> AllTypes(JsonForm json) {
  const auto pair = arrow::struct_(
      {arrow::field("x", arrow::int32()), arrow::field("y", arrow::utf8(), /*nullable=*/false)});
  const auto bfloat16 =
      WithExtension(arrow::field("item", arrow::fixed_size_binary(2)), "lance.bfloat16");
  return arrow::schema(
      {arrow::field("n", arrow::null()),
       arrow::field("l", arrow::list(arrow::field("element", arrow::int32(), false))),
       arrow::field("ll", arrow::large_list(arrow::list(pair))),
       arrow::field("e", arrow::struct_({})),
       arrow::field("s", arrow::struct_({arrow::field(
                             "p", arrow::struct_({arrow::field(
                                      "q", arrow::timestamp(TimeUnit::MICRO, "+08:00"))}))})),
       arrow::field("m", arrow::map(arrow::utf8(), arrow::large_list(arrow::int8()))),
       arrow::field("f", arrow::fixed_size_list(pair, 2)),
       arrow::field("v", arrow::fixed_size_list(arrow::fixed_size_list(bfloat16, 2), 3)),
       arrow::field("d", arrow::dictionary(arrow::int16(), arrow::utf8())),
       json == JsonForm::kBytes
           ? WithExtension(arrow::field("j", arrow::large_binary()), "lance.json")
           : WithExtension(arrow::field("j", arrow::utf8()), "arrow.json"),
       arrow::field("ls", arrow::large_list(pair)),
       WithExtension(arrow::field("u", arrow::fixed_size_binary(16)), "arrow.uuid"),
       WithExtension(arrow::field("b", arrow::fixed_size_binary(2)), "lance.bfloat16"),
       arrow::field("bl", arrow::large_binary(), true,
                    arrow::key_value_metadata({{"lance-encoding:blob", "true"}})),
       arrow::field("id", arrow::int64(), false, arrow::key_value_metadata({{"k", "v"}}))},
      arrow::key_value_metadata({{"owner", "us"}}));
}

TEST(LanceSchemaTest, ReadsEveryTypeThatPylanceWrites) {
  ASSERT_OK_AND_ASSIGN(const Schema schema, ParseDescriptor(kAllTypesHex));
  for (const JsonForm json : {JsonForm::kBytes, JsonForm::kText}) {
    ASSERT_OK_AND_ASSIGN(const auto arrow_schema, schema.ToArrow(json));
    EXPECT_TRUE(arrow_schema->Equals(*AllTypes(json), /*check_metadata=*/true))
        << arrow_schema->ToString(true);
  }
}

TEST(LanceSchemaTest, MakesOfArrowWhatPylanceMakes) {
  proto::FileDescriptor descriptor;
  ASSERT_TRUE(descriptor.ParseFromString(FromHex(kAllTypesHex)));
  for (const JsonForm json : {JsonForm::kBytes, JsonForm::kText}) {
    ASSERT_OK_AND_ASSIGN(const Schema schema, Schema::FromArrow(*AllTypes(json)));
    const proto::Schema ours = ToProto(schema);
    ASSERT_EQ(ours.fields_size(), descriptor.schema().fields_size());
    for (int i = 0; i < ours.fields_size(); ++i) {
      const proto::Field& a = ours.fields(i);
      const proto::Field& b = descriptor.schema().fields(i);
      EXPECT_EQ(std::tuple(a.name(), a.id(), a.parent_id(), a.logical_type(), a.nullable(),
                           a.encoding(), a.extension_name()),
                std::tuple(b.name(), b.id(), b.parent_id(), b.logical_type(), b.nullable(),
                           b.encoding(), b.extension_name()));
    }
  }
}

/// The descriptor of a data file of a table with blobs (v2) in a list, and in a struct before an
/// int64, written by pylance 14.0.2. The parts of the blobs have neither id nor parent.
constexpr std::string_view kBlobsHex =
    "0a94050a1f12016c20ffffffffffffffffff012a0b6c6973742e737472756374300138010a4e12046974656d1801"
    "2a067374727563743001521b0a136c616e63652d656e636f64696e673a626c6f62120474727565521d0a156c616e"
    "63652d656e636f64696e673a7061636b65641204747275650a2512046b696e6418ffffffffffffffffff0120ffff"
    "ffffffffffffff012a0575696e743838010a2a1208706f736974696f6e18ffffffffffffffffff0120ffffffffff"
    "ffffffff012a0675696e74363438010a26120473697a6518ffffffffffffffffff0120ffffffffffffffffff012a"
    "0675696e74363438010a291207626c6f625f696418ffffffffffffffffff0120ffffffffffffffffff012a067569"
    "6e74333238010a2a1208626c6f625f75726918ffffffffffffffffff0120ffffffffffffffffff012a0673747269"
    "6e6738020a1a120173180620ffffffffffffffffff012a0673747275637430010a4d120162180720062a06737472"
    "7563743001521d0a156c616e63652d656e636f64696e673a7061636b6564120474727565521b0a136c616e63652d"
    "656e636f64696e673a626c6f621204747275650a2512046b696e6418ffffffffffffffffff0120ffffffffffffff"
    "ffff012a0575696e743838010a2a1208706f736974696f6e18ffffffffffffffffff0120ffffffffffffffffff01"
    "2a0675696e74363438010a26120473697a6518ffffffffffffffffff0120ffffffffffffffffff012a0675696e74"
    "363438010a291207626c6f625f696418ffffffffffffffffff0120ffffffffffffffffff012a0675696e74333238"
    "010a2a1208626c6f625f75726918ffffffffffffffffff0120ffffffffffffffffff012a06737472696e6738020a"
    "12120178180c20062a05696e743634300138011003";

TEST(LanceSchemaTest, FindsThePartsOfBlobsInDataFiles) {
  ASSERT_OK_AND_ASSIGN(const Schema schema, ParseDescriptor(kBlobsHex));
  ASSERT_OK_AND_ASSIGN(const auto arrow_schema, schema.ToArrow());
  const auto descriptor = arrow::struct_({arrow::field("kind", arrow::uint8(), false),
                                          arrow::field("position", arrow::uint64(), false),
                                          arrow::field("size", arrow::uint64(), false),
                                          arrow::field("blob_id", arrow::uint32(), false),
                                          arrow::field("blob_uri", arrow::utf8(), false)});
  const auto blob = [&](const char* name) {
    return arrow::field(name, descriptor, true,
                        arrow::key_value_metadata(
                            {{"lance-encoding:blob", "true"}, {"lance-encoding:packed", "true"}}));
  };
  const arrow::Schema expected(
      {arrow::field("l", arrow::list(blob("item"))),
       arrow::field("s", arrow::struct_({blob("b"), arrow::field("x", arrow::int64())}))});
  EXPECT_TRUE(arrow_schema->Equals(expected, /*check_metadata=*/true))
      << arrow_schema->ToString(true);

  // What a scan of the table gives is the same.
  const auto logical = [](const char* name) {
    return WithExtension(
        arrow::field(name, arrow::struct_({arrow::field("data", arrow::large_binary()),
                                           arrow::field("uri", arrow::utf8()),
                                           arrow::field("position", arrow::uint64()),
                                           arrow::field("size", arrow::uint64())})),
        "lance.blob.v2");
  };
  ASSERT_OK_AND_ASSIGN(
      const Schema table,
      Schema::FromArrow(arrow::Schema(
          {arrow::field("l", arrow::list(logical("item"))),
           arrow::field("s", arrow::struct_({logical("b"), arrow::field("x", arrow::int64())}))})));
  ASSERT_OK_AND_ASSIGN(const auto scanned, table.WithBlobDescriptors().ToArrow());
  EXPECT_TRUE(scanned->Equals(expected, /*check_metadata=*/true)) << scanned->ToString(true);
}

TEST(LanceSchemaTest, ScansOldBlobsAsPositionAndSize) {
  const auto metadata = arrow::key_value_metadata({{"lance-encoding:blob", "true"}});
  ASSERT_OK_AND_ASSIGN(
      const Schema table,
      Schema::FromArrow(arrow::Schema({arrow::field("b", arrow::large_binary(), true, metadata)})));
  EXPECT_FALSE(table.fields[0].is_blob_v2());
  ASSERT_OK_AND_ASSIGN(const auto scanned, table.WithBlobDescriptors().ToArrow());
  EXPECT_TRUE(scanned->Equals(
      arrow::Schema({arrow::field("b",
                                  arrow::struct_({arrow::field("position", arrow::uint64()),
                                                  arrow::field("size", arrow::uint64())}),
                                  true, metadata)}),
      /*check_metadata=*/true))
      << scanned->ToString(true);
}

TEST(LanceSchemaTest, RefusesChildrenThatDoNotFitTheirType) {
  const Field leaf = MakeField("item", 1, "int32");
  const Field key = [] {
    Field field = MakeField("key", 2, "string");
    field.nullable = false;
    return field;
  }();
  const auto entries = [](std::vector<Field> children, bool nullable) {
    Field field = MakeField("entries", 1, "struct", std::move(children));
    field.nullable = nullable;
    return field;
  };
  for (const Field& field :
       {MakeField("odd", 0, "list"), MakeField("odd", 0, "list", {leaf, leaf}),
        MakeField("odd", 0, "large_list.struct"), MakeField("odd", 0, "int32", {leaf}),
        MakeField("odd", 0, "fixed_size_list:float:2", {leaf}), MakeField("odd", 0, "map"),
        MakeField("odd", 0, "map", {leaf}), MakeField("odd", 0, "map", {entries({key}, false)}),
        MakeField("odd", 0, "map", {entries({key, leaf}, true)}),
        MakeField("odd", 0, "map", {entries({leaf, key}, false)}),
        MakeField("odd", 0, "fixed_size_list:struct:2"),
        MakeField("odd", 0, "fixed_size_list:struct:2", {leaf})}) {
    const auto converted = ToArrowField(field);
    ASSERT_THAT(converted, FailsWith(ErrorCode::kCorrupt)) << field.logical_type;
    EXPECT_THAT(converted.status().message(), HasSubstr("field 'odd'"));
  }
  EXPECT_OK(ToArrowField(MakeField("m", 0, "map", {entries({key, leaf}, false)})));
}

}  // namespace
}  // namespace tusk::lance
