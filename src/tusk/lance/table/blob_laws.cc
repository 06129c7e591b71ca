#include "tusk/lance/table/blob_laws.h"

#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/lance/file/blob_values.h"
#include "tusk/lance/table/blob_files.h"
#include "tusk/lance/table/blob_finder.h"
#include "tusk/lance/table/blob_locator.h"
#include "tusk/lance/table/blob_writer.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

Field MakeField(const char* name, int32_t id, const char* logical_type) {
  Field field;
  field.name = name;
  field.id = id;
  field.logical_type = logical_type;
  return field;
}

Field BlobField(bool is_v2) {
  Field field = MakeField("b", 1, is_v2 ? "struct" : "large_binary");
  if (!is_v2) {
    field.metadata = {{"lance-encoding:blob", "true"}};
    return field;
  }
  field.metadata = {{"ARROW:extension:name", "lance.blob.v2"}};
  field.children = {MakeField("data", 2, "large_binary"), MakeField("uri", 3, "string")};
  for (Field& child : field.children) child.parent_id = field.id;
  return field;
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> OneRow(Value value) {
  Builder builder;
  Require(builder.Append(value), "a value is appended");
  return *builder.Finish();
}

/// A file whose bytes differ from those of others and of other places.
std::string Pattern(size_t size, char first) {
  std::string bytes(size, first);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i * 7);
  return bytes;
}

std::string ReadAll(const Blob& blob) {
  const auto bytes = blob.Read({.offset = 0, .length = blob.size()}, {});
  Require(bytes.status(), "what was found is read");
  return (*bytes)->ToString();
}

}  // namespace

BlobTable::BlobTable(bool is_v2, const std::string& data_file, const std::string& sidecar)
    : is_v2_(is_v2), store_(io::MakeMemoryStore()) {
  Require(store_->Put(kDataFile, data_file, {}), "memory takes a file");
  Require(store_->Put(SidecarPath(kDataFile, 1), sidecar, {}), "memory takes a file");
  Manifest manifest;
  manifest.version = 3;
  manifest.data_version = is_v2 ? "2.2" : "2.1";
  manifest.schema.fields = {BlobField(is_v2)};
  manifest.base_paths = {{.id = 7, .name = {}, .path = "/there is no such folder"}};
  Fragment fragment;
  fragment.id = 5;
  fragment.physical_rows = 9;
  fragment.files.push_back({.path = "f.lance",
                            .field_ids = {1},
                            .column_indices = {0},
                            .major_version = 2,
                            .minor_version = static_cast<uint16_t>(is_v2 ? 2 : 1),
                            .size_bytes = data_file.size(),
                            .base_id = std::nullopt,
                            .carried = {}});
  manifest.fragments = {std::move(fragment)};
  auto dataset = Dataset::State::Make("t", {.store = store_, .path = "t"}, std::move(manifest), {});
  Require(dataset.status(), "the table is opened");
  dataset_ = *std::move(dataset);
}

std::shared_ptr<arrow::StructArray> BlobTable::ToArray(const BlobDescriptor& descriptor) const {
  arrow::ArrayVector parts;
  if (is_v2_) parts.push_back(OneRow<arrow::UInt8Builder>(descriptor.kind));
  parts.push_back(OneRow<arrow::UInt64Builder>(descriptor.position));
  parts.push_back(OneRow<arrow::UInt64Builder>(descriptor.size));
  if (is_v2_) {
    parts.push_back(OneRow<arrow::UInt32Builder>(descriptor.blob_id));
    parts.push_back(OneRow<arrow::StringBuilder>(std::string_view(descriptor.uri)));
  }
  const auto field = ToArrowField(DescriptorOf(BlobField(is_v2_)));
  Require(field.status(), "descriptors have a type");
  std::shared_ptr<arrow::Buffer> validity;
  if (descriptor.is_null) validity = std::make_shared<arrow::Buffer>(std::string_view("\0", 1));
  return std::make_shared<arrow::StructArray>((*field)->type(), 1, std::move(parts),
                                              std::move(validity));
}

Result<std::shared_ptr<const Blob>> BlobTable::Find(const BlobDescriptor& descriptor,
                                                    uint64_t address) const {
  const Dataset::State& state = dataset_->state();
  const OperationContext context;
  BlobFinder finder(state, state.manifest.schema.fields[0], "b", std::make_shared<BlobFiles>(),
                    context);
  return finder.Find(*ToArray(descriptor), 0, address);
}

Result<std::optional<std::string>> BlobTable::Copy(const BlobDescriptor& descriptor,
                                                   uint64_t address) const {
  const Dataset::State& state = dataset_->state();
  ARROW_ASSIGN_OR_RAISE(auto writer,
                        BlobWriter::Make(state.manifest.schema, {}, {.source = &state}, {}));
  writer.BeginFile({.store = store_, .path = "t/data/copy.lance"});
  const auto descriptors = ToArray(descriptor);
  const auto rows = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("b", descriptors->type()),
                     arrow::field(std::string(kRowAddressColumn), arrow::uint64())}),
      1, arrow::ArrayVector{descriptors, OneRow<arrow::UInt64Builder>(address)});
  std::shared_ptr<arrow::Array> written;
  ARROW_RETURN_NOT_OK(writer.Write(*rows, [&](const arrow::RecordBatch& prepared) {
    written = prepared.column(0);
    return Status::OK();
  }));
  ARROW_RETURN_NOT_OK(writer.FinishFile());
  if (written->IsNull(0)) return std::nullopt;
  auto bytes = written;
  if (is_v2_) {
    const auto& parts = static_cast<const arrow::StructArray&>(*written);
    const auto kind = static_cast<const arrow::UInt8Array&>(*parts.field(kPreparedKind)).Value(0);
    if (kind != static_cast<uint8_t>(BlobKind::kInline)) return std::string("not inline");
    bytes = parts.field(kPreparedData);
  }
  return std::string(static_cast<const arrow::LargeBinaryArray&>(*bytes).GetView(0));
}

void CheckBlobDescriptor(FuzzInput input) {
  const auto flags = input.Read<uint8_t>();
  const bool is_v2 = (flags & 1) != 0;
  BlobDescriptor descriptor{.is_null = (flags & 2) != 0,
                            .kind = input.Read<uint8_t>(),
                            .position = input.Read<uint64_t>(),
                            .size = input.Read<uint64_t>(),
                            .blob_id = input.Read<uint32_t>()};
  const std::string data_file = Pattern(input.Read<uint16_t>(), 'd');
  const std::string sidecar = Pattern(input.Read<uint16_t>(), 's');
  const uint64_t address = (flags & 4) != 0 ? input.Read<uint64_t>() : BlobTable::kAddress;
  descriptor.uri = AsText(input.Rest());
  const bool is_external = is_v2 && descriptor.kind == 3;
  // Files of this machine are no fuzzer's.
  if (is_external && descriptor.blob_id == 0) descriptor.blob_id = 7;

  const BlobTable table(is_v2, data_file, sidecar);
  const auto found = table.Find(descriptor, address);
  const auto copied = table.Copy(descriptor, address);
  if (!found.ok()) {
    const std::string row = "t: version 3: blob of column 'b' in row address ";
    Require(found.status().message().starts_with(row + std::to_string(address) + ": "),
            "an error says where");
    if (GetErrorCode(found.status()) != ErrorCode::kNotFound) RequireRefusal(found.status());
    // A reference stays one, wherever it leads.
    Require(!copied.ok() || is_external, "what is not found is not written again");
    return;
  }
  Require(copied.status(), "what is found is written again");
  Require(copied->has_value() == (*found != nullptr), "a null stays a null");
  if (*found == nullptr) {
    Require(descriptor.is_null || (!is_v2 && descriptor.size == 0), "only nulls are null");
    return;
  }
  Require(!is_external, "nothing is below a folder that is not there");
  const Blob& blob = **found;
  const std::string& file = blob.place().path == BlobTable::kDataFile ? data_file : sidecar;
  Require(blob.size() == static_cast<int64_t>(descriptor.size), "a blob has its size");
  Require(blob.position() >= 0 && blob.size() <= std::ssize(file) - blob.position(),
          "a blob is inside of its file");
  const std::string bytes = file.substr(blob.position(), blob.size());
  Require(ReadAll(blob) == bytes, "a blob has the bytes of its file");
  Require(**copied == bytes, "a blob is written again as it is");
}

}  // namespace tusk::lance
