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
#include "tusk/lake/label_file.h"
#include "tusk/lake/lake_state.h"
#include "tusk/lake/media_schema.h"
#include "tusk/lake/picture_stream.h"

namespace tusk::lake {
namespace {

/// How often a part is chosen anew because others have changed the table meanwhile. Each time one
/// of them has made progress.
constexpr int kAttempts = 200;

/// What is in the table before the ingestion.
struct Existing {
  uint64_t version = 0;  ///< 0: there is no table
  ContentIds content_ids;
};

/// InvalidArgument unless the table has the columns of an ingestion with this encoder.
Status CheckTable(const lance::Dataset& dataset, const IngestOptions& options) {
  const std::string own_model = ModelOf(options);
  const auto model = dataset.config().find(kModelProperty);
  if (model == dataset.config().end()) {
    return InvalidArgument("table '", options.name.ToString(),
                           "' was not made by an ingestion: it does not say which encoder made "
                           "its vectors; use another name");
  }
  if (model->second != own_model) {
    return InvalidArgument("table '", options.name.ToString(), "' holds vectors of encoder '",
                           model->second, "', not of '", own_model,
                           "': use that one, or another name");
  }
  const auto schema = MediaSchema(options);
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
  const catalog::TableName metadata_name = MetadataTable(options.name);
  const bool has_pictures = is_there(options.name);
  const bool has_metadata = is_there(metadata_name);
  if (!has_pictures && !has_metadata) return Existing{};
  if (has_pictures != has_metadata) {
    return InvalidArgument("of the tables '", options.name.ToString(), "' and '",
                           metadata_name.ToString(),
                           "' there is only one: an ingestion makes both; use another name");
  }
  ARROW_RETURN_NOT_OK(lake.OpenIceberg(metadata_name, context).status());
  ARROW_ASSIGN_OR_RAISE(auto pictures, lake.OpenLance(options.name, context));
  // What others appended by path comes into the table with the next commit.
  const io::StorePath place = {.store = lake.state().parts.root.store, .path = pictures->uri()};
  const auto latest = lance::Dataset::Open(place, {}, context);
  if (latest.ok() && (*latest)->version() > pictures->version()) pictures = *latest;
  ARROW_RETURN_NOT_OK(CheckTable(*pictures, options));
  ARROW_ASSIGN_OR_RAISE(ContentIds content_ids, ReadContentIds(*pictures, context));
  return Existing{.version = pictures->version(), .content_ids = std::move(content_ids)};
}

int64_t MicrosecondsNow() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// One ingestion under way.
class Ingestion {
 public:
  Ingestion(Lake* lake, std::string_view folder, const IngestOptions& options,
            const OperationContext& context)
      : lake_(*lake), folder_(folder), options_(options), context_(context) {}

  Result<IngestReport> Run() {
    const auto begin = std::chrono::steady_clock::now();
    ARROW_ASSIGN_OR_RAISE(const FoundFiles found, FindInput());
    ARROW_ASSIGN_OR_RAISE(const auto labels, ReadLabels(found));
    ARROW_RETURN_NOT_OK(LoadKnown());
    ARROW_ASSIGN_OR_RAISE(stream_, PictureStream::Make({.store = io::MakeLocalStore(),
                                                        .paths = found.paths,
                                                        .folder = root_,
                                                        .known = std::move(known_),
                                                        .labels = labels ? &*labels : nullptr,
                                                        .ingested_at_us = MicrosecondsNow()},
                                                       options_, context_));
    std::optional<int64_t> joint_version;
    int64_t commits = 0;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto committed, CommitPart());
      if (!committed) break;
      joint_version = committed;
      ++commits;
      stream_->BeginPart();
    }
    IngestReport report = stream_->report();
    report.joint_version = joint_version;
    report.commits = commits;
    report.files += std::ssize(found.skipped);
    report.skipped.insert(report.skipped.end(), found.skipped.begin(), found.skipped.end());
    std::ranges::sort(report.skipped, {}, &SkippedFile::path);
    IngestSeconds& seconds = report.seconds;
    seconds.total = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    seconds.writing =
        std::max(0.0, writing_ - seconds.reading - seconds.decoding - seconds.encoding);
    return report;
  }

 private:
  Result<FoundFiles> FindInput() {
    ARROW_ASSIGN_OR_RAISE(const io::StorePath place, io::ResolveUri(folder_));
    root_ = place.path;
    ARROW_ASSIGN_OR_RAISE(FoundFiles found, FindFiles(root_, context_));
    // The lake may lie in the folder: its own files are no input; neither are the labels.
    std::erase_if(found.paths, [&, inside = lake_.uri() + "/"](const std::string& path) {
      return path.starts_with(inside) || path == options_.label_file;
    });
    return found;
  }

  Result<std::optional<FileLabels>> ReadLabels(const FoundFiles& found) {
    if (options_.label_from != LabelFrom::kFile) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(FileLabels labels, FileLabels::Read(options_.label_file, context_));
    const bool names_any = std::ranges::any_of(
        found.paths, [&](const std::string& path) { return labels.Find(root_, path).has_value(); });
    if (!names_any && !found.paths.empty()) {
      return InvalidArgument("none of the ", labels.size(), " paths of '", options_.label_file,
                             "' is one of the ", found.paths.size(), " files in '", root_,
                             "': paths are relative to that folder, or absolute");
    }
    return labels;
  }

  Status LoadKnown() {
    ARROW_ASSIGN_OR_RAISE(Existing existing, LoadExisting(lake_, options_, context_));
    version_ = existing.version;
    known_ = std::move(existing.content_ids);
    return Status::OK();
  }

  /// Commits the next part. Nothing if there is nothing left to add. If others have committed to
  /// the table meanwhile, the part is chosen anew without what they added.
  Result<std::optional<int64_t>> CommitPart() {
    for (int attempt = 1;; ++attempt) {
      // Reading goes on while the tables are written: the parts are told apart at the end.
      const auto begin = std::chrono::steady_clock::now();
      ARROW_ASSIGN_OR_RAISE(const bool has_pictures, stream_->HasPictures());
      const auto count = [&] {
        writing_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      };
      if (!has_pictures) {
        count();
        return std::nullopt;
      }
      const Result<int64_t> number = Append();
      count();
      if (number.ok()) {
        ARROW_RETURN_NOT_OK(FollowOwnCommit(*number));
        return std::optional(*number);
      }
      if (GetErrorCode(number.status()) != ErrorCode::kCommitConflict || attempt == kAttempts) {
        return number.status();
      }
      ARROW_RETURN_NOT_OK(context_.CheckStop());
      ARROW_RETURN_NOT_OK(LoadKnown());
      stream_->RewindPart(std::move(known_));
    }
  }

  Result<int64_t> Append() {
    const std::map<std::string, std::string> properties = {{kModelProperty, ModelOf(options_)}};
    // In this order: the metadata of a file is known when the file has been read.
    std::vector<TableAppend> appends;
    appends.push_back({.name = options_.name,
                       .kind = catalog::TableKind::kLance,
                       .data = ReadPictures(stream_),
                       .properties = properties,
                       .expected_version = version_});
    appends.push_back({.name = MetadataTable(options_.name),
                       .kind = catalog::TableKind::kIceberg,
                       .data = ReadMetadata(stream_),
                       .properties = properties,
                       .expected_version = std::nullopt});
    CommitInfo info;
    info.message = options_.message.empty() ? "ingest " + std::string(folder_) : options_.message;
    info.author = options_.author;
    info.properties = options_.properties;
    info.properties.insert({"tusk.operation", "ingest"});
    info.properties.insert(*properties.begin());
    return lake_.Append(std::move(appends), info, context_);
  }

  /// Takes over the version that the own commit made. If it is not the next one, somebody came in
  /// between by path, and what the table has is read again.
  Status FollowOwnCommit(int64_t number) {
    ARROW_ASSIGN_OR_RAISE(const auto entry,
                          lake_.state().parts.catalog->LoadTable(options_.name, number, context_));
    const auto made = static_cast<uint64_t>(entry.pointer.version);
    if (made == version_ + 1) {
      version_ = made;
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(LoadKnown());
    stream_->SetKnown(std::move(known_));
    return Status::OK();
  }

  Lake& lake_;
  const std::string_view folder_;
  const IngestOptions& options_;
  const OperationContext& context_;
  std::string root_;
  std::shared_ptr<PictureStream> stream_;
  uint64_t version_ = 0;  ///< of the Lance table, whose contents the stream knows
  ContentIds known_;
  double writing_ = 0;
};

}  // namespace

Result<IngestReport> Ingest(Lake* lake, std::string_view folder, const IngestOptions& options,
                            const OperationContext& context) {
  ARROW_RETURN_NOT_OK(CheckNewest(*lake, "ingest"));
  return Ingestion(lake, folder, options, context).Run();
}

}  // namespace tusk::lake
