#include "tusk/lance/table/projection.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_map>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>

#include "tusk/expr/expression.h"
#include "tusk/lance/file/field_path.h"
#include "tusk/lance/table/computed_columns.h"
#include "tusk/lance/table/dataset_state.h"

namespace tusk::lance {
namespace {

using FieldPath = std::vector<const Field*>;

/// A column of the result before what is read is known.
struct Request {
  std::string name;
  Projection::Kind kind = Projection::Kind::kField;
  FieldPath path;  ///< kField only; from the top down
};

std::optional<Projection::Kind> SystemKind(std::string_view name) {
  if (name == kRowIdColumn) return Projection::Kind::kRowId;
  if (name == kRowAddressColumn) return Projection::Kind::kRowAddress;
  if (name == kRowOffsetColumn) return Projection::Kind::kRowOffset;
  if (name == kRowCreatedAtColumn) return Projection::Kind::kRowCreatedAt;
  if (name == kRowUpdatedAtColumn) return Projection::Kind::kRowUpdatedAt;
  return std::nullopt;
}

bool EqualInAnyCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// `name` as a top-level column has it, or a system column; in any case if none has it exactly.
std::string ToKnownName(const Schema& schema, std::string name) {
  if (schema.FindField(name) != nullptr) return name;
  for (const Field& field : schema.fields) {
    if (EqualInAnyCase(field.name, name)) return field.name;
  }
  for (const std::string_view system : kSystemColumns) {
    if (EqualInAnyCase(system, name)) return std::string(system);
  }
  return name;
}

/// Whether `text` is nothing but names, as words or in backticks, and dots between them.
bool IsPathExpression(std::string_view text) {
  bool in_quotes = false;
  bool begins_name = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '`') {
      in_quotes = !in_quotes;
    } else if (!in_quotes && c != '.' && c != '_' && byte < 0x80) {
      if (std::isalnum(byte) == 0 || (begins_name && std::isdigit(byte) != 0)) return false;
    }
    begins_name = !in_quotes && c == '.';
  }
  return ParseFieldPath(text).ok();
}

/// Whether a word is a value and no name, such as TRUE or CURRENT_DATE.
bool IsConstant(const Dataset::State& dataset, std::string_view text) {
  const auto expression = expr::Expression::Parse(text);
  if (!expression.ok()) return false;
  const auto read = (*expression)->Paths(NameableColumns(dataset));
  return read.ok() && read->empty();
}

/// Finds what one path names. `any_case` holds for the first name.
Result<Request> Resolve(const Schema& schema, std::string name, const std::string& text,
                        bool any_case) {
  Request request{.name = std::move(name), .path = {}};
  // Whatever a top-level column is called, its name alone is enough.
  if (const Field* field = schema.FindField(text)) {
    request.path.push_back(field);
    return request;
  }
  auto names = ParseFieldPath(text);
  if (!names.ok()) return NotFound("no column '", text, "': ", names.status().message());
  if (any_case) (*names)[0] = ToKnownName(schema, std::move((*names)[0]));
  if (names->size() == 1 && schema.FindField(names->front()) == nullptr) {
    if (const auto kind = SystemKind(names->front())) {
      request.kind = *kind;
      return request;
    }
  }
  ARROW_ASSIGN_OR_RAISE(request.path, schema.Resolve(FormatFieldPath(*names)));
  return request;
}

/// The part of `field` that the paths, of which it is entry number `depth`, go to.
Field KeepPaths(const Field& field, const std::vector<const FieldPath*>& paths, size_t depth) {
  const bool is_whole =
      field.is_blob() || field.logical_type == "map" ||
      std::ranges::any_of(paths, [&](const FieldPath* path) { return path->size() == depth + 1; });
  if (is_whole) return field;
  Field part = field;
  part.children.clear();
  for (const Field& child : field.children) {
    std::vector<const FieldPath*> below;
    for (const FieldPath* path : paths) {
      if ((*path)[depth + 1] == &child) below.push_back(path);
    }
    if (!below.empty()) part.children.push_back(KeepPaths(child, below, depth + 1));
  }
  return part;
}

/// Children of blobs have no ids.
bool IsSameField(const Field& a, const Field& b) { return a.id == b.id && a.name == b.name; }

/// Whether nothing is left out of `part`, which is `whole` or a part of it.
bool IsComplete(const Field& part, const Field& whole) {
  return part.children.size() == whole.children.size() &&
         std::ranges::equal(part.children, whole.children, IsComplete);
}

std::optional<int> FindChild(const Field& field, const Field& child) {
  for (size_t i = 0; i < field.children.size(); ++i) {
    if (IsSameField(field.children[i], child)) return static_cast<int>(i);
  }
  return std::nullopt;
}

/// Gathers what the requests read, a source for each top-level field.
class Builder {
 public:
  explicit Builder(const Dataset::State& dataset) : dataset_(dataset) {}
  Result<std::shared_ptr<const Projection>> Flat(const std::vector<Request>& requests);
  Result<std::shared_ptr<const Projection>> Nested(const std::vector<Request>& requests);

 private:
  /// Makes the sources, in the order in which they are first asked for.
  Status MakeSources(const std::vector<Request>& requests);
  Status AddField(const std::string& name, const Request& request);
  Result<std::shared_ptr<const Projection>> Finish();

  const Dataset::State& dataset_;
  Projection projection_;
  std::unordered_map<const Field*, size_t> source_of_;  ///< by top-level field
  arrow::FieldVector fields_;
};

Status Builder::MakeSources(const std::vector<Request>& requests) {
  std::vector<std::vector<const FieldPath*>> paths;
  for (const Request& request : requests) {
    if (request.kind != Projection::Kind::kField) continue;
    const auto [found, is_new] = source_of_.emplace(request.path.front(), paths.size());
    if (is_new) paths.emplace_back();
    paths[found->second].push_back(&request.path);
  }
  for (const auto& of_source : paths) {
    Projection::Source source;
    source.field = KeepPaths(*of_source.front()->front(), of_source, 0);
    ARROW_ASSIGN_OR_RAISE(const auto field, ToArrowField(source.field));
    source.type = field->type();
    projection_.sources.push_back(std::move(source));
  }
  return Status::OK();
}

Status Builder::AddField(const std::string& name, const Request& request) {
  Projection::Column column{.source = source_of_.at(request.path.front()), .path = {}};
  const Field* at = &projection_.sources[column.source].field;
  bool nullable = at->nullable;
  for (const Field* step : std::span(request.path).subspan(1)) {
    if (at->logical_type != "struct") {
      return InvalidArgument("column '", name, "': a path of a column goes through structs only, ",
                             "but '", at->name, "' is of type ", at->logical_type);
    }
    const int child = *FindChild(*at, *step);
    column.path.push_back(child);
    at = &at->children[child];
    nullable |= at->nullable;
  }
  ARROW_ASSIGN_OR_RAISE(const auto field, ToArrowField(*at, JsonForm::kText));
  fields_.push_back(field->WithName(name)->WithNullable(nullable));
  projection_.columns.push_back(std::move(column));
  return Status::OK();
}

Result<std::shared_ptr<const Projection>> Builder::Finish() {
  projection_.schema = arrow::schema(std::move(fields_), dataset_.schema->metadata());
  return std::make_shared<const Projection>(std::move(projection_));
}

Result<std::shared_ptr<const Projection>> Builder::Flat(const std::vector<Request>& requests) {
  ARROW_RETURN_NOT_OK(MakeSources(requests));
  std::set<std::string_view> seen;
  for (const Request& request : requests) {
    if (!seen.insert(request.name).second) {
      return InvalidArgument("column '", request.name, "' is asked for twice");
    }
    if (request.kind == Projection::Kind::kField) {
      ARROW_RETURN_NOT_OK(AddField(request.name, request));
    } else {
      projection_.columns.push_back({.kind = request.kind, .path = {}});
      fields_.push_back(arrow::field(request.name, arrow::uint64()));
    }
  }
  return Finish();
}

Result<std::shared_ptr<const Projection>> Builder::Nested(const std::vector<Request>& requests) {
  ARROW_RETURN_NOT_OK(MakeSources(requests));
  for (auto& [whole, number] : source_of_) {
    Projection::Source& source = projection_.sources[number];
    if (!IsComplete(source.field, *whole)) source.whole = whole;
  }
  std::set<std::string_view> seen;
  for (const Request& request : requests) {
    if (request.kind != Projection::Kind::kField) {
      if (!seen.insert(request.name).second) continue;
      projection_.columns.push_back({.kind = request.kind, .path = {}});
      const bool nullable = request.kind != Projection::Kind::kRowOffset;  // as pylance has it
      fields_.push_back(arrow::field(request.name, arrow::uint64(), nullable));
      continue;
    }
    const size_t number = source_of_.at(request.path.front());
    const Field& field = projection_.sources[number].field;
    if (!seen.insert(field.name).second) continue;
    ARROW_ASSIGN_OR_RAISE(auto arrow_field, ToArrowField(field, JsonForm::kText));
    fields_.push_back(std::move(arrow_field));
    projection_.columns.push_back({.source = number, .path = {}});
  }
  return Finish();
}

}  // namespace

Result<std::shared_ptr<const Projection>> Projection::All(const Dataset::State& dataset) {
  std::vector<Request> requests;
  requests.reserve(dataset.scan_schema.fields.size());
  for (const Field& field : dataset.scan_schema.fields) {
    requests.push_back({.name = field.name, .path = {&field}});
  }
  return Builder(dataset).Flat(requests);
}

Result<std::shared_ptr<const Projection>> Projection::Make(const Dataset::State& dataset,
                                                           std::span<const std::string> paths) {
  std::vector<Request> requests;
  for (const std::string& path : paths) {
    const auto names = ParseFieldPath(path);
    const bool any_case = names.ok() && names->size() > 1;
    auto request = Resolve(dataset.scan_schema, path, path, any_case);
    if (!request.ok()) return WithContext(request.status(), dataset.location.path);
    requests.push_back(*std::move(request));
  }
  return Builder(dataset).Flat(requests);
}

Result<std::shared_ptr<const Projection>> Projection::Make(
    const Dataset::State& dataset, std::span<const NamedExpression> expressions) {
  std::vector<Request> requests;
  for (const NamedExpression& column : expressions) {
    const std::string& text = column.expression;
    // As SQL has it: a word stands for a name in any case, a quoted name for itself.
    auto request = Resolve(dataset.scan_schema, column.name, text, !text.starts_with('`'));
    if (!request.ok()) return WithContext(request.status(), dataset.location.path);
    requests.push_back(*std::move(request));
  }
  return Builder(dataset).Flat(requests);
}

bool ArePaths(const Dataset::State& dataset, std::span<const NamedExpression> expressions) {
  return std::ranges::all_of(expressions, [&](const NamedExpression& column) {
    return dataset.scan_schema.FindField(column.expression) != nullptr ||
           (IsPathExpression(column.expression) && !IsConstant(dataset, column.expression));
  });
}

Result<std::shared_ptr<const Projection>> Projection::MakeNested(
    const Dataset::State& dataset, std::span<const std::string> paths) {
  std::vector<Request> requests;
  for (const std::string& path : paths) {
    auto request = Resolve(dataset.scan_schema, path, path, /*any_case=*/false);
    if (!request.ok()) return WithContext(request.status(), dataset.location.path);
    requests.push_back(*std::move(request));
  }
  return Builder(dataset).Nested(requests);
}

std::optional<Projection::Place> Projection::Find(const Projection& other,
                                                  const Column& column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].kind != column.kind || !columns[i].path.empty()) continue;
    Place place{.column = i, .path = {}};
    if (column.kind != Kind::kField) return place;
    const Field* from = &other.sources[column.source].field;
    const Field* here = &sources[columns[i].source].field;
    if (!IsSameField(*from, *here)) continue;
    for (const int step : column.path) {
      from = &from->children[step];
      const auto child = FindChild(*here, *from);
      if (!child) return std::nullopt;
      place.path.push_back(*child);
      here = &here->children[*child];
    }
    if (!IsComplete(*here, *from)) return std::nullopt;
    return place;
  }
  return std::nullopt;
}

Result<std::shared_ptr<arrow::Array>> Descend(std::shared_ptr<arrow::Array> array,
                                              std::span<const int> path, arrow::MemoryPool* pool) {
  for (const int child : path) {
    const auto& parent = static_cast<const arrow::StructArray&>(*array);
    // A column of nulls has no validity to be masked.
    if (parent.field(child)->type_id() == arrow::Type::NA) {
      array = parent.field(child);
    } else {
      ARROW_ASSIGN_OR_RAISE(array, parent.GetFlattenedField(child, pool));
    }
  }
  return array;
}

}  // namespace tusk::lance
