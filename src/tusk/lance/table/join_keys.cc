#include "tusk/lance/table/join_keys.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/table/nested_key.h"

namespace tusk::lance {
namespace {

/// The type whose arrays hold the values themselves: of extensions what they store, of dictionaries
/// what their indices stand for, of views the form with offsets, of nested ones bytes.
std::shared_ptr<arrow::DataType> ValueType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::EXTENSION:
      return ValueType(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case arrow::Type::DICTIONARY:
      return ValueType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    default:
      return IsNestedKey(*type) ? arrow::large_binary() : type;
  }
}

bool IsText(arrow::Type::type id) { return arrow::is_base_binary_like(id); }

bool IsFixed(arrow::Type::type id) {
  return id != arrow::Type::DICTIONARY && (arrow::is_fixed_width(id) || arrow::is_decimal(id)) &&
         id != arrow::Type::FIXED_SIZE_LIST;
}

/// Bytes that a value of the type has in a key; 0 for texts.
int64_t WidthOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::BOOL) return 1;
  if (!IsFixed(type.id())) return 0;
  return static_cast<const arrow::FixedWidthType&>(type).byte_width();
}

Result<std::shared_ptr<arrow::ArrayData>> ToValues(std::shared_ptr<arrow::ArrayData> data,
                                                   arrow::MemoryPool* pool) {
  while (data->type->id() == arrow::Type::EXTENSION) {
    const auto storage = static_cast<const arrow::ExtensionType&>(*data->type).storage_type();
    data = data->Copy();
    data->type = storage;
  }
  const auto type = ValueType(data->type);
  if (IsNestedKey(*data->type)) return EncodeNestedKey(data, pool);
  if (type->Equals(*data->type)) return data;
  return CastTo(std::move(data), type, pool);
}

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15;
constexpr uint64_t kFactor = 0xD6E8FEB86659FD93;

/// Spreads what differs in any bit over all bits. No two values become the same one.
uint64_t Mix(uint64_t value) {
  value ^= value >> 32;
  value *= kFactor;
  return value ^ value >> 29;
}

uint64_t HashText(std::string_view text, uint64_t hash) {
  hash ^= text.size();
  while (text.size() >= sizeof(uint64_t)) {
    hash = Mix(hash ^ LoadLittle<uint64_t>(text, 0));
    text.remove_prefix(sizeof(uint64_t));
  }
  uint64_t word = 0;
  // Without a byte there may be no text to copy from.
  if (!text.empty()) std::memcpy(&word, text.data(), text.size());
  return Mix(hash ^ word);
}

}  // namespace

Status JoinKeys::CheckType(const arrow::Field& column) {
  const auto type = ValueType(column.type());
  if (type->id() == arrow::Type::NA || IsText(type->id()) || IsFixed(type->id())) {
    return Status::OK();
  }
  return Unsupported(
      "column '", column.name(), "' of type ", column.type()->ToString(),
      " cannot be a key to join by: keys are numbers, times, texts, bytes, and structs "
      "and lists of these");
}

bool JoinKeys::IsNarrow(const arrow::Field& column) {
  return WidthOf(*ValueType(column.type())) > 0;
}

bool JoinKeys::IsHashTheKey(const arrow::FieldVector& columns) {
  if (columns.size() != 1) return false;
  // Mix gives every word another one.
  const int64_t width = WidthOf(*ValueType(columns[0]->type()));
  return width > 0 && width <= int64_t{sizeof(uint64_t)};
}

JoinKeys::Column::Column(std::shared_ptr<arrow::ArrayData> data)
    : values(std::move(data)),
      width(WidthOf(*values->type)),
      is_large(arrow::is_large_binary_like(values->type->id())) {}

std::string_view JoinKeys::Column::Text(int64_t row) const {
  const auto text = [&](const auto* offsets) -> std::string_view {
    const auto length = static_cast<size_t>(offsets[row + 1] - offsets[row]);
    if (length == 0) return {};
    return {reinterpret_cast<const char*>(values->buffers[2]->data()) + offsets[row], length};
  };
  return is_large ? text(values->GetValues<int64_t>(1)) : text(values->GetValues<int32_t>(1));
}

uint64_t JoinKeys::Column::Word(int64_t row, int64_t begin) const {
  const uint8_t* bytes = values->buffers[1]->data();
  const int64_t index = values->offset + row;
  if (values->type->id() == arrow::Type::BOOL) return arrow::bit_util::GetBit(bytes, index) ? 1 : 0;
  uint64_t word = 0;
  std::memcpy(&word, bytes + index * width + begin, std::min<int64_t>(width - begin, sizeof(word)));
  return word;
}

void JoinKeys::Column::AddTo(std::vector<uint64_t>* hashes) const {
  uint64_t* hash = hashes->data();
  const int64_t rows = values->length;
  if (width == 0) {
    for (int64_t row = 0; row < rows; ++row) {
      if (!values->IsNull(row)) hash[row] = HashText(Text(row), hash[row]);
    }
  } else if (width == sizeof(uint64_t) && values->type->id() != arrow::Type::BOOL) {
    const auto* words = values->GetValues<uint64_t>(1);
    for (int64_t row = 0; row < rows; ++row) hash[row] = Mix(hash[row] ^ words[row]);
  } else {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t begin = 0; begin < width; begin += sizeof(uint64_t)) {
        hash[row] = Mix(hash[row] ^ Word(row, begin));
      }
    }
  }
}

Result<JoinKeys> JoinKeys::Make(const arrow::ArrayVector& columns, int64_t num_rows,
                                const OperationContext& context) {
  JoinKeys keys;
  keys.num_rows_ = num_rows;
  keys.hashes_.assign(num_rows, kSeed);
  for (const auto& column : columns) {
    ARROW_ASSIGN_OR_RAISE(auto values, ToValues(column->data(), context.pool));
    if (values->GetNullCount() > 0) {
      keys.has_null_.resize(num_rows);
      for (int64_t row = 0; row < num_rows; ++row) {
        if (values->IsNull(row)) keys.has_null_[row] = 1;
      }
    }
    // All of it is null, and nothing is asked of the bytes.
    if (values->type->id() == arrow::Type::NA) continue;
    keys.columns_.emplace_back(std::move(values));
    keys.columns_.back().AddTo(&keys.hashes_);
  }
  return keys;
}

void JoinKeys::AppendKey(int64_t row, std::string* out) const {
  for (const Column& column : columns_) {
    if (column.width > 0) {
      for (int64_t begin = 0; begin < column.width; begin += sizeof(uint64_t)) {
        AppendLittle(column.Word(row, begin), out);
      }
      continue;
    }
    // The length comes first, so that no two keys have the same bytes.
    const std::string_view text = column.Text(row);
    AppendLittle(static_cast<uint64_t>(text.size()), out);
    out->append(text);
  }
}

bool JoinKeys::IsKey(int64_t row, std::string_view bytes) const {
  for (const Column& column : columns_) {
    if (column.width > 0) {
      for (int64_t begin = 0; begin < column.width; begin += sizeof(uint64_t)) {
        if (LoadLittle<uint64_t>(bytes, 0) != column.Word(row, begin)) return false;
        bytes.remove_prefix(sizeof(uint64_t));
      }
      continue;
    }
    const std::string_view text = column.Text(row);
    if (LoadLittle<uint64_t>(bytes, 0) != text.size()) return false;
    bytes.remove_prefix(sizeof(uint64_t));
    if (!bytes.starts_with(text)) return false;
    bytes.remove_prefix(text.size());
  }
  return true;
}

Status JoinKeyTable::Add(const JoinKeys& keys, int64_t row, int64_t number) {
  if (entries_.length() >= int64_t{kNone}) {
    return Unsupported("more than 2^32 keys in one table of keys: give it less memory");
  }
  ARROW_RETURN_NOT_OK(entries_.Append({.hash = keys.hash(row), .row = number, .next = kNone}));
  if (is_hash_the_key_) return Status::OK();
  key_.clear();
  keys.AppendKey(row, &key_);
  ARROW_RETURN_NOT_OK(bytes_.Append(key_.data(), static_cast<int64_t>(key_.size())));
  return key_ends_.Append(bytes_.length());
}

Status HashFilter::Reserve(int64_t num_hashes) {
  constexpr uint64_t kHashesPerWord = 4;
  const uint64_t num_words = std::bit_ceil(static_cast<uint64_t>(num_hashes) / kHashesPerWord + 1);
  mask_ = num_words - 1;
  return words_.Append(static_cast<int64_t>(num_words), uint64_t{0});
}

Status JoinKeyTable::Finish() {
  const int64_t num_rows = entries_.length();
  const uint64_t num_buckets =
      std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(num_rows, 4)) * 2);
  mask_ = num_buckets - 1;
  ARROW_RETURN_NOT_OK(buckets_.Append(static_cast<int64_t>(num_buckets), kNone));
  ARROW_RETURN_NOT_OK(filter_.Reserve(num_rows));
  // From the last to the first, each put before those of its bucket: so they stay in order.
  Entry* entries = entries_.mutable_data();
  uint32_t* buckets = buckets_.mutable_data();
  for (int64_t i = num_rows - 1; i >= 0; --i) {
    uint32_t& bucket = buckets[entries[i].hash & mask_];
    entries[i].next = std::exchange(bucket, static_cast<uint32_t>(i));
    filter_.Add(entries[i].hash);
  }
  return Status::OK();
}

std::string_view JoinKeyTable::KeyOf(int64_t entry) const {
  const int64_t begin = entry == 0 ? 0 : key_ends_.data()[entry - 1];
  return {reinterpret_cast<const char*>(bytes_.data()) + begin,
          static_cast<size_t>(key_ends_.data()[entry] - begin)};
}

}  // namespace tusk::lance
