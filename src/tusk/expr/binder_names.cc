#include <algorithm>
#include <utility>

#include <arrow/compute/api.h>
#include <arrow/type.h>

#include "tusk/expr/binder.h"
#include "tusk/expr/type_name.h"

// Columns and fields by their names.
namespace tusk::expr {
namespace {

namespace cp = arrow::compute;

std::vector<std::string> NamesOf(const arrow::FieldVector& fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const auto& field : fields) names.push_back(field->name());
  return names;
}

std::string Joined(const std::vector<std::string>& names) {
  constexpr size_t kMost = 30;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMost ? text + ", ..." : text;
}

}  // namespace

Result<int> Binder::FindColumn(const Syntax& name) const {
  const std::vector<int> exact = schema_.GetAllFieldIndices(name.text);
  if (exact.size() == 1) return exact.front();
  if (exact.size() > 1) return Error(name.span, "there are several columns of this name");
  std::vector<std::string> found;
  int index = -1;
  for (int i = 0; i < schema_.num_fields() && !name.is_quoted; ++i) {
    if (!EqualInAnyCase(schema_.field(i)->name(), name.text)) continue;
    found.push_back(schema_.field(i)->name());
    index = i;
  }
  if (found.size() == 1) return index;
  if (found.size() > 1) {
    return Error(name.span, "the columns " + Joined(found) +
                                " differ in case only: write the one "
                                "that is meant as it is called");
  }
  const std::vector<std::string> known = NamesOf(schema_.fields());
  const std::string near = DidYouMean(name.text, known);
  return Error(name.span, "there is no column '" + name.text + "'" +
                              (near.empty() ? "; there are " + Joined(known) : near));
}

Result<std::optional<ResolvedPath>> Binder::ResolvePath(const Syntax& syntax) const {
  if (syntax.kind == SyntaxKind::kName) {
    ARROW_ASSIGN_OR_RAISE(const int index, FindColumn(syntax));
    const auto& field = schema_.field(index);
    return ResolvedPath{
        .names = {field->name()}, .indices = {index}, .type = field->type(), .field = field};
  }
  const bool is_member = syntax.kind == SyntaxKind::kMember;
  const bool is_named_subscript =
      syntax.kind == SyntaxKind::kSubscript && syntax.children[1]->kind == SyntaxKind::kText;
  if (!is_member && !is_named_subscript) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto base, ResolvePath(*syntax.children[0]));
  if (!base || base->type->id() != arrow::Type::STRUCT) return std::nullopt;
  const auto& type = static_cast<const arrow::StructType&>(*base->type);
  const std::string& name = is_member ? syntax.text : syntax.children[1]->text;
  const std::vector<int> found = type.GetAllFieldIndices(name);
  if (found.empty()) {
    const std::vector<std::string> known = NamesOf(type.fields());
    const std::string near = DidYouMean(name, known);
    return Error(syntax.span, "'" + base->names.back() + "' has no field '" + name + "'" +
                                  (near.empty() ? "; it has " + Joined(known) : near));
  }
  base->names.push_back(name);
  base->indices.push_back(found.front());
  base->field = type.field(found.front());
  base->type = base->field->type();
  return base;
}

Status Binder::AddPaths(const Syntax& syntax, std::vector<std::vector<std::string>>* paths) const {
  ARROW_ASSIGN_OR_RAISE(auto path, ResolvePath(syntax));
  if (path) {
    paths->push_back(std::move(path->names));
    return Status::OK();
  }
  for (const auto& child : syntax.children) ARROW_RETURN_NOT_OK(AddPaths(*child, paths));
  return Status::OK();
}

Result<NodePtr> Binder::Field(Span span, const NodePtr& node, const std::string& name) const {
  if (node->type->id() != arrow::Type::STRUCT) {
    return Error(span, "only structs have fields, but this is a " + NameOfType(*node->type));
  }
  const auto& type = static_cast<const arrow::StructType&>(*node->type);
  const std::vector<int> found = type.GetAllFieldIndices(name);
  if (found.empty()) {
    const std::vector<std::string> known = NamesOf(type.fields());
    return Error(span, "there is no field '" + name + "'" + DidYouMean(name, known) +
                           "; there are " + Joined(known));
  }
  return MakeArrowCall(span, "struct_field", {node},
                       std::make_shared<cp::StructFieldOptions>(std::vector<int>{found.front()}));
}

}  // namespace tusk::expr
