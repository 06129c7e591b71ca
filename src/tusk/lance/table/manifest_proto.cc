#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "tusk/io/object_store.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/file/schema_proto.h"
#include "tusk/lance/table/fragment_wire.h"
#include "tusk/lance/table/manifest.h"
#include "tusk/lance/table/table_proto.h"
#include "tusk/lance/table/wire_format.h"

namespace tusk::lance {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// A message whose known fields are cleared serializes to the fields that this build does not know.
// Merged into another message, those bytes come back as they were. Every field of table.proto has
// its line in one of these.

std::string TakeUnknownFields(proto::DataFile file) {
  file.clear_path();
  file.clear_fields();
  file.clear_column_indices();
  file.clear_file_major_version();
  file.clear_file_minor_version();
  file.clear_file_size_bytes();
  file.clear_base_id();
  return file.SerializeAsString();
}

std::string TakeUnknownFields(proto::DeletionFile file) {
  file.clear_file_type();
  file.clear_read_version();
  file.clear_id();
  file.clear_num_deleted_rows();
  file.clear_base_id();
  return file.SerializeAsString();
}

std::string TakeUnknownFields(proto::DataFragment fragment) {
  fragment.clear_id();
  fragment.clear_files();
  fragment.clear_deletion_file();
  fragment.clear_physical_rows();
  fragment.clear_row_id_sequence();
  fragment.clear_last_updated_at_version_sequence();
  fragment.clear_created_at_version_sequence();
  return fragment.SerializeAsString();
}

std::string TakeUnknownFields(proto::Manifest manifest) {
  manifest.clear_fields();
  manifest.clear_schema_metadata();
  manifest.clear_fragments();
  manifest.clear_version();
  manifest.clear_version_aux_data();
  manifest.clear_writer_version();
  manifest.clear_index_section();
  manifest.clear_transaction_section_deprecated();
  manifest.clear_transaction_section();
  manifest.clear_timestamp();
  manifest.clear_tag();
  manifest.clear_reader_feature_flags();
  manifest.clear_writer_feature_flags();
  manifest.clear_max_fragment_id();
  manifest.clear_transaction_file();
  manifest.clear_next_row_id();
  manifest.clear_data_format();
  manifest.clear_config();
  manifest.clear_max_allocated_field_id();
  manifest.clear_base_paths();
  manifest.clear_table_metadata();
  manifest.clear_branch();
  return manifest.SerializeAsString();
}

/// A row address keeps 32 bits for the row within its fragment.
constexpr uint64_t kMaxFragmentRows = uint64_t{1} << 32;

}  // namespace

Result<DataFile> FromProto(proto::DataFile file) {
  ARROW_RETURN_NOT_OK(io::CheckRelativePath(file.path()));
  // V1 files name their columns by field; they are refused where they are opened.
  if (file.file_major_version() >= 2 && file.fields_size() != file.column_indices_size()) {
    return Corrupt("data file '", file.path(), "' lists ", file.fields_size(), " fields but ",
                   file.column_indices_size(), " columns");
  }
  DataFile result;
  result.path = std::move(*file.mutable_path());
  result.field_ids = std::vector<int32_t>(file.fields().begin(), file.fields().end());
  result.column_indices =
      std::vector<int32_t>(file.column_indices().begin(), file.column_indices().end());
  result.major_version = file.file_major_version();
  result.minor_version = file.file_minor_version();
  result.size_bytes = file.file_size_bytes();
  if (file.has_base_id()) result.base_id = file.base_id();
  result.carried = TakeUnknownFields(std::move(file));
  return result;
}

proto::DataFile ToProto(const DataFile& file) {
  proto::DataFile out;
  out.set_path(file.path);
  out.mutable_fields()->Assign(file.field_ids.begin(), file.field_ids.end());
  out.mutable_column_indices()->Assign(file.column_indices.begin(), file.column_indices.end());
  out.set_file_major_version(file.major_version);
  out.set_file_minor_version(file.minor_version);
  out.set_file_size_bytes(file.size_bytes);
  if (file.base_id) out.set_base_id(*file.base_id);
  out.MergeFromString(file.carried);
  return out;
}

proto::BasePath ToProto(const BasePath& base) {
  proto::BasePath out;
  out.set_id(base.id);
  if (base.name) out.set_name(*base.name);
  out.set_is_dataset_root(base.is_dataset_root);
  out.set_path(base.path);
  return out;
}

BasePath FromProto(const proto::BasePath& base) {
  return {.id = base.id(),
          .name = base.has_name() ? std::optional(base.name()) : std::nullopt,
          .is_dataset_root = base.is_dataset_root(),
          .path = base.path()};
}

namespace {

Result<DeletionFile> DeletionFileFromProto(proto::DeletionFile file) {
  if (file.file_type() > 1) {
    return Unsupported("deletion files of type ", file.file_type(), " are not supported");
  }
  DeletionFile result;
  result.type = static_cast<DeletionFile::Type>(file.file_type());
  result.read_version = file.read_version();
  result.id = file.id();
  result.num_deleted_rows = file.num_deleted_rows();
  if (file.has_base_id()) result.base_id = file.base_id();
  result.carried = TakeUnknownFields(std::move(file));
  return result;
}

void ToProto(const DeletionFile& file, proto::DeletionFile* out) {
  out->set_file_type(static_cast<uint32_t>(file.type));
  out->set_read_version(file.read_version);
  out->set_id(file.id);
  out->set_num_deleted_rows(file.num_deleted_rows);
  if (file.base_id) out->set_base_id(*file.base_id);
  out->MergeFromString(file.carried);
}

Result<Fragment> FragmentFromProto(proto::DataFragment fragment) {
  // A fragment id is the upper half of a row address.
  if (fragment.id() > std::numeric_limits<uint32_t>::max()) {
    return Corrupt("its id does not fit 32 bits");
  }
  if (fragment.physical_rows() > kMaxFragmentRows) {
    return Corrupt("its ", fragment.physical_rows(), " rows do not fit 32 bits");
  }
  Fragment result;
  result.id = fragment.id();
  result.files.reserve(fragment.files_size());
  for (proto::DataFile& file : *fragment.mutable_files()) {
    ARROW_ASSIGN_OR_RAISE(result.files.emplace_back(), FromProto(std::move(file)));
  }
  if (fragment.has_deletion_file()) {
    ARROW_ASSIGN_OR_RAISE(result.deletion_file,
                          DeletionFileFromProto(std::move(*fragment.mutable_deletion_file())));
    if (result.deletion_file->num_deleted_rows > fragment.physical_rows()) {
      return Corrupt("it deletes ", result.deletion_file->num_deleted_rows, " of its ",
                     fragment.physical_rows(), " rows");
    }
  }
  result.physical_rows = static_cast<int64_t>(fragment.physical_rows());
  if (fragment.has_inline_row_ids()) result.row_ids = fragment.inline_row_ids();
  result.row_ids_in_column = fragment.has_column_row_ids();
  result.last_updated_at_versions = fragment.inline_last_updated_at_versions();
  result.last_updated_at_in_column = fragment.has_column_last_updated_at_versions();
  result.created_at_versions = fragment.inline_created_at_versions();
  result.created_at_in_column = fragment.has_column_created_at_versions();
  result.carried = TakeUnknownFields(std::move(fragment));
  return result;
}

/// Corrupt unless the fragments have ids of their own and their rows can be counted.
Status CheckFragments(const std::vector<Fragment>& fragments) {
  int64_t rows = 0;
  for (size_t i = 0; i < fragments.size(); ++i) {
    if (i > 0 && fragments[i].id == fragments[i - 1].id) {
      return Corrupt("two fragments have the id ", fragments[i].id);
    }
    if (fragments[i].physical_rows > std::numeric_limits<int64_t>::max() - rows) {
      return Corrupt("the rows of ", fragments.size(), " fragments do not fit 64 bits");
    }
    rows += fragments[i].physical_rows;
  }
  return Status::OK();
}

Result<int64_t> TimestampFromProto(const proto::Manifest::Timestamp& timestamp) {
  constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / kNanosPerSecond - 1;
  if (timestamp.seconds() < 0 || timestamp.seconds() > kMaxSeconds || timestamp.nanos() < 0 ||
      timestamp.nanos() >= kNanosPerSecond) {
    return Corrupt("timestamp of ", timestamp.seconds(), " seconds and ", timestamp.nanos(),
                   " nanoseconds is out of range");
  }
  return timestamp.seconds() * kNanosPerSecond + timestamp.nanos();
}

}  // namespace

proto::DataFragment ToProto(const Fragment& fragment) {
  proto::DataFragment out;
  out.set_id(fragment.id);
  for (const DataFile& file : fragment.files) *out.add_files() = ToProto(file);
  if (fragment.deletion_file) ToProto(*fragment.deletion_file, out.mutable_deletion_file());
  out.set_physical_rows(static_cast<uint64_t>(fragment.physical_rows));
  if (fragment.row_ids) out.set_inline_row_ids(*fragment.row_ids);
  if (fragment.row_ids_in_column) out.mutable_column_row_ids();
  if (!fragment.last_updated_at_versions.empty()) {
    out.set_inline_last_updated_at_versions(fragment.last_updated_at_versions);
  }
  if (fragment.last_updated_at_in_column) out.mutable_column_last_updated_at_versions();
  if (!fragment.created_at_versions.empty()) {
    out.set_inline_created_at_versions(fragment.created_at_versions);
  }
  if (fragment.created_at_in_column) out.mutable_column_created_at_versions();
  out.MergeFromString(fragment.carried);
  return out;
}

Result<Fragment> FromProto(proto::DataFragment fragment) {
  const uint64_t id = fragment.id();
  auto result = FragmentFromProto(std::move(fragment));
  if (result.ok()) return result;
  return WithContext(result.status(), "fragment " + std::to_string(id));
}

int64_t Fragment::CountRows() const {
  if (!deletion_file) return physical_rows;
  return physical_rows - static_cast<int64_t>(deletion_file->num_deleted_rows);
}

int64_t Manifest::CountPhysicalRows() const {
  int64_t rows = 0;
  for (const Fragment& fragment : fragments) rows += fragment.physical_rows;
  return rows;
}

namespace {

/// The message without its fragments, which most of its bytes are.
proto::Manifest ToProtoWithoutFragments(const Manifest& manifest) {
  proto::Manifest out;
  proto::Schema schema;
  if (manifest.encoded_schema.empty() || !schema.ParseFromString(manifest.encoded_schema)) {
    schema = ToProto(manifest.schema);
  }
  out.mutable_fields()->Swap(schema.mutable_fields());
  out.mutable_schema_metadata()->Swap(schema.mutable_metadata());
  out.set_version(manifest.version);
  out.mutable_writer_version()->set_library("tusk");
  out.mutable_writer_version()->set_version("0.1.0");
  if (manifest.index_section) out.set_index_section(*manifest.index_section);
  if (manifest.transaction_section) out.set_transaction_section(*manifest.transaction_section);
  out.mutable_timestamp()->set_seconds(manifest.timestamp_ns / kNanosPerSecond);
  out.mutable_timestamp()->set_nanos(static_cast<int32_t>(manifest.timestamp_ns % kNanosPerSecond));
  out.set_reader_feature_flags(manifest.reader_flags);
  out.set_writer_feature_flags(manifest.writer_flags);
  if (manifest.max_fragment_id) out.set_max_fragment_id(*manifest.max_fragment_id);
  out.set_transaction_file(manifest.transaction_file);
  out.set_next_row_id(manifest.next_row_id);
  out.mutable_data_format()->set_file_format("lance");
  out.mutable_data_format()->set_version(manifest.data_version);
  out.mutable_config()->insert(manifest.config.begin(), manifest.config.end());
  if (manifest.max_allocated_field_id) {
    out.set_max_allocated_field_id(*manifest.max_allocated_field_id);
  }
  for (const BasePath& base : manifest.base_paths) *out.add_base_paths() = ToProto(base);
  out.mutable_table_metadata()->insert(manifest.table_metadata.begin(),
                                       manifest.table_metadata.end());
  if (manifest.branch) out.set_branch(*manifest.branch);
  out.MergeFromString(manifest.carried);
  return out;
}

/// A manifest message taken apart.
struct ManifestParts {
  std::vector<Fragment> fragments;
  /// Those of `fragments` that are not filled yet: the messages are in `rest`, in this order.
  std::vector<size_t> unread;
  std::string rest;  ///< the fields that are no fragments that were read
};

/// What stands between the fragments, and the messages of these. All of `bytes` and no fragment if
/// there is something that only protobuf can judge.
std::string SplitFragments(std::string_view bytes, std::vector<std::string_view>* fragments) {
  std::string rest;
  const char* copied = bytes.data();
  WireReader reader(bytes);
  while (!reader.done()) {
    const char* begin = reader.at();
    uint32_t tag = 0;
    bool is_read = reader.ReadTag(&tag);
    if (is_read && tag == WireTag(proto::Manifest::kFragmentsFieldNumber, WireType::kBytes)) {
      is_read = reader.ReadBytes(&fragments->emplace_back());
      rest.append(copied, begin);
      copied = reader.at();
    } else {
      is_read = is_read && reader.Skip(tag);
    }
    if (!is_read) {
      fragments->clear();
      return std::string(bytes);
    }
  }
  return rest.append(copied, bytes.data() + bytes.size());
}

ManifestParts TakeApart(std::string_view bytes) {
  std::vector<std::string_view> messages;
  ManifestParts parts;
  parts.rest = SplitFragments(bytes, &messages);
  parts.fragments.reserve(messages.size());
  FragmentDecoder decoder;
  for (const std::string_view message : messages) {
    if (decoder.Decode(message, &parts.fragments.emplace_back())) continue;
    parts.unread.push_back(parts.fragments.size() - 1);
    AppendBytes(proto::Manifest::kFragmentsFieldNumber, message, &parts.rest);
  }
  return parts;
}

}  // namespace

std::string SerializeManifest(const Manifest& manifest) {
  constexpr size_t kMaxSize = std::numeric_limits<int32_t>::max();
  proto::Manifest rest = ToProtoWithoutFragments(manifest);
  // As protobuf does it: by the numbers of the fields.
  proto::Manifest fields;
  fields.mutable_fields()->Swap(rest.mutable_fields());
  std::string out = fields.SerializeAsString();
  FragmentEncoder encoder;
  for (const Fragment& fragment : manifest.fragments) {
    encoder.Append(proto::Manifest::kFragmentsFieldNumber, fragment, &out);
    if (out.size() > kMaxSize) return {};
  }
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps by their keys, not as they lie in memory
    if (!rest.SerializeToCodedStream(&coded)) return {};
  }
  return out.size() > kMaxSize ? std::string() : out;
}

Result<Manifest> ParseManifest(std::string_view bytes) {
  proto::Manifest in;
  ManifestParts parts = TakeApart(bytes);
  if (!ParseMessage(parts.rest, &in)) {
    return Corrupt("the manifest's ", bytes.size(), " bytes are not a manifest message");
  }
  Manifest manifest;
  proto::Schema schema;
  schema.mutable_fields()->Swap(in.mutable_fields());
  schema.mutable_metadata()->Swap(in.mutable_schema_metadata());
  ARROW_ASSIGN_OR_RAISE(manifest.schema, FromProto(schema));
  schema.SerializeToString(&manifest.encoded_schema);
  manifest.fragments = std::move(parts.fragments);
  for (int i = 0; i < in.fragments_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(Fragment fragment, FromProto(std::move(*in.mutable_fragments(i))));
    if (static_cast<size_t>(i) < parts.unread.size()) {
      manifest.fragments[parts.unread[i]] = std::move(fragment);
    } else {  // the message could not be taken apart
      manifest.fragments.push_back(std::move(fragment));
    }
  }
  if (!std::ranges::is_sorted(manifest.fragments, {}, &Fragment::id)) {
    std::ranges::stable_sort(manifest.fragments, {}, &Fragment::id);
  }
  ARROW_RETURN_NOT_OK(CheckFragments(manifest.fragments));
  manifest.version = in.version();
  ARROW_ASSIGN_OR_RAISE(manifest.timestamp_ns, TimestampFromProto(in.timestamp()));
  manifest.reader_flags = in.reader_feature_flags();
  manifest.writer_flags = in.writer_feature_flags();
  if (in.has_max_fragment_id()) manifest.max_fragment_id = in.max_fragment_id();
  manifest.transaction_file = in.transaction_file();
  if (!manifest.transaction_file.empty()) {
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(manifest.transaction_file));
  }
  if (in.has_index_section()) manifest.index_section = in.index_section();
  if (in.has_transaction_section()) {
    manifest.transaction_section = in.transaction_section();
  } else if (in.has_transaction_section_deprecated()) {
    manifest.transaction_section = in.transaction_section_deprecated();
  }
  manifest.next_row_id = in.next_row_id();
  manifest.data_version = in.data_format().version();
  manifest.config.insert(in.config().begin(), in.config().end());
  if (in.has_max_allocated_field_id())
    manifest.max_allocated_field_id = in.max_allocated_field_id();
  for (const proto::BasePath& base : in.base_paths()) {
    manifest.base_paths.push_back(FromProto(base));
  }
  std::ranges::stable_sort(manifest.base_paths, {}, &BasePath::id);
  manifest.table_metadata.insert(in.table_metadata().begin(), in.table_metadata().end());
  if (in.has_branch()) manifest.branch = in.branch();
  in.clear_fragments();
  manifest.carried = TakeUnknownFields(std::move(in));
  return manifest;
}

}  // namespace tusk::lance
