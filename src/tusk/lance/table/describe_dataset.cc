#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "tusk/lance/dataset_description.h"
#include "tusk/lance/file/describe.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/file/verify_file.h"
#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {
namespace {

/// Columns of a table by the id of their field.
class DatasetColumns {
 public:
  static Result<DatasetColumns> Make(const Schema& schema) {
    ARROW_ASSIGN_OR_RAISE(const auto paths, PathsOfFields(schema));
    DatasetColumns columns;
    for (const Field& field : schema.fields) columns.Add(field, paths);
    return columns;
  }

  void Count(const DataFile& file, const std::vector<ColumnDescription>& columns) {
    for (size_t number = 0; number < columns.size(); ++number) {
      DatasetColumn& to = Find(file, static_cast<int32_t>(number));
      ++to.num_files;
      to.num_pages += std::ssize(columns[number].pages);
      to.num_values += columns[number].num_values;
      to.num_bytes += columns[number].num_bytes;
      for (const auto& [encoding, pages] : columns[number].CountEncodings()) {
        to.encodings[encoding] += pages;
      }
    }
  }

  /// Those that a file has.
  std::vector<DatasetColumn> Finish() {
    columns_.push_back(std::move(others_));
    std::erase_if(columns_, [](const DatasetColumn& column) { return column.num_files == 0; });
    return std::move(columns_);
  }

 private:
  void Add(const Field& field, const std::map<const Field*, std::string>& paths) {
    by_id_[field.id] = columns_.size();
    columns_.push_back(
        {.field = paths.at(&field), .logical_type = field.logical_type, .encodings = {}});
    for (const Field& child : field.children) Add(child, paths);
  }

  DatasetColumn& Find(const DataFile& file, int32_t number) {
    const auto at = std::ranges::find(file.column_indices, number);
    const size_t index = at - file.column_indices.begin();
    if (at == file.column_indices.end() || index >= file.field_ids.size()) return others_;
    const auto column = by_id_.find(file.field_ids[index]);
    return column == by_id_.end() ? others_ : columns_[column->second];
  }

  std::map<int32_t, size_t> by_id_;
  std::vector<DatasetColumn> columns_;
  DatasetColumn others_;
};

/// A data file of a version.
struct Listed {
  const Fragment* fragment;
  const DataFile* file;
};

std::vector<Listed> ListFiles(const Dataset::State& state) {
  std::vector<Listed> files;
  for (const Fragment& fragment : state.manifest.fragments) {
    for (const DataFile& file : fragment.files) files.push_back({&fragment, &file});
  }
  return files;
}

}  // namespace

Result<DatasetDescription> DescribeDataset(const Dataset& dataset,
                                           const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  const std::vector<Listed> files = ListFiles(state);
  DatasetDescription description;
  description.num_rows = state.num_rows();
  description.num_files = std::ssize(files);
  ARROW_ASSIGN_OR_RAISE(DatasetColumns columns, DatasetColumns::Make(state.manifest.schema));
  std::mutex mutex;  // guards the two above
  ARROW_RETURN_NOT_OK(context.executor->ParallelFor(
      std::ssize(files),
      [&](int64_t i) -> Status {
        ARROW_ASSIGN_OR_RAISE(const io::StorePath path,
                              state.Locate(*files[i].fragment, *files[i].file));
        ARROW_ASSIGN_OR_RAISE(const FileDescription file, DescribeFile(path, context));
        std::lock_guard lock(mutex);
        description.num_bytes += file.num_bytes;
        columns.Count(*files[i].file, file.columns);
        return Status::OK();
      },
      context.stop, nullptr));
  description.columns = columns.Finish();
  return description;
}

Result<DatasetVerification> VerifyDataset(const Dataset& dataset, const OperationContext& context) {
  const Dataset::State& state = dataset.state();
  const std::vector<Listed> files = ListFiles(state);
  std::vector<FileVerification> found(files.size());
  ARROW_RETURN_NOT_OK(context.executor->ParallelFor(
      std::ssize(files),
      [&](int64_t i) -> Status {
        ARROW_ASSIGN_OR_RAISE(const io::StorePath path,
                              state.Locate(*files[i].fragment, *files[i].file));
        auto verified = VerifyFile(path, context);
        if (verified.ok()) {
          found[i] = *std::move(verified);
          return Status::OK();
        }
        if (GetErrorCode(verified.status()) != ErrorCode::kNotFound) return verified.status();
        found[i].damages.emplace_back("it is not there");
        return Status::OK();
      },
      context.stop, nullptr));
  DatasetVerification result;
  result.num_files = std::ssize(files);
  for (size_t i = 0; i < files.size(); ++i) {
    if (found[i].has_checksums) ++result.num_files_with_checksums;
    result.num_bytes += found[i].num_bytes;
    for (const std::string& damage : found[i].damages) {
      result.damages.push_back("data file '" + files[i].file->path + "': " + damage);
    }
  }
  return result;
}

}  // namespace tusk::lance
