#include "tusk/lake/ingest.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "tusk/io/object_store.h"
#include "tusk/lake/folder_walk.h"
#include "tusk/lake/picture_stream.h"

namespace tusk::lake {
namespace {

/// The property of both tables that names the encoder of their vectors.
constexpr const char* kModelProperty = "tusk.embedding_model";

/// How often an ingestion begins anew because another one has changed the table meanwhile.
constexpr int kAttempts = 10;

catalog::TableName MetadataName(catalog::TableName name) {
  name.name += "_meta";
  return name;
}

/// What is in the table before the ingestion.
struct Existing {
  uint64_t version = 0;  ///< 0: there is no table
  ContentIds content_ids;
};

/// InvalidArgument unless the table has the columns of an ingestion with this encoder.
Status CheckTable(const lance::Dataset& dataset, const IngestOptions& options) {
  const Encoder& encoder = *options.encoder;
  const auto model = dataset.config().find(kModelProperty);
  if (model == dataset.config().end()) {
    return InvalidArgument("table '", options.name.ToString(),
                           "' was not made by an ingestion: it does not say which encoder made "
                           "its vectors; use another name");
  }
  if (model->second != encoder.model()) {
    return InvalidArgument("table '", options.name.ToString(), "' holds vectors of encoder '",
                           model->second, "', not of '", encoder.model(),
                           "': use that one, or another name");
  }
  const auto schema = PictureSchema(encoder.dimension());
  if (!dataset.schema()->Equals(*schema, /*check_metadata=*/false)) {
    return InvalidArgument("table '", options.name.ToString(), "' has the columns ",
                           dataset.schema()->ToString(), " but an ingestion writes ",
                           schema->ToString());
  }
  return Status::OK();
}

Result<ContentIds> ReadContentIds(const lance::Dataset& dataset, const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, dataset.CountRows(nullptr, context));
  std::vector<ContentDigest> digests;
  digests.reserve(rows);
  lance::ScanOptions scan;
  scan.columns = {"content_id"};
  ARROW_ASSIGN_OR_RAISE(const auto reader, dataset.Scan(scan, context));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return ContentIds(std::move(digests));
    const auto& column = static_cast<const arrow::StringArray&>(*batch->column(0));
    for (int64_t row = 0; row < column.length(); ++row) {
      ARROW_ASSIGN_OR_RAISE(const ContentDigest digest, ParseContentId(column.GetView(row)));
      digests.push_back(digest);
    }
  }
}

Result<Existing> LoadExisting(const Lake& lake, const IngestOptions& options,
                              const OperationContext& context) {
  // Whether a table is there is what the catalog says: one whose files are gone is not a new one.
  ARROW_ASSIGN_OR_RAISE(const auto tables, lake.Tables(context));
  const auto is_there = [&](const catalog::TableName& name) {
    return std::ranges::find(tables, name, &catalog::TableEntry::name) != tables.end();
  };
  const catalog::TableName metadata_name = MetadataName(options.name);
  const bool has_pictures = is_there(options.name);
  const bool has_metadata = is_there(metadata_name);
  if (!has_pictures && !has_metadata) return Existing{};
  if (has_pictures != has_metadata) {
    return InvalidArgument("of the tables '", options.name.ToString(), "' and '",
                           metadata_name.ToString(),
                           "' there is only one: an ingestion makes both; use another name");
  }
  ARROW_ASSIGN_OR_RAISE(const auto pictures, lake.OpenLance(options.name, context));
  ARROW_RETURN_NOT_OK(lake.OpenIceberg(metadata_name, context).status());
  ARROW_RETURN_NOT_OK(CheckTable(*pictures, options));
  ARROW_ASSIGN_OR_RAISE(ContentIds content_ids, ReadContentIds(*pictures, context));
  return Existing{.version = pictures->version(), .content_ids = std::move(content_ids)};
}

int64_t MicrosecondsNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The joint commit of all that `stream` gives, onto version `version` of the table and no other:
/// its contents are those that the stream leaves out.
Result<int64_t> Commit(Lake* lake, const std::shared_ptr<PictureStream>& stream, uint64_t version,
                       std::string_view folder, const IngestOptions& options,
                       const OperationContext& context) {
  const std::string& model = options.encoder->model();
  const std::map<std::string, std::string> properties = {{kModelProperty, model}};
  // In this order: the metadata of a picture is known when the picture has been read.
  std::vector<TableAppend> appends;
  appends.push_back({.name = options.name,
                     .kind = catalog::TableKind::kLance,
                     .data = ReadPictures(stream),
                     .properties = properties,
                     .expected_version = version});
  appends.push_back({.name = MetadataName(options.name),
                     .kind = catalog::TableKind::kIceberg,
                     .data = ReadMetadata(stream),
                     .properties = properties,
                     .expected_version = std::nullopt});
  CommitInfo info;
  info.message = options.message.empty() ? "ingest " + std::string(folder) : options.message;
  info.author = options.author;
  info.properties = options.properties;
  info.properties.insert({{"tusk.operation", "ingest"}, {kModelProperty, model}});
  return lake->Append(std::move(appends), info, context);
}

}  // namespace

Result<IngestReport> Ingest(Lake* lake, std::string_view folder, const IngestOptions& options,
                            const OperationContext& context) {
  if (options.encoder == nullptr) return InvalidArgument("ingestion without an encoder");
  if (const auto at = lake->at(); at.has_value()) {
    return InvalidArgument("the lake is opened at joint version ", *at,
                           ", which is read-only; open it without a version to ingest");
  }
  ARROW_ASSIGN_OR_RAISE(const io::StorePath place, io::ResolveUri(folder));
  ARROW_ASSIGN_OR_RAISE(FoundFiles found, FindFiles(place.path, context));
  // The lake may lie in the folder: its own files are no input.
  std::erase_if(found.paths, [inside = lake->uri() + "/"](const std::string& path) {
    return path.starts_with(inside);
  });
  const int64_t ingested_at_us = MicrosecondsNow();
  for (int attempt = 1;; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(Existing existing, LoadExisting(*lake, options, context));
    ARROW_ASSIGN_OR_RAISE(const auto stream,
                          PictureStream::Make({.store = place.store,
                                               .paths = found.paths,
                                               .known = std::move(existing.content_ids),
                                               .ingested_at_us = ingested_at_us},
                                              options, context));
    ARROW_ASSIGN_OR_RAISE(const bool has_pictures, stream->HasPictures());
    std::optional<int64_t> joint_version;
    if (has_pictures) {
      const auto committed = Commit(lake, stream, existing.version, folder, options, context);
      // Another ingestion may have added what this one is adding: only a new look can tell.
      if (GetErrorCode(committed.status()) == ErrorCode::kCommitConflict && attempt < kAttempts) {
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(joint_version, committed);
    }
    IngestReport report = stream->report();
    report.joint_version = joint_version;
    report.files += std::ssize(found.skipped);
    report.skipped.insert(report.skipped.end(), found.skipped.begin(), found.skipped.end());
    std::ranges::sort(report.skipped, {}, &SkippedFile::path);
    return report;
  }
}

}  // namespace tusk::lake
