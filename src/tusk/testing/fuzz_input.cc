#include "tusk/testing/fuzz_input.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <arrow/array/array_dict.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

namespace tusk {
namespace {

[[noreturn]] void Report(std::string_view law, std::string_view what) {
  std::fprintf(stderr, "broken law: %.*s: %.*s\n", static_cast<int>(law.size()), law.data(),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

/// The nested `type` with children of other types.
std::shared_ptr<arrow::DataType> WithChildren(const arrow::DataType& type,
                                              const arrow::DataTypeVector& children) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < children.size(); ++i) {
    fields.push_back(type.field(static_cast<int>(i))->WithType(children[i]));
  }
  switch (type.id()) {
    case arrow::Type::LIST:
      return arrow::list(fields[0]);
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(fields[0]);
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(fields[0],
                                    static_cast<const arrow::FixedSizeListType&>(type).list_size());
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(
          fields[0], static_cast<const arrow::MapType&>(type).keys_sorted());
    default:
      return arrow::struct_(fields);
  }
}

std::shared_ptr<arrow::DataType> Storage(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() != arrow::Type::EXTENSION) return type;
  return static_cast<const arrow::ExtensionType&>(*type).storage_type();
}

/// `array` with plain bytes in the place of text, decimals and times, at any depth.
std::shared_ptr<arrow::ArrayData> WithoutMeaning(const arrow::ArrayData& array) {
  auto copy = array.Copy();
  copy->type = Storage(array.type);
  arrow::DataTypeVector children;
  for (auto& child : copy->child_data) {
    child = WithoutMeaning(*child);
    children.push_back(child->type);
  }
  if (!children.empty()) copy->type = WithChildren(*copy->type, children);
  switch (copy->type->id()) {
    case arrow::Type::STRING:
      copy->type = arrow::binary();
      break;
    case arrow::Type::LARGE_STRING:
      copy->type = arrow::large_binary();
      break;
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      copy->type = arrow::fixed_size_binary(
          static_cast<const arrow::FixedWidthType&>(*copy->type).bit_width() / 8);
      break;
    case arrow::Type::DICTIONARY: {
      const auto& type = static_cast<const arrow::DictionaryType&>(*copy->type);
      copy->dictionary = WithoutMeaning(*array.dictionary);
      copy->type = arrow::dictionary(type.index_type(), copy->dictionary->type, type.ordered());
      break;
    }
    default:
      break;
  }
  return copy;
}

Result<std::shared_ptr<arrow::ArrayData>> Decoded(const arrow::ArrayData& array) {
  auto copy = array.Copy();
  copy->type = Storage(array.type);
  if (copy->type->id() == arrow::Type::DICTIONARY) {
    const auto made = arrow::MakeArray(copy);
    const auto& rows = static_cast<const arrow::DictionaryArray&>(*made);
    ARROW_ASSIGN_OR_RAISE(const auto items, Decoded(*rows.dictionary()->data()));
    ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(items->type));
    for (int64_t i = 0; i < rows.length(); ++i) {
      if (rows.IsNull(i)) {
        ARROW_RETURN_NOT_OK(builder->AppendNull());
      } else {
        ARROW_RETURN_NOT_OK(
            builder->AppendArraySlice(arrow::ArraySpan(*items), rows.GetValueIndex(i), 1));
      }
    }
    ARROW_ASSIGN_OR_RAISE(const auto plain, builder->Finish());
    return plain->data();
  }
  arrow::DataTypeVector children;
  for (auto& child : copy->child_data) {
    ARROW_ASSIGN_OR_RAISE(child, Decoded(*child));
    children.push_back(child->type);
  }
  if (!children.empty()) copy->type = WithChildren(*copy->type, children);
  return copy;
}

}  // namespace

std::span<const uint8_t> FuzzInput::Take(size_t size) {
  const auto taken = bytes_.first(std::min(size, bytes_.size()));
  bytes_ = bytes_.subspan(taken.size());
  return taken;
}

std::shared_ptr<arrow::Buffer> ExactCopy(std::span<const uint8_t> bytes) {
  return arrow::Buffer::FromVector(std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

void Require(bool holds, std::string_view law) {
  if (!holds) Report(law, "it does not hold");
}

void Require(const Status& status, std::string_view law) {
  if (!status.ok()) Report(law, status.ToString());
}

void RequireRefusal(const Status& error) {
  const auto code = GetErrorCode(error);
  if (code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported ||
      code == ErrorCode::kInvalidArgument || code == ErrorCode::kOutOfBudget) {
    return;
  }
  Report("broken bytes are refused as such", error.ToString());
}

void RequireValid(const std::shared_ptr<arrow::ArrayData>& array, int64_t length) {
  Require(array->length == length, "a result has the length that was asked for");
  Require(arrow::MakeArray(WithoutMeaning(*array))->ValidateFull(), "a result is valid");
}

std::shared_ptr<arrow::Array> PlainValues(const arrow::ArrayData& array) {
  const auto plain = Decoded(array);
  Require(plain.status(), "indices are those of their dictionary");
  return arrow::MakeArray(*plain);
}

}  // namespace tusk
