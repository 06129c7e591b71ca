#include "tusk/lance/table/page_copy.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tusk/lance/file/page_layout.h"
#include "tusk/lance/file/physical_column.h"
#include "tusk/lance/file/stored_file.h"
#include "tusk/lance/file/write/copying_writer.h"
#include "tusk/lance/file/write/leaf_path.h"
#include "tusk/lance/table/data_file.h"
#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/write_fragments.h"

namespace tusk::lance {
namespace {

const Field* FindById(const std::vector<Field>& fields, int32_t id) {
  for (const Field& field : fields) {
    if (field.id == id) return &field;
    if (const Field* found = FindById(field.children, id)) return found;
  }
  return nullptr;
}

const Field* FindBlob(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (field.is_blob()) return &field;
    if (const Field* found = FindBlob(field.children)) return found;
  }
  return nullptr;
}

/// Whether the rows of both are stored alike.
bool AreAlike(const Field& one, const Field& other) {
  return one.id == other.id && one.logical_type == other.logical_type &&
         std::ranges::equal(one.children, other.children, AreAlike);
}

/// Unsupported if pages of the column were written as something else than what `field` is.
Status CheckIsStoredAs(const PhysicalColumn& column, const Schema& stored) {
  const Field& field = *column.field;
  const Field* found = FindById(stored.fields, field.id);
  if (found == nullptr) return Unsupported("a file does not say what column '", field.name, "' is");
  const bool is_packed = column.kind == ColumnKind::kPackedStruct;
  if (is_packed ? AreAlike(*found, field) : found->logical_type == field.logical_type) {
    return Status::OK();
  }
  return Unsupported("a file has another form of column '", field.name, "'");
}

/// Layers of the first page, if it is one with rows. Unsupported if another page has others, which
/// pylance misreads in such a column.
Status CheckLayers(const Field& top, const LeafPath& path, const StoredColumn& column,
                   std::optional<std::vector<LevelLayer>>* first) {
  if (path.NullLevelsAboveItems().empty()) return Status::OK();
  for (const StoredPage& page : column.pages) {
    ARROW_ASSIGN_OR_RAISE(const PageLayout layout,
                          PageLayout::Parse(page.encoding, page.buffers.size()));
    if (!*first) *first = layout.layers;
    if (layout.layers != **first) {
      return Unsupported("pages of column '", top.name, "' have nulls at other levels than others");
    }
  }
  return Status::OK();
}

}  // namespace

/// Puts a plan together.
class PageCopy::Planner {
 public:
  Planner(const Dataset::State& dataset, uint16_t minor_version, const OperationContext& context)
      : dataset_(dataset), minor_version_(minor_version), context_(context) {}

  Result<PageCopy> Run(std::span<const Fragment> fragments) {
    ARROW_RETURN_NOT_OK(FindColumns());
    PageCopy copy;
    copy.schema_ = dataset_.manifest.schema;
    copy.minor_version_ = minor_version_;
    copy.fragments_.resize(fragments.size());
    ARROW_RETURN_NOT_OK(FindKnown(fragments[0]));
    ARROW_RETURN_NOT_OK(context_.executor->ParallelFor(
        std::ssize(fragments), [&](int64_t i) { return Read(fragments[i], &copy.fragments_[i]); },
        context_.stop, nullptr));
    ARROW_RETURN_NOT_OK(CheckAllLayers(copy));
    return copy;
  }

 private:
  /// The columns of a top-level field: leaves [begin, end).
  struct TopField {
    const Field* field;
    size_t begin;
    size_t end;
  };

  Status FindColumns() {
    const Schema& schema = dataset_.manifest.schema;
    if (const Field* blob = FindBlob(schema.fields)) {
      return Unsupported("column '", blob->name, "' has blobs");
    }
    if (minor_version_ < 1) return Unsupported("files of data version 2.0 cannot be written");
    for (const Field& field : schema.fields) {
      ARROW_ASSIGN_OR_RAISE(auto paths, LeafPath::Of(field, minor_version_));
      const size_t begin = leaves_.size();
      std::ranges::move(paths, std::back_inserter(leaves_));
      tops_.push_back({.field = &field, .begin = begin, .end = leaves_.size()});
    }
    return Status::OK();
  }

  /// The file of `fragment` that has all leaves of `top`, and the column of each of them in it.
  Result<size_t> FindFile(const Fragment& fragment, const TopField& top,
                          std::vector<int32_t>* numbers) const {
    for (size_t f = 0; f < fragment.files.size(); ++f) {
      const DataFile& file = fragment.files[f];
      numbers->clear();
      for (size_t leaf = top.begin; leaf < top.end; ++leaf) {
        const auto id = std::ranges::find(file.field_ids, leaves_[leaf].column().field->id);
        if (id == file.field_ids.end()) break;
        numbers->push_back(file.column_indices[id - file.field_ids.begin()]);
      }
      if (numbers->size() == top.end - top.begin) return f;
    }
    return Unsupported("fragment ", fragment.id, " has not all of column '", top.field->name,
                       "' in one file");
  }

  /// Opens one file, which says of its fields what most of the others do.
  Status FindKnown(const Fragment& fragment) {
    if (fragment.files.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const io::StorePath place, dataset_.Locate(fragment, fragment.files[0]));
    return Open(fragment, place).Value(&known_);
  }

  /// Plans the pages of a fragment.
  Status Read(const Fragment& fragment, FragmentPages* pages) const {
    ARROW_RETURN_NOT_OK(context_.CheckStop());
    if (fragment.deletion_file) {
      return Unsupported("fragment ", fragment.id, " has deleted rows");
    }
    pages->num_rows = fragment.physical_rows;
    std::vector<std::optional<StoredFile>> files(fragment.files.size());
    std::vector<Source> sources(fragment.files.size());
    std::vector<int32_t> numbers;
    for (const TopField& top : tops_) {
      ARROW_ASSIGN_OR_RAISE(const size_t f, FindFile(fragment, top, &numbers));
      if (!files[f]) {
        ARROW_ASSIGN_OR_RAISE(sources[f].place, dataset_.Locate(fragment, fragment.files[f]));
        ARROW_ASSIGN_OR_RAISE(files[f], Open(fragment, sources[f].place));
      }
      for (size_t i = 0; i < numbers.size(); ++i) {
        const Status taken = Take(top.begin + i, numbers[i], &*files[f], &sources[f]);
        if (!taken.ok()) return WithContext(taken, sources[f].place.path);
      }
    }
    for (Source& source : sources) {
      if (!source.columns.empty()) pages->sources.push_back(std::move(source));
    }
    return Status::OK();
  }

  Result<StoredFile> Open(const Fragment& fragment, const io::StorePath& place) const {
    ARROW_ASSIGN_OR_RAISE(StoredFile file,
                          StoredFile::Read(place, minor_version_, known_, context_));
    if (file.num_rows == fragment.physical_rows) return file;
    return Corrupt(place.path, " has ", file.num_rows, " rows, but fragment ", fragment.id,
                   " of version ", dataset_.manifest.version, " has ", fragment.physical_rows);
  }

  /// Plans the pages of leaf number `leaf`, which are column `number` of `file`.
  Status Take(size_t leaf, int32_t number, StoredFile* file, Source* source) const {
    const LeafPath& path = leaves_[leaf];
    const std::string& name = path.column().field->name;
    if (number < 0 || number >= std::ssize(file->columns)) {
      return Corrupt("column '", name, "' is said to be column ", number, " of the file's ",
                     file->columns.size());
    }
    ARROW_RETURN_NOT_OK(CheckIsStoredAs(path.column(), *file->schema));
    StoredColumn& column = file->columns[number];
    // Compared by division: the product could wrap for hostile values.
    const int64_t rows = column.num_rows();
    if (rows % path.entries_per_row() != 0 || rows / path.entries_per_row() != file->num_rows) {
      return Corrupt("column '", name, "' has pages of ", rows, " rows, of ",
                     path.entries_per_row(), " for each of the file's ", file->num_rows);
    }
    source->columns.push_back(leaf);
    source->pages.push_back(std::move(column));
    return Status::OK();
  }

  Status CheckAllLayers(const PageCopy& copy) const {
    std::vector<std::optional<std::vector<LevelLayer>>> first(leaves_.size());
    for (const FragmentPages& fragment : copy.fragments_) {
      for (const Source& source : fragment.sources) {
        for (size_t i = 0; i < source.columns.size(); ++i) {
          const size_t leaf = source.columns[i];
          const auto top = std::ranges::upper_bound(tops_, leaf, {}, &TopField::begin) - 1;
          ARROW_RETURN_NOT_OK(
              CheckLayers(*top->field, leaves_[leaf], source.pages[i], &first[leaf]));
        }
      }
    }
    return Status::OK();
  }

  const Dataset::State& dataset_;
  const uint16_t minor_version_;
  const OperationContext& context_;
  std::vector<LeafPath> leaves_;  ///< the physical columns of the new files
  std::vector<TopField> tops_;
  std::optional<StoredFile> known_;
};

Result<PageCopy> PageCopy::Plan(const Dataset::State& dataset, std::span<const Fragment> fragments,
                                uint16_t minor_version, const OperationContext& context) {
  return Planner(dataset, minor_version, context).Run(fragments);
}

/// Fills one file after the other.
class PageCopy::Writer {
 public:
  Writer(const PageCopy& copy, const io::StorePath& table, const PageCopyLimits& limits,
         const OperationContext& context)
      : copy_(copy), table_(table), limits_(limits), context_(context) {}

  Status Run() {
    for (const FragmentPages& fragment : copy_.fragments_) {
      if (file_ == nullptr) ARROW_RETURN_NOT_OK(OpenFile());
      for (const Source& source : fragment.sources) ARROW_RETURN_NOT_OK(Copy(source));
      file_rows_ += fragment.num_rows;
      rows_ += fragment.num_rows;
      if (context_.progress != nullptr) context_.progress->Report("rows", rows_, -1);
      const bool is_full = file_rows_ >= limits_.max_rows_per_file ||
                           file_->bytes_written() >= limits_.max_bytes_per_file;
      if (is_full) ARROW_RETURN_NOT_OK(FinishFile());
    }
    return file_ == nullptr ? Status::OK() : FinishFile();
  }

  std::vector<Fragment>& written() { return written_; }

 private:
  Status OpenFile() {
    name_ = NewDataFileName();
    return CopyingWriter::Open(table_.store.get(), DataFilePath(table_, name_), copy_.schema_,
                               copy_.minor_version_, limits_.read_bytes, context_)
        .Value(&file_);
  }

  Status Copy(const Source& source) {
    ARROW_ASSIGN_OR_RAISE(const io::OpenedObject object,
                          source.place.store->Open(source.place.path, 0, context_));
    std::vector<CopyingWriter::Part> parts;
    parts.reserve(source.columns.size());
    for (size_t i = 0; i < source.columns.size(); ++i) {
      parts.push_back({.column = source.columns[i], .pages = &source.pages[i]});
    }
    return file_->Append(*object.reader, parts);
  }

  Status FinishFile() {
    ARROW_ASSIGN_OR_RAISE(FileSummary summary, file_->Finish(std::exchange(file_rows_, 0)));
    file_.reset();
    written_.push_back(FragmentOf(std::move(name_), std::move(summary)));
    return Status::OK();
  }

  const PageCopy& copy_;
  const io::StorePath& table_;
  const PageCopyLimits& limits_;
  const OperationContext& context_;
  std::unique_ptr<CopyingWriter> file_;
  std::string name_;
  int64_t file_rows_ = 0;
  int64_t rows_ = 0;
  std::vector<Fragment> written_;
};

Result<std::vector<Fragment>> PageCopy::Write(const io::StorePath& table,
                                              const PageCopyLimits& limits,
                                              const OperationContext& context) const {
  Writer writer(*this, table, limits, context);
  const Status status = writer.Run();
  if (status.ok()) return std::move(writer.written());
  RemoveDataFiles(table, writer.written(), context);
  return status;
}

}  // namespace tusk::lance
