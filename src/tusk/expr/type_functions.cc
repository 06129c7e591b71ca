// What values are of, and as what they are taken.
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "tusk/expr/arrow_type_text.h"
#include "tusk/expr/common_type.h"
#include "tusk/expr/function.h"
#include "tusk/expr/row_kernel.h"

namespace tusk::expr {
namespace {

using Metadata = std::map<std::string, std::string>;

Result<NodePtr> CastToText(const Binder& binder, const Call& call, bool is_try) {
  ARROW_ASSIGN_OR_RAISE(const std::string name, ConstantText(binder, call.arguments[1]));
  auto type = ParseArrowTypeText(name);
  if (!type.ok()) return binder.Error(call.arguments[1]->span, type.status().message());
  // Dictionaries and views are ways to keep the values that everything here computes with.
  return binder.Cast(call.span, call.arguments[0], PlainType(*type), is_try);
}
Result<NodePtr> BindArrowCast(const Binder& binder, const Call& call) {
  return CastToText(binder, call, /*is_try=*/false);
}
Result<NodePtr> BindArrowTryCast(const Binder& binder, const Call& call) {
  return CastToText(binder, call, /*is_try=*/true);
}

/// The second argument lends its type only.
Result<NodePtr> BindCastToType(const Binder& binder, const Call& call) {
  return binder.Cast(call.span, call.arguments[0], call.arguments[1]->type, /*is_try=*/false);
}
Result<NodePtr> BindTryCastToType(const Binder& binder, const Call& call) {
  return binder.Cast(call.span, call.arguments[0], call.arguments[1]->type, /*is_try=*/true);
}

/// As the table has it: a column of codes is a dictionary.
const arrow::DataType& TypeOf(const Node& node) {
  const bool is_column = node.kind == NodeKind::kColumn && node.field != nullptr;
  const arrow::DataType& type = is_column ? *node.field->type() : *node.type;
  if (type.id() != arrow::Type::EXTENSION) return type;
  return *static_cast<const arrow::ExtensionType&>(type).storage_type();
}

NodePtr TextLiteral(const Binder& binder, Span span, std::string text) {
  return binder.MakeLiteral(span, std::make_shared<arrow::StringScalar>(std::move(text)));
}

Result<NodePtr> BindTypeOf(const Binder& binder, const Call& call) {
  return TextLiteral(binder, call.span, ToArrowTypeText(TypeOf(*call.arguments[0])));
}

Metadata MetadataOf(const Node& node) {
  Metadata metadata;
  if (node.field == nullptr) return metadata;
  if (node.field->type()->id() == arrow::Type::EXTENSION) {
    const auto& type = static_cast<const arrow::ExtensionType&>(*node.field->type());
    metadata.emplace("ARROW:extension:name", type.extension_name());
    metadata.emplace("ARROW:extension:metadata", type.Serialize());
  }
  const auto& pairs = node.field->metadata();
  for (int64_t i = 0; pairs != nullptr && i < pairs->size(); ++i) {
    metadata.insert_or_assign(pairs->key(i), pairs->value(i));
  }
  return metadata;
}

Result<std::shared_ptr<arrow::Scalar>> MapScalarOf(const Metadata& metadata) {
  arrow::StringBuilder keys;
  arrow::StringBuilder values;
  for (const auto& [key, value] : metadata) {
    ARROW_RETURN_NOT_OK(keys.Append(key));
    ARROW_RETURN_NOT_OK(values.Append(value));
  }
  ARROW_ASSIGN_OR_RAISE(const auto key_array, keys.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto value_array, values.Finish());
  const auto type = arrow::map(arrow::utf8(), arrow::utf8());
  auto entries = std::make_shared<arrow::StructArray>(type->field(0)->type(), key_array->length(),
                                                      arrow::ArrayVector{key_array, value_array});
  return std::make_shared<arrow::MapScalar>(std::move(entries), type);
}

Result<NodePtr> BindMetadata(const Binder& binder, const Call& call) {
  const Metadata metadata = MetadataOf(*call.arguments[0]);
  if (call.arguments.size() == 1) {
    ARROW_ASSIGN_OR_RAISE(auto map, MapScalarOf(metadata));
    return binder.MakeLiteral(call.span, std::move(map));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string key, ConstantText(binder, call.arguments[1]));
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    return binder.MakeLiteral(call.span, arrow::MakeNullScalar(arrow::utf8()));
  }
  return TextLiteral(binder, call.span, found->second);
}

/// A struct of what is known of a value: name, data_type, nullable, metadata.
Result<NodePtr> BindField(const Binder& binder, const Call& call) {
  const Node& node = *call.arguments[0];
  ARROW_ASSIGN_OR_RAISE(auto map, MapScalarOf(MetadataOf(node)));
  const std::string name = node.field != nullptr ? node.field->name() : binder.TextAt(node.span);
  const bool is_nullable = node.kind != NodeKind::kLiteral || !node.value->is_valid;
  arrow::ScalarVector values = {
      std::make_shared<arrow::StringScalar>(name),
      std::make_shared<arrow::StringScalar>(ToArrowTypeText(TypeOf(node))),
      std::make_shared<arrow::BooleanScalar>(node.field != nullptr ? node.field->nullable()
                                                                   : is_nullable),
      std::move(map)};
  arrow::FieldVector fields;
  for (const char* key : {"name", "data_type", "nullable", "metadata"}) {
    fields.push_back(arrow::field(key, values[fields.size()]->type, /*nullable=*/false));
  }
  return binder.MakeLiteral(
      call.span, std::make_shared<arrow::StructScalar>(std::move(values), arrow::struct_(fields)));
}

/// The first argument with pairs of a key and a value as metadata of its column.
Result<NodePtr> BindWithMetadata(const Binder& binder, const Call& call) {
  if (call.arguments.size() % 2 == 0) {
    return binder.Error(call.span, "with_metadata takes a value and pairs of a key and a value");
  }
  Node node = *call.arguments[0];
  Metadata metadata = MetadataOf(node);
  for (size_t i = 1; i < call.arguments.size(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(std::string key, ConstantText(binder, call.arguments[i]));
    ARROW_ASSIGN_OR_RAISE(std::string value, ConstantText(binder, call.arguments[i + 1]));
    metadata.insert_or_assign(std::move(key), std::move(value));
  }
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (const auto& [key, value] : metadata) {
    keys.push_back(key);
    values.push_back(value);
  }
  const auto pairs = arrow::key_value_metadata(std::move(keys), std::move(values));
  node.field = node.field != nullptr ? node.field->WithMetadata(pairs)
                                     : arrow::field("", node.type, /*nullable=*/true, pairs);
  return std::make_shared<const Node>(std::move(node));
}

Result<NodePtr> BindIsValid(const Binder& binder, const Call& call) {
  return binder.IsNull(call.span, call.arguments[0], /*is_negated=*/true);
}

/// Columns of tables are never unions.
Result<NodePtr> RefuseUnion(const Binder& binder, const Call& call) {
  return binder.Error(call.arguments[0]->span, "a union is expected here, but this is a " +
                                                   ToArrowTypeText(TypeOf(*call.arguments[0])));
}

Result<NodePtr> BindVersion(const Binder& binder, const Call& call) {
  return TextLiteral(binder, call.span, "tusk " TUSK_VERSION);
}

constexpr std::array kFunctions = {
    FunctionEntry{"arrow_cast", 2, 2, BindArrowCast},
    FunctionEntry{"arrow_try_cast", 2, 2, BindArrowTryCast},
    FunctionEntry{"cast_to_type", 2, 2, BindCastToType},
    FunctionEntry{"try_cast_to_type", 2, 2, BindTryCastToType},
    FunctionEntry{"arrow_typeof", 1, 1, BindTypeOf},
    FunctionEntry{"arrow_metadata", 1, 2, BindMetadata},
    FunctionEntry{"arrow_field", 1, 1, BindField},
    FunctionEntry{"with_metadata", 3, -1, BindWithMetadata},
    FunctionEntry{"is_valid", 1, 1, BindIsValid},
    FunctionEntry{"union_tag", 1, 1, RefuseUnion},
    FunctionEntry{"union_extract", 2, 2, RefuseUnion},
    FunctionEntry{"version", 0, 0, BindVersion},
};

}  // namespace

std::span<const FunctionEntry> TypeFunctions() { return kFunctions; }

}  // namespace tusk::expr
