#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "tusk/base/result.h"
#include "tusk/lance/dataset.h"
#include "tusk/lance/file/schema.h"

namespace tusk::lance {

inline constexpr std::string_view kRowIdColumn = "_rowid";
inline constexpr std::string_view kRowAddressColumn = "_rowaddr";
inline constexpr std::string_view kRowOffsetColumn = "_rowoffset";
inline constexpr std::string_view kRowCreatedAtColumn = "_row_created_at_version";
inline constexpr std::string_view kRowUpdatedAtColumn = "_row_last_updated_at_version";
/// The columns that readers of Lance tables make up.
inline constexpr std::array<std::string_view, 5> kSystemColumns = {
    kRowIdColumn, kRowAddressColumn, kRowOffsetColumn, kRowCreatedAtColumn, kRowUpdatedAtColumn};

/// What is read of a version, and the columns that it makes. Immutable; scans and takes share one.
struct Projection {
  /// A top-level field in the form that a scan gives, with all below it or a part of that.
  struct Source {
    Field field;
    /// All of the field; null if the validity of structs and lists above what is read does not
    /// matter, or nothing is left out. Lives in the dataset.
    const Field* whole = nullptr;
    std::shared_ptr<arrow::DataType> type;  ///< of `field`, json as bytes
  };
  enum class Kind {
    kField,
    kRowId,
    kRowAddress,
    kRowOffset,
    kRowCreatedAt,  ///< the version in which a row was made; 1 where the table does not say
    kRowUpdatedAt,  ///< or last changed
  };
  struct Column {
    Kind kind = Kind::kField;
    size_t source = 0;  ///< kField only
    /// Children to go down from the source, null where any struct above is.
    std::vector<int> path;
  };
  std::vector<Source> sources;
  std::vector<Column> columns;            ///< in output order
  std::shared_ptr<arrow::Schema> schema;  ///< of `columns`

  /// All columns of the table.
  static Result<std::shared_ptr<const Projection>> All(const Dataset::State& dataset);
  /// Columns by path, each with the text of its path as name; the first of several names is found
  /// in any case. The kSystemColumns are columns too. NotFound names what is
  /// missing and what there is; InvalidArgument for a path through a list, and if a name is asked
  /// twice.
  static Result<std::shared_ptr<const Projection>> Make(const Dataset::State& dataset,
                                                        std::span<const std::string> paths);
  /// Columns by expression, of which each is the path of a field (see ArePaths); else as Make.
  static Result<std::shared_ptr<const Projection>> Make(
      const Dataset::State& dataset, std::span<const NamedExpression> expressions);
  /// Top-level columns with those of their parts that `paths` name, through lists too. A path may
  /// be asked twice. Maps are read whole. NotFound as in Make.
  static Result<std::shared_ptr<const Projection>> MakeNested(const Dataset::State& dataset,
                                                              std::span<const std::string> paths);

  /// Where this projection has what a column of `other` is: of which column, and the children to
  /// go down from there. Nothing if it does not.
  struct Place {
    size_t column = 0;
    std::vector<int> path;
  };
  std::optional<Place> Find(const Projection& other, const Column& column) const;
};

/// Whether each expression is but the name or the path of a field.
bool ArePaths(const Dataset::State& dataset, std::span<const NamedExpression> expressions);

/// The child of a column to which `path` goes; see Projection::Column.
Result<std::shared_ptr<arrow::Array>> Descend(std::shared_ptr<arrow::Array> array,
                                              std::span<const int> path, arrow::MemoryPool* pool);

}  // namespace tusk::lance
