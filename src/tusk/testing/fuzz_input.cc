#include "tusk/testing/fuzz_input.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

namespace tusk {
namespace {

[[noreturn]] void Report(std::string_view law, std::string_view what) {
  std::fprintf(stderr, "broken law: %.*s: %.*s\n", static_cast<int>(law.size()), law.data(),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

std::shared_ptr<arrow::DataType> WithoutMeaning(const std::shared_ptr<arrow::DataType>& type);

std::shared_ptr<arrow::Field> WithoutMeaning(const std::shared_ptr<arrow::Field>& field) {
  return field->WithType(WithoutMeaning(field->type()));
}

/// `type` with plain bytes in the place of text, decimals and times, at any depth.
std::shared_ptr<arrow::DataType> WithoutMeaning(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRING:
      return arrow::binary();
    case arrow::Type::LARGE_STRING:
      return arrow::large_binary();
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return arrow::fixed_size_binary(static_cast<const arrow::FixedWidthType&>(*type).bit_width() /
                                      8);
    case arrow::Type::LIST:
      return arrow::list(WithoutMeaning(type->field(0)));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(WithoutMeaning(type->field(0)));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          WithoutMeaning(type->field(0)),
          static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::MAP: {
      const auto& entries = type->field(0);
      return std::make_shared<arrow::MapType>(
          entries->WithType(WithoutMeaning(entries->type())),
          static_cast<const arrow::MapType&>(*type).keys_sorted());
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(WithoutMeaning(field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
      return arrow::dictionary(dictionary.index_type(), WithoutMeaning(dictionary.value_type()),
                               dictionary.ordered());
    }
    case arrow::Type::EXTENSION:
      return WithoutMeaning(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    default:
      return type;
  }
}

std::shared_ptr<arrow::ArrayData> WithoutMeaning(const arrow::ArrayData& array) {
  auto copy = array.Copy();
  copy->type = WithoutMeaning(array.type);
  for (auto& child : copy->child_data) child = WithoutMeaning(*child);
  if (copy->dictionary != nullptr) copy->dictionary = WithoutMeaning(*copy->dictionary);
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

}  // namespace tusk
