#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "tusk/base/json_parser.h"
#include "tusk/base/json_scalar.h"
#include "tusk/expr/function.h"
#include "tusk/expr/json_path.h"
#include "tusk/expr/operand.h"
#include "tusk/expr/row_kernel.h"
#include "tusk/expr/source_text.h"

// JSON is text here, as columns of it are: what pylance keeps as JSONB on the way is text, too.
namespace tusk::expr {
namespace {

using arrow::Datum;
using Nodes = std::span<const JsonNode>;

/// What a path leads to in a row, and the row's other arguments.
struct Found {
  Nodes nodes;
  const std::vector<uint32_t>* selected = nullptr;
};

/// The field of an object, or the value of an array by its number from 0.
std::optional<uint32_t> FindChild(Nodes nodes, std::string_view key) {
  const JsonNode& whole = nodes[0];
  const bool is_object = whole.kind == JsonNode::Kind::kObject;
  if ((!is_object && whole.kind != JsonNode::Kind::kArray) || whole.num_values == 0) {
    return std::nullopt;
  }
  uint64_t number = 0;
  if (!is_object) {
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  }
  for (uint32_t child = whole.first_value; child != 0; child = nodes[child].next) {
    if (is_object ? nodes[child].key == key : number-- == 0) return child;
  }
  return std::nullopt;
}

/// A value of each row: `append` is given what the path or the key leads to. Rows with a null are
/// null.
template <typename Builder, typename Append>
Result<Datum> BuildRows(const std::vector<Datum>& arguments, const Evaluation& evaluation,
                        bool is_key, const Append& append) {
  ARROW_ASSIGN_OR_RAISE(const Rows rows, Rows::Make(arguments, evaluation));
  Builder builder(evaluation.context->pool);
  JsonParser parser;
  std::string path_text;
  std::optional<JsonPath> path;
  for (int64_t row = 0; row < rows.length(); ++row) {
    if (row % 1024 == 0) ARROW_RETURN_NOT_OK(evaluation.context->CheckStop());
    if (rows.HasNull(row)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(parser.Parse(rows.Text(0, row)));
    Nodes nodes = parser.nodes();
    std::optional<JsonNode> truth;
    std::vector<uint32_t> selected;
    if (is_key) {
      if (const auto child = FindChild(nodes, rows.Text(1, row))) selected.push_back(*child);
    } else {
      if (!path || path_text != rows.Text(1, row)) {
        path_text = rows.Text(1, row);
        ARROW_ASSIGN_OR_RAISE(path, JsonPath::Parse(path_text));
      }
      ARROW_ASSIGN_OR_RAISE(truth, path->Judge(nodes));
      if (truth) nodes = Nodes(&*truth, 1);
      ARROW_ASSIGN_OR_RAISE(selected, path->Select(nodes));
    }
    const Found found{.nodes = nodes, .selected = &selected};
    ARROW_RETURN_NOT_OK(append(rows, row, found, &builder));
  }
  ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
  return ToResult(array, rows.is_scalar());
}

std::string TextOf(Nodes nodes, uint32_t node) {
  std::string text;
  AppendJson(nodes, node, &text);
  return text;
}

/// The number of a node, or what a text says, as a double.
std::optional<double> RealOf(std::string_view digits) {
  double value = 0;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// A whole number as it is, another rounded, halves away from zero.
std::optional<int64_t> IntegerOf(std::string_view digits) {
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  if (digits.find_first_not_of("-0123456789") == std::string_view::npos) return std::nullopt;
  const auto real = RealOf(digits);
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (!real || !(std::round(*real) >= -kEnd && std::round(*real) < kEnd)) return std::nullopt;
  return static_cast<int64_t>(std::round(*real));
}

/// The digits of a number or a text.
std::optional<std::string> DigitsOf(Nodes nodes, uint32_t node) {
  if (nodes[node].kind == JsonNode::Kind::kString) return std::string(nodes[node].text);
  if (nodes[node].kind == JsonNode::Kind::kNumber) return TextOf(nodes, node);
  return std::nullopt;
}

std::optional<bool> TruthOf(const JsonNode& node) {
  if (node.kind == JsonNode::Kind::kTrue) return true;
  if (node.kind == JsonNode::Kind::kFalse) return false;
  if (node.kind != JsonNode::Kind::kString) return std::nullopt;
  if (EqualInAnyCase(node.text, "true") || EqualInAnyCase(node.text, "yes")) return true;
  if (EqualInAnyCase(node.text, "false") || EqualInAnyCase(node.text, "no")) return false;
  return std::nullopt;
}

/// Binds a function of a JSON text and a path or key.
template <typename Builder, typename Append>
Result<NodePtr> MakeCall(const Binder& binder, const Call& call,
                         const std::shared_ptr<arrow::DataType>& type, bool is_key,
                         const Append& append) {
  std::vector<NodePtr> arguments;
  for (const NodePtr& argument : call.arguments) {
    ARROW_ASSIGN_OR_RAISE(arguments.emplace_back(), AsText(binder, argument));
  }
  Kernel kernel = [is_key, append](const std::vector<Datum>& values, const Evaluation& evaluation) {
    return BuildRows<Builder>(values, evaluation, is_key, append);
  };
  return binder.MakeCall(call.span, type, std::move(arguments), std::move(kernel));
}

/// The value as JSON text, several values as an array.
Result<NodePtr> BindExtract(const Binder& binder, const Call& call) {
  return MakeCall<arrow::StringBuilder>(
      binder, call, arrow::utf8(), /*is_key=*/false,
      [](const Rows&, int64_t, const Found& found, arrow::StringBuilder* builder) {
        const std::vector<uint32_t>& selected = *found.selected;
        if (selected.empty()) return builder->AppendNull();
        if (selected.size() == 1) return builder->Append(TextOf(found.nodes, selected[0]));
        std::string text = "[";
        for (const uint32_t node : selected) {
          if (text.size() > 1) text += ',';
          AppendJson(found.nodes, node, &text);
        }
        return builder->Append(text + "]");
      });
}

/// What JSON numbers call the types of values: 0 null, 1 boolean, 2 whole number of 64 bits, 3
/// other number, 4 string, 5 array, 6 object.
uint8_t TypeTag(Nodes nodes, const std::vector<uint32_t>& selected) {
  if (selected.empty()) return 0;
  if (selected.size() > 1) return 5;
  switch (nodes[selected[0]].kind) {
    case JsonNode::Kind::kNull:
      return 0;
    case JsonNode::Kind::kFalse:
    case JsonNode::Kind::kTrue:
      return 1;
    case JsonNode::Kind::kNumber: {
      const std::string digits = TextOf(nodes, selected[0]);
      int64_t whole = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), whole);
      return error == std::errc() && end == digits.data() + digits.size() ? 2 : 3;
    }
    case JsonNode::Kind::kString:
      return 4;
    case JsonNode::Kind::kArray:
      return 5;
    case JsonNode::Kind::kObject:
      return 6;
  }
  return 0;
}

/// A struct of the value as json_extract gives it and the tag of its type.
Result<NodePtr> BindExtractWithType(const Binder& binder, const Call& call) {
  ARROW_ASSIGN_OR_RAISE(const NodePtr value, BindExtract(binder, call));
  ARROW_ASSIGN_OR_RAISE(
      const NodePtr found_tag,
      MakeCall<arrow::UInt8Builder>(
          binder, call, arrow::uint8(), /*is_key=*/false,
          [](const Rows&, int64_t, const Found& found, arrow::UInt8Builder* builder) {
            return builder->Append(TypeTag(found.nodes, *found.selected));
          }));
  // There is a tag even where there is no document.
  const NodePtr none = binder.MakeLiteral(call.span, std::make_shared<arrow::UInt8Scalar>(0));
  ARROW_ASSIGN_OR_RAISE(const NodePtr tag, BindFunction(binder, {.name = "coalesce",
                                                                 .span = call.span,
                                                                 .arguments = {found_tag, none}}));
  const auto options = std::make_shared<arrow::compute::MakeStructOptions>(
      std::vector<std::string>{"value", "type_tag"}, std::vector<bool>{true, false},
      std::vector<std::shared_ptr<const arrow::KeyValueMetadata>>{nullptr, nullptr});
  return binder.MakeArrowCall(call.span, "make_struct", {value, tag}, options);
}

Result<NodePtr> BindExists(const Binder& binder, const Call& call) {
  return MakeCall<arrow::BooleanBuilder>(
      binder, call, arrow::boolean(), /*is_key=*/false,
      [](const Rows&, int64_t, const Found& found, arrow::BooleanBuilder* builder) {
        return builder->Append(!found.selected->empty());
      });
}

Result<NodePtr> BindGet(const Binder& binder, const Call& call) {
  return MakeCall<arrow::StringBuilder>(
      binder, call, arrow::utf8(), /*is_key=*/true,
      [](const Rows&, int64_t, const Found& found, arrow::StringBuilder* builder) {
        if (found.selected->empty()) return builder->AppendNull();
        return builder->Append(TextOf(found.nodes, found.selected->front()));
      });
}

/// The value that a key leads to, by `convert`; null if there is none, or a null.
template <typename Builder, typename Convert>
Result<NodePtr> MakeGet(const Binder& binder, const Call& call,
                        const std::shared_ptr<arrow::DataType>& type, const char* what,
                        Convert convert) {
  return MakeCall<Builder>(binder, call, type, /*is_key=*/true,
                           [convert, what](const Rows& rows, int64_t row, const Found& found,
                                           Builder* builder) -> Status {
                             if (found.selected->empty()) return builder->AppendNull();
                             const uint32_t node = found.selected->front();
                             if (found.nodes[node].kind == JsonNode::Kind::kNull)
                               return builder->AppendNull();
                             const auto value = convert(found.nodes, node);
                             if (value) return builder->Append(*value);
                             const std::string text = TextOf(found.nodes, node);
                             return InvalidArgument("'", rows.Text(1, row), "' is ",
                                                    Excerpt(text, {.begin = 0, .end = text.size()}),
                                                    ", which is no ", what);
                           });
}

Result<NodePtr> BindGetString(const Binder& binder, const Call& call) {
  return MakeGet<arrow::StringBuilder>(
      binder, call, arrow::utf8(), "text, number or truth",
      [](Nodes nodes, uint32_t node) -> std::optional<std::string> {
        const auto kind = nodes[node].kind;
        if (kind == JsonNode::Kind::kArray || kind == JsonNode::Kind::kObject) return std::nullopt;
        if (kind == JsonNode::Kind::kString) return std::string(nodes[node].text);
        return TextOf(nodes, node);
      });
}

Result<NodePtr> BindGetInt(const Binder& binder, const Call& call) {
  return MakeGet<arrow::Int64Builder>(binder, call, arrow::int64(), "whole number",
                                      [](Nodes nodes, uint32_t node) -> std::optional<int64_t> {
                                        const auto digits = DigitsOf(nodes, node);
                                        return digits ? IntegerOf(*digits) : std::nullopt;
                                      });
}

Result<NodePtr> BindGetFloat(const Binder& binder, const Call& call) {
  return MakeGet<arrow::DoubleBuilder>(binder, call, arrow::float64(), "number",
                                       [](Nodes nodes, uint32_t node) -> std::optional<double> {
                                         const auto digits = DigitsOf(nodes, node);
                                         return digits ? RealOf(*digits) : std::nullopt;
                                       });
}

Result<NodePtr> BindGetBool(const Binder& binder, const Call& call) {
  return MakeGet<arrow::BooleanBuilder>(
      binder, call, arrow::boolean(), "truth",
      [](Nodes nodes, uint32_t node) { return TruthOf(nodes[node]); });
}

/// Whether an array at the path has the value, given as JSON or as the text of a string.
Result<NodePtr> BindArrayContains(const Binder& binder, const Call& call) {
  return MakeCall<arrow::BooleanBuilder>(
      binder, call, arrow::boolean(), /*is_key=*/false,
      [](const Rows& rows, int64_t row, const Found& found, arrow::BooleanBuilder* builder) {
        const std::string_view wanted = rows.Text(2, row);
        const std::string quoted = "\"" + std::string(wanted) + "\"";
        for (const uint32_t node : *found.selected) {
          const JsonNode& array = found.nodes[node];
          if (array.kind != JsonNode::Kind::kArray || array.num_values == 0) continue;
          for (uint32_t i = array.first_value; i != 0; i = found.nodes[i].next) {
            const std::string text = TextOf(found.nodes, i);
            if (text == wanted || text == quoted) return builder->Append(true);
          }
        }
        return builder->Append(false);
      });
}

/// The length of the array at the path, 0 of what is none.
Result<NodePtr> BindArrayLength(const Binder& binder, const Call& call) {
  return MakeCall<arrow::Int64Builder>(
      binder, call, arrow::int64(), /*is_key=*/false,
      [](const Rows&, int64_t, const Found& found, arrow::Int64Builder* builder) {
        if (found.selected->empty()) return builder->AppendNull();
        const JsonNode& value = found.nodes[found.selected->front()];
        return builder->Append(value.kind == JsonNode::Kind::kArray ? value.num_values : 0);
      });
}

constexpr std::array kFunctions = {
    FunctionEntry{"json_extract", 2, 2, BindExtract},
    FunctionEntry{"json_extract_with_type", 2, 2, BindExtractWithType},
    FunctionEntry{"json_exists", 2, 2, BindExists},
    FunctionEntry{"json_get", 2, 2, BindGet},
    FunctionEntry{"json_get_string", 2, 2, BindGetString},
    FunctionEntry{"json_get_int", 2, 2, BindGetInt},
    FunctionEntry{"json_get_float", 2, 2, BindGetFloat},
    FunctionEntry{"json_get_bool", 2, 2, BindGetBool},
    FunctionEntry{"json_array_contains", 3, 3, BindArrayContains},
    FunctionEntry{"json_array_length", 2, 2, BindArrayLength},
};

}  // namespace

std::span<const FunctionEntry> JsonFunctions() { return kFunctions; }

}  // namespace tusk::expr
