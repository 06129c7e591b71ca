#include "tusk/lance/dataset.h"

#include <utility>

#include <arrow/type.h>

#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/projection.h"

namespace tusk::lance {
namespace {

constexpr int64_t kNanosPerMicro = 1000;

Result<ManifestLocation> Locate(const io::StorePath& table, const OpenOptions& options,
                                const OperationContext& context) {
  if (options.manifest_path) {
    ARROW_RETURN_NOT_OK(io::CheckRelativePath(*options.manifest_path));
    return ManifestLocation{.path = *options.manifest_path};
  }
  if (options.version) return FindManifest(table, *options.version, context);
  ARROW_ASSIGN_OR_RAISE(auto latest, FindLatestManifest(table, context));
  if (!latest) {
    return NotFound("no Lance table at '", table.path, "': there is no manifest below _versions/");
  }
  return *std::move(latest);
}

Result<std::shared_ptr<const Dataset>> OpenAt(std::string uri, io::StorePath location,
                                              const OpenOptions& options,
                                              const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(const ManifestLocation found, Locate(location, options, context));
  ARROW_ASSIGN_OR_RAISE(Manifest manifest, ReadManifest(location, found.path, context));
  if (found.version != 0 && manifest.version != found.version) {
    return Corrupt(io::JoinPath(location.path, found.path), " holds version ", manifest.version,
                   ", its name says ", found.version);
  }
  return Dataset::State::Make(std::move(uri), std::move(location), std::move(manifest), found.path);
}

/// The numbers that the reference implementation tells of a version, under the same keys.
std::map<std::string, std::string> Summarize(const Manifest& manifest) {
  uint64_t files = 0;
  uint64_t bytes = 0;
  uint64_t deletion_files = 0;
  uint64_t deleted_rows = 0;
  for (const Fragment& fragment : manifest.fragments) {
    files += fragment.files.size();
    for (const DataFile& file : fragment.files) bytes += file.size_bytes;
    if (!fragment.deletion_file) continue;
    ++deletion_files;
    deleted_rows += fragment.deletion_file->num_deleted_rows;
  }
  const auto rows = static_cast<uint64_t>(manifest.CountPhysicalRows());
  return {{"total_fragments", std::to_string(manifest.fragments.size())},
          {"total_data_files", std::to_string(files)},
          {"total_files_size", std::to_string(bytes)},
          {"total_deletion_files", std::to_string(deletion_files)},
          {"total_data_file_rows", std::to_string(rows)},
          {"total_deletion_file_rows", std::to_string(deleted_rows)},
          {"total_rows", std::to_string(rows - deleted_rows)}};
}

Field WithBlobsV1AsBytes(Field field) {
  if (field.is_blob_v2()) return DescriptorOf(std::move(field));
  for (Field& child : field.children) child = WithBlobsV1AsBytes(std::move(child));
  return field;
}

Schema WithBlobsV1AsBytes(Schema schema) {
  for (Field& field : schema.fields) field = WithBlobsV1AsBytes(std::move(field));
  return schema;
}

}  // namespace

Result<std::shared_ptr<const Dataset>> Dataset::State::Make(std::string uri, io::StorePath location,
                                                            Manifest manifest,
                                                            std::string manifest_path,
                                                            Reading reading) {
  const Status readable = CheckReadable(manifest);
  if (!readable.ok()) return WithContext(readable, location.path);
  auto state = std::make_shared<State>();
  auto schema = manifest.schema.ToArrow(JsonForm::kText);
  if (!schema.ok()) return WithContext(schema.status(), location.path);
  state->schema = *std::move(schema);
  int64_t rows = 0;
  for (const Fragment& fragment : manifest.fragments) {
    state->first_rows.push_back(rows);
    rows += fragment.CountRows();
  }
  state->first_rows.push_back(rows);
  state->uri = std::move(uri);
  state->location = std::move(location);
  state->manifest = std::move(manifest);
  state->manifest_path = std::move(manifest_path);
  state->blobs = reading.blobs;
  state->files =
      reading.files != nullptr ? std::move(reading.files) : std::make_shared<FileCache>();
  state->base_places = std::move(reading.base_places);
  state->scan_schema = state->blobs == BlobForm::kBytes
                           ? WithBlobsV1AsBytes(state->manifest.schema)
                           : state->manifest.schema.WithBlobDescriptors();
  ARROW_ASSIGN_OR_RAISE(state->all_columns, Projection::All(*state));
  return std::make_shared<const Dataset>(std::move(state));
}

Result<std::shared_ptr<const Dataset>> Dataset::State::ReadAs(Reading reading) const {
  return Make(uri, location, manifest, manifest_path, std::move(reading));
}

Result<TableBase> Dataset::State::Locate(std::optional<uint32_t> base_id) const {
  if (base_id) {
    const auto elsewhere = base_places.find(*base_id);
    if (elsewhere != base_places.end()) return elsewhere->second;
  }
  return FindBase(location, manifest, base_id);
}

Result<io::StorePath> Dataset::State::Locate(const Fragment& fragment, const DataFile& file) const {
  const auto base = Locate(file.base_id);
  if (!base.ok()) {
    return WithContext(base.status(), location.path + ": data file '" + file.path +
                                          "' of fragment " + std::to_string(fragment.id));
  }
  const std::string folder =
      base->is_dataset_root ? io::JoinPath(base->place.path, "data") : base->place.path;
  return io::StorePath{.store = base->place.store, .path = io::JoinPath(folder, file.path)};
}

Result<std::shared_ptr<const FileReader>> Dataset::State::OpenFile(
    const Fragment& fragment, const DataFile& file, const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const io::StorePath found, Locate(fragment, file));
  const std::string& path = found.path;
  // Nobody replaces a file of a table.
  auto reader = files->Open(found.store.get(), path, /*tag=*/{}, context);
  if (!reader.ok()) {
    return WithContext(reader.status(), location.path + ": version " +
                                            std::to_string(manifest.version) + ", fragment " +
                                            std::to_string(fragment.id));
  }
  if ((*reader)->num_rows() != fragment.physical_rows) {
    return Corrupt(path, " has ", (*reader)->num_rows(), " rows, but fragment ", fragment.id,
                   " of version ", manifest.version, " has ", fragment.physical_rows);
  }
  return reader;
}

Result<std::shared_ptr<const RowIdSequence>> Dataset::State::RowIds(
    const Fragment& fragment) const {
  if (fragment.row_ids_in_column) {
    return Unsupported(location.path, ": the row ids of fragment ", fragment.id,
                       " are kept in a column: that is not supported yet");
  }
  if (!fragment.row_ids) {
    return Corrupt(location.path, ": fragment ", fragment.id, " of version ", manifest.version,
                   " has no row ids although the table has stable ones");
  }
  std::lock_guard lock(mutex_);
  auto& cached = row_ids_[fragment.id];
  if (cached != nullptr) return cached;
  ARROW_ASSIGN_OR_RAISE(RowIdSequence sequence, RowIdSequence::Parse(*fragment.row_ids));
  if (sequence.length() != fragment.physical_rows) {
    return Corrupt(location.path, ": fragment ", fragment.id, " has ", sequence.length(),
                   " row ids for ", fragment.physical_rows, " rows");
  }
  cached = std::make_shared<const RowIdSequence>(std::move(sequence));
  return cached;
}

Result<std::shared_ptr<const DeletedRows>> Dataset::State::FindDeletedRows(
    const Fragment& fragment, const OperationContext& context) const {
  if (!fragment.deletion_file) return nullptr;
  {
    std::lock_guard lock(mutex_);
    const auto it = deleted_rows_.find(fragment.id);
    if (it != deleted_rows_.end()) return it->second;
  }
  ARROW_ASSIGN_OR_RAISE(const TableBase base, Locate(fragment.deletion_file->base_id));
  ARROW_ASSIGN_OR_RAISE(auto rows, ReadDeletedRows(base.place, fragment, context));
  std::lock_guard lock(mutex_);
  auto shared = std::make_shared<const DeletedRows>(std::move(rows));
  return deleted_rows_.try_emplace(fragment.id, std::move(shared)).first->second;
}

Result<std::shared_ptr<const Dataset>> Dataset::Open(std::string_view uri,
                                                     const OpenOptions& options,
                                                     const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(io::StorePath location, io::ResolveUri(uri, options.storage_options));
  return OpenAt(std::string(uri), std::move(location), options, context);
}

Result<std::shared_ptr<const Dataset>> Dataset::Open(io::StorePath location,
                                                     const OpenOptions& options,
                                                     const OperationContext& context) {
  std::string uri = location.path;
  return OpenAt(std::move(uri), std::move(location), options, context);
}

Dataset::Dataset(std::shared_ptr<const State> state) : state_(std::move(state)) {}
Dataset::~Dataset() = default;

const std::string& Dataset::uri() const { return state_->uri; }
uint64_t Dataset::version() const { return state_->manifest.version; }
int64_t Dataset::timestamp_us() const { return state_->manifest.timestamp_ns / kNanosPerMicro; }
const std::string& Dataset::data_storage_version() const { return state_->manifest.data_version; }
bool Dataset::has_stable_row_ids() const {
  return (state_->manifest.reader_flags & kFlagStableRowIds) != 0;
}
std::vector<FragmentInfo> Dataset::ListFragments() const {
  std::vector<FragmentInfo> fragments;
  for (size_t i = 0; i < state_->manifest.fragments.size(); ++i) {
    const Fragment& fragment = state_->manifest.fragments[i];
    const int64_t num_rows = state_->first_rows[i + 1] - state_->first_rows[i];
    fragments.push_back({.id = fragment.id,
                         .num_rows = num_rows,
                         .num_deleted_rows = fragment.physical_rows - num_rows});
  }
  return fragments;
}

int64_t Dataset::num_fragments() const { return std::ssize(state_->manifest.fragments); }
const std::shared_ptr<arrow::Schema>& Dataset::schema() const { return state_->schema; }
const std::map<std::string, std::string>& Dataset::config() const {
  return state_->manifest.config;
}

Result<std::vector<VersionInfo>> Dataset::ListVersions(const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto locations, ListManifests(state_->location, context));
  std::vector<VersionInfo> versions(locations.size());
  ARROW_RETURN_NOT_OK(context.executor->ParallelFor(
      std::ssize(locations),
      [&](int64_t i) -> Status {
        ARROW_ASSIGN_OR_RAISE(const Manifest manifest,
                              ReadManifest(state_->location, locations[i].path, context));
        versions[i] = {.version = locations[i].version,
                       .timestamp_us = manifest.timestamp_ns / kNanosPerMicro,
                       .metadata = Summarize(manifest)};
        return Status::OK();
      },
      context.stop, nullptr));
  return versions;
}

Result<uint64_t> Dataset::LatestVersion(const OperationContext& context) const {
  ARROW_ASSIGN_OR_RAISE(const auto latest, FindLatestManifest(state_->location, context));
  if (!latest) return NotFound("the Lance table at '", state_->location.path, "' is gone");
  return latest->version;
}

}  // namespace tusk::lance
