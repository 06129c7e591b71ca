#include <algorithm>
#include <string>
#include <utility>

#include "tusk/iceberg/avro_file.h"
#include "tusk/iceberg/manifest.h"
#include "tusk/iceberg/manifest_fields.h"

namespace tusk::iceberg {
namespace {

// The schema is that of the specification for version 2 (section "Manifest Lists"). Records are
// written in this very order.
constexpr std::string_view kManifestListSchema = R"json({
"type":"record","name":"manifest_file","fields":[
{"name":"manifest_path","type":"string","field-id":500},
{"name":"manifest_length","type":"long","field-id":501},
{"name":"partition_spec_id","type":"int","field-id":502},
{"name":"content","type":"int","field-id":517},
{"name":"sequence_number","type":"long","field-id":515},
{"name":"min_sequence_number","type":"long","field-id":516},
{"name":"added_snapshot_id","type":"long","field-id":503},
{"name":"added_files_count","type":"int","field-id":504},
{"name":"existing_files_count","type":"int","field-id":505},
{"name":"deleted_files_count","type":"int","field-id":506},
{"name":"added_rows_count","type":"long","field-id":512},
{"name":"existing_rows_count","type":"long","field-id":513},
{"name":"deleted_rows_count","type":"long","field-id":514},
{"name":"partitions","field-id":507,"default":null,"type":["null",{"type":"array","element-id":508,"items":
{"type":"record","name":"r508","fields":[
{"name":"contains_null","type":"boolean","field-id":509},
{"name":"contains_nan","type":["null","boolean"],"default":null,"field-id":518},
{"name":"lower_bound","type":["null","bytes"],"default":null,"field-id":510},
{"name":"upper_bound","type":["null","bytes"],"default":null,"field-id":511}]}}]},
{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":519}]})json";

/// Bytes that an entry takes, about.
int64_t TotalMemoryOf(const ManifestFile& manifest) {
  int64_t bytes = static_cast<int64_t>(sizeof(manifest)) + MemoryOf(manifest.path) +
                  MemoryOf(manifest.key_metadata);
  if (!manifest.partitions.has_value()) return bytes;
  for (const PartitionSummary& summary : *manifest.partitions) {
    bytes += static_cast<int64_t>(sizeof(summary)) + MemoryOf(summary.lower_bound) +
             MemoryOf(summary.upper_bound);
  }
  return bytes;
}

Status ReadSummaryField(const AvroField& field, AvroDecoder* decoder, PartitionSummary* summary) {
  switch (field.id.value_or(-1)) {
    case 509:
      return ReadBoolean(field, decoder).Value(&summary->contains_null);
    case 518: {
      ARROW_ASSIGN_OR_RAISE(const AvroType* branch, ReadAvroBranch(*field.type, decoder));
      if (branch->kind == AvroType::Kind::kNull) return Status::OK();
      if (branch->kind != AvroType::Kind::kBoolean) {
        return UnexpectedAvroType(*branch, "a boolean");
      }
      return decoder->ReadBoolean().Value(&summary->contains_nan.emplace());
    }
    case 510:
      return ReadOptionalBytes(field, decoder, &summary->lower_bound);
    case 511:
      return ReadOptionalBytes(field, decoder, &summary->upper_bound);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

Status ReadSummaries(const AvroField& field, AvroDecoder* decoder, ManifestFile* file) {
  std::vector<PartitionSummary> summaries;
  const auto read_item = [&](const AvroType& item) {
    PartitionSummary& summary = summaries.emplace_back();
    return ReadAvroRecord(
               item, decoder,
               [&](const AvroField& member) { return ReadSummaryField(member, decoder, &summary); })
        .status();
  };
  ARROW_ASSIGN_OR_RAISE(const bool present, ReadAvroArray(*field.type, decoder, read_item));
  if (present) file->partitions = std::move(summaries);
  return Status::OK();
}

Status ReadManifestFileField(const AvroField& field, AvroDecoder* decoder, ManifestFile* file) {
  switch (field.id.value_or(-1)) {
    case 500:
      return ReadString(field, decoder, &file->path);
    case 501:
      return ReadCount(field, decoder, &file->length);
    case 502:
      return ReadInt32(field, decoder, &file->partition_spec_id);
    case 517:
      return ReadContent(field, decoder, &file->content);
    case 515:
      return ReadCount(field, decoder, &file->sequence_number);
    case 516:
      return ReadCount(field, decoder, &file->min_sequence_number);
    case 503:
      return ReadLong(field, decoder, &file->added_snapshot_id);
    case 504:
      return ReadOptionalCount(field, decoder, &file->added_files);
    case 505:
      return ReadOptionalCount(field, decoder, &file->existing_files);
    case 506:
      return ReadOptionalCount(field, decoder, &file->deleted_files);
    case 512:
      return ReadOptionalCount(field, decoder, &file->added_rows);
    case 513:
      return ReadOptionalCount(field, decoder, &file->existing_rows);
    case 514:
      return ReadOptionalCount(field, decoder, &file->deleted_rows);
    case 507:
      return ReadSummaries(field, decoder, file);
    case 519:
      return ReadOptionalBytes(field, decoder, &file->key_metadata);
    default:
      return SkipAvro(*field.type, decoder);
  }
}

void PutSummaries(const std::vector<PartitionSummary>& summaries, AvroEncoder* out) {
  if (!summaries.empty()) out->PutLong(std::ssize(summaries));
  for (const PartitionSummary& summary : summaries) {
    out->PutBoolean(summary.contains_null);
    out->PutPresent(summary.contains_nan.has_value());
    if (summary.contains_nan.has_value()) out->PutBoolean(*summary.contains_nan);
    PutOptionalBytes(summary.lower_bound, out);
    PutOptionalBytes(summary.upper_bound, out);
  }
  out->PutLong(0);
}

/// `manifest` has all its counts.
void PutManifestFile(const ManifestFile& manifest, AvroEncoder* out) {
  out->PutBytes(manifest.path);
  out->PutLong(manifest.length);
  out->PutLong(manifest.partition_spec_id);
  out->PutLong(manifest.content == FileContent::kData ? 0 : 1);
  out->PutLong(manifest.sequence_number);
  out->PutLong(manifest.min_sequence_number);
  out->PutLong(manifest.added_snapshot_id);
  for (const auto& count : {manifest.added_files, manifest.existing_files, manifest.deleted_files,
                            manifest.added_rows, manifest.existing_rows, manifest.deleted_rows}) {
    out->PutLong(count.value_or(0));
  }
  out->PutPresent(manifest.partitions.has_value());
  if (manifest.partitions.has_value()) PutSummaries(*manifest.partitions, out);
  PutOptionalBytes(manifest.key_metadata, out);
}

bool HasAllCounts(const ManifestFile& manifest) {
  return manifest.added_files && manifest.existing_files && manifest.deleted_files &&
         manifest.added_rows && manifest.existing_rows && manifest.deleted_rows;
}

}  // namespace

Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const AvroFile avro, AvroFile::Parse(bytes));
  ARROW_RETURN_NOT_OK(CheckFields(avro, {500, 501, 502}));
  std::vector<ManifestFile> manifests;
  int64_t held = 0;
  ARROW_RETURN_NOT_OK(avro.ForEach([&](AvroDecoder* decoder) -> Status {
    ManifestFile& manifest = manifests.emplace_back();
    const auto read_field = [&](const AvroField& field) {
      return ReadManifestFileField(field, decoder, &manifest);
    };
    ARROW_RETURN_NOT_OK(ReadAvroRecord(avro.schema(), decoder, read_field));
    held += TotalMemoryOf(manifest);
    return CheckProportion(held, bytes);
  }));
  return manifests;
}

Result<std::string> FormatManifestList(const std::vector<ManifestFile>& manifests,
                                       int64_t snapshot_id,
                                       std::optional<int64_t> parent_snapshot_id,
                                       int64_t sequence_number) {
  AvroFileBuilder builder(
      kManifestListSchema,
      {{"snapshot-id", std::to_string(snapshot_id)},
       {"parent-snapshot-id",
        parent_snapshot_id.has_value() ? std::to_string(*parent_snapshot_id) : "null"},
       {"sequence-number", std::to_string(sequence_number)},
       {"format-version", "2"}});
  AvroEncoder record;
  for (const ManifestFile& manifest : manifests) {
    if (!HasAllCounts(manifest)) {
      return Unsupported("manifest '", manifest.path,
                         "' was listed without its counts by a version 1 writer");
    }
    record.Clear();
    PutManifestFile(manifest, &record);
    ARROW_RETURN_NOT_OK(builder.Append(record.bytes()));
  }
  return builder.Finish();
}

}  // namespace tusk::iceberg
