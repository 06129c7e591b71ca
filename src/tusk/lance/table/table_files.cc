#include "tusk/lance/table_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/base/uuid.h"
#include "tusk/lance/table/base_paths.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/deletion_file.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/index_metadata.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/lance/table/target_folders.h"

namespace tusk::lance {
namespace {

/// What a file is to a version; the order is that of kKindNames.
enum class FileKind : int8_t { kManifest, kData, kDeletion, kTransaction, kIndex };
constexpr std::array<std::string_view, 5> kKindNames = {"manifest", "data file", "deletion file",
                                                        "transaction file", "index file"};

Result<std::shared_ptr<arrow::Array>> MakeTexts(std::span<const std::string_view> texts,
                                                arrow::MemoryPool* pool) {
  arrow::StringBuilder builder(pool);
  for (const std::string_view text : texts) ARROW_RETURN_NOT_OK(builder.Append(text));
  return builder.Finish();
}

bool HasBlobFiles(const std::vector<Field>& fields) {
  return std::ranges::any_of(fields, [](const Field& field) {
    return field.is_blob_v2() || HasBlobFiles(field.children);
  });
}

/// Gathers the files of one version as columns.
class VersionFiles {
 public:
  VersionFiles(const io::StorePath& table, const Manifest& manifest,
               const OperationContext& context)
      : table_(table),
        manifest_(manifest),
        context_(context),
        bases_(context.pool),
        paths_(context.pool),
        kinds_(context.pool) {}

  Status AddAll(const ManifestLocation& location) {
    ARROW_RETURN_NOT_OK(Add({}, location.path, FileKind::kManifest));
    if (!manifest_.transaction_file.empty()) {
      ARROW_RETURN_NOT_OK(
          Add({}, "_transactions/" + manifest_.transaction_file, FileKind::kTransaction));
    }
    const bool has_blob_files = HasBlobFiles(manifest_.schema.fields);
    for (const Fragment& fragment : manifest_.fragments) {
      for (const DataFile& file : fragment.files) {
        ARROW_RETURN_NOT_OK(AddDataFile(file, has_blob_files));
      }
      if (!fragment.deletion_file) continue;
      ARROW_RETURN_NOT_OK(
          Add(fragment.deletion_file->base_id, DeletionPath(fragment), FileKind::kDeletion));
    }
    ARROW_ASSIGN_OR_RAISE(const std::string section,
                          ReadIndexSection(table_, location.path, manifest_, context_));
    if (section.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const auto indices, ParseIndexSection(section));
    for (const IndexMetadata& index : indices) ARROW_RETURN_NOT_OK(AddIndex(index));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish() {
    const int64_t num_rows = paths_.length();
    ARROW_ASSIGN_OR_RAISE(
        const auto version,
        arrow::MakeArrayFromScalar(arrow::Int64Scalar(static_cast<int64_t>(manifest_.version)),
                                   num_rows, context_.pool));
    const std::vector<std::string_view> names(base_names_.begin(), base_names_.end());
    ARROW_ASSIGN_OR_RAISE(const auto base, Encoded(&bases_, names));
    ARROW_ASSIGN_OR_RAISE(const auto paths, paths_.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto kind, Encoded(&kinds_, kKindNames));
    const auto schema = arrow::schema({arrow::field("version", arrow::int64(), false),
                                       arrow::field("base_uri", base->type(), false),
                                       arrow::field("path", arrow::utf8(), false),
                                       arrow::field("type", kind->type(), false)});
    return arrow::RecordBatch::Make(schema, num_rows, {version, base, paths, kind});
  }

 private:
  /// The codes that `codes` has gathered, as a column of `values`.
  template <typename Builder>
  Result<std::shared_ptr<arrow::Array>> Encoded(Builder* codes,
                                                std::span<const std::string_view> values) const {
    ARROW_ASSIGN_OR_RAISE(const auto indices, codes->Finish());
    ARROW_ASSIGN_OR_RAISE(const auto dictionary, MakeTexts(values, context_.pool));
    return arrow::DictionaryArray::FromArrays(arrow::dictionary(indices->type(), arrow::utf8()),
                                              indices, dictionary);
  }

  Status Add(std::optional<uint32_t> base_id, std::string_view path, FileKind kind) {
    ARROW_ASSIGN_OR_RAISE(const int32_t base, CodeOf(base_id));
    ARROW_RETURN_NOT_OK(bases_.Append(base));
    ARROW_RETURN_NOT_OK(paths_.Append(path));
    return kinds_.Append(static_cast<int8_t>(kind));
  }

  Result<int32_t> CodeOf(std::optional<uint32_t> base_id) {
    const auto found = codes_.find(base_id);
    if (found != codes_.end()) return found->second;
    std::string name = table_.path;
    if (base_id) {
      const auto base = std::ranges::find(manifest_.base_paths, *base_id, &BasePath::id);
      if (base == manifest_.base_paths.end()) {
        return Corrupt("version ", manifest_.version, " of ", table_.path, " has no base path ",
                       *base_id);
      }
      name = base->path;
    }
    base_names_.push_back(std::move(name));
    return codes_[base_id] = static_cast<int32_t>(codes_.size());
  }

  Status AddDataFile(const DataFile& file, bool has_blob_files) {
    constexpr std::string_view kEnding = ".lance";
    ARROW_ASSIGN_OR_RAISE(const TableBase base, FindBase(table_, manifest_, file.base_id));
    const std::string folder = base.is_dataset_root ? "data/" : "";
    ARROW_RETURN_NOT_OK(Add(file.base_id, folder + file.path, FileKind::kData));
    if (!has_blob_files || !file.path.ends_with(kEnding)) return Status::OK();
    const std::string stem = file.path.substr(0, file.path.size() - kEnding.size());
    return AddFolder(base.place, file.base_id, folder + stem, FileKind::kData);
  }

  Status AddIndex(const IndexMetadata& index) {
    std::array<uint8_t, 16> uuid = {};
    std::ranges::copy(index.uuid, uuid.begin());
    const std::string folder = "_indices/" + FormatUuid(uuid);
    for (const IndexFile& file : index.files) {
      ARROW_RETURN_NOT_OK(Add(index.base_id, io::JoinPath(folder, file.path), FileKind::kIndex));
    }
    if (!index.files.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const TableBase base, FindBase(table_, manifest_, index.base_id));
    return AddFolder(base.place, index.base_id, folder, FileKind::kIndex);
  }

  /// All that is below `folder` of a base.
  Status AddFolder(const io::StorePath& base, std::optional<uint32_t> base_id,
                   const std::string& folder, FileKind kind) {
    const std::string path = io::JoinPath(base.path, folder);
    ARROW_ASSIGN_OR_RAISE(const auto objects, base.store->List(path, context_));
    for (const io::ObjectInfo& object : objects) {
      ARROW_RETURN_NOT_OK(Add(base_id, folder + object.path.substr(path.size()), kind));
    }
    return Status::OK();
  }

  const io::StorePath& table_;
  const Manifest& manifest_;
  const OperationContext& context_;
  std::map<std::optional<uint32_t>, int32_t> codes_;  ///< of bases, by their ids
  std::vector<std::string> base_names_;               ///< by their codes
  arrow::Int32Builder bases_;
  arrow::StringBuilder paths_;
  arrow::Int8Builder kinds_;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> ListFiles(const Dataset& table,
                                                      const OperationContext& context) {
  const io::StorePath& place = table.state().location;
  ARROW_ASSIGN_OR_RAISE(const auto objects, place.store->List(place.path, context));
  arrow::StringBuilder paths(context.pool);
  arrow::Int64Builder sizes(context.pool);
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), context.pool);
  arrow::Int32Builder bases(context.pool);
  for (const io::ObjectInfo& object : objects) {
    ARROW_RETURN_NOT_OK(paths.Append(std::string_view(object.path).substr(place.path.size() + 1)));
    ARROW_RETURN_NOT_OK(sizes.Append(object.size));
    ARROW_RETURN_NOT_OK(times.Append(object.modified_ms * 1000));
    ARROW_RETURN_NOT_OK(bases.Append(0));
  }
  const std::array<std::string_view, 1> roots = {place.path};
  ARROW_ASSIGN_OR_RAISE(const auto root, MakeTexts(roots, context.pool));
  ARROW_ASSIGN_OR_RAISE(const auto codes, bases.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto base,
                        arrow::DictionaryArray::FromArrays(
                            arrow::dictionary(arrow::int32(), arrow::utf8()), codes, root));
  ARROW_ASSIGN_OR_RAISE(const auto path, paths.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto size, sizes.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto time, times.Finish());
  const auto schema = arrow::schema({arrow::field("base_uri", base->type(), false),
                                     arrow::field("path", arrow::utf8(), false),
                                     arrow::field("size_bytes", arrow::int64(), false),
                                     arrow::field("last_modified", time->type(), false)});
  return arrow::RecordBatch::Make(schema, std::ssize(objects), {base, path, size, time});
}

Result<std::shared_ptr<arrow::RecordBatch>> ListVersionFiles(const Dataset& table, uint64_t version,
                                                             const OperationContext& context) {
  const io::StorePath& place = table.state().location;
  ARROW_ASSIGN_OR_RAISE(const ManifestLocation location, FindManifest(place, version, context));
  ARROW_ASSIGN_OR_RAISE(const Manifest manifest, ReadManifest(place, location.path, context));
  const auto list = [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    ARROW_RETURN_NOT_OK(CheckReadable(manifest));
    VersionFiles files(place, manifest, context);
    ARROW_RETURN_NOT_OK(files.AddAll(location));
    return files.Finish();
  };
  auto files = list();
  if (files.ok()) return files;
  return WithContext(files.status(), io::JoinPath(place.path, location.path));
}

}  // namespace tusk::lance
