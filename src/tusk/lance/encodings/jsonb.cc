#include "tusk/lance/encodings/jsonb.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array/array_binary.h>
#include <arrow/array/builder_binary.h>
#include <arrow/type.h>

#include "tusk/base/json_parser.h"
#include "tusk/base/json_scalar.h"
#include "tusk/base/utf8.h"

namespace tusk::lance {
namespace {

constexpr size_t kMaxDepth = 10'000;
/// Bytes of a header, and of an entry.
constexpr size_t kWordSize = 4;

/// The upper three bits of a header. The others count the values of an array or object.
constexpr uint32_t kHeaderKindMask = 0xE000'0000;
enum HeaderKind : uint32_t {
  kArray = 0x8000'0000,
  kObject = 0x4000'0000,
  kScalar = 0x2000'0000,
};

/// The upper four bits of an entry. The others are the length of the value.
constexpr uint32_t kEntryKindMask = 0xF000'0000;
enum EntryKind : uint32_t {
  kNull = 0x0000'0000,
  kString = 0x1000'0000,
  kNumber = 0x2000'0000,
  kFalse = 0x3000'0000,
  kTrue = 0x4000'0000,
  kContainer = 0x5000'0000,
  kExtension = 0x6000'0000,
};

constexpr uint32_t kMaxCount = ~kHeaderKindMask;
constexpr size_t kMaxLength = ~kEntryKindMask;

/// An array or object of which some values are still to be written. Positions are in the whole.
struct Container {
  size_t entry;      ///< of the next value
  size_t value;      ///< where it begins
  size_t end;        ///< of the container
  size_t left;       ///< values
  size_t key_entry;  ///< of its key, in an object
  size_t key;        ///< where that begins
  bool is_object;
  bool is_first;
};

/// Writes one value. Works on a stack of its own, because nesting is as deep as the bytes say.
class JsonTextWriter {
 public:
  JsonTextWriter(std::span<const uint8_t> bytes, std::string* out) : bytes_(bytes), out_(out) {}

  Status Write();

 private:
  uint32_t Word(size_t position) const {
    return uint32_t{bytes_[position]} << 24 | uint32_t{bytes_[position + 1]} << 16 |
           uint32_t{bytes_[position + 2]} << 8 | uint32_t{bytes_[position + 3]};
  }
  std::string_view Text(size_t begin, size_t length) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + begin, length};
  }
  template <typename... Args>
  Status Broken(size_t position, Args&&... args) const {
    return Corrupt("JSONB at byte ", position, " of ", bytes_.size(), ": ",
                   std::forward<Args>(args)...);
  }

  /// The value in [begin, end) with its header.
  Status Open(size_t begin, size_t end);
  Status OpenContainer(size_t begin, size_t end, size_t count, bool is_object);
  /// The next value of the inner-most container, or its end.
  Status Step();
  /// The value of `entry` in [begin, begin + its length), which is before `end`.
  Status WriteValue(uint32_t entry, size_t begin, size_t end);

  std::span<const uint8_t> bytes_;
  std::string* out_;
  std::vector<Container> open_;
};

size_t LengthOf(uint32_t entry) { return entry & ~kEntryKindMask; }

Status JsonTextWriter::Write() {
  ARROW_RETURN_NOT_OK(Open(0, bytes_.size()));
  while (!open_.empty()) ARROW_RETURN_NOT_OK(Step());
  return Status::OK();
}

Status JsonTextWriter::Open(size_t begin, size_t end) {
  if (end - begin < kWordSize) return Broken(begin, "no header in ", end - begin, " bytes");
  const uint32_t header = Word(begin);
  const size_t count = header & ~kHeaderKindMask;
  const uint32_t kind = header & kHeaderKindMask;
  if (kind == kArray || kind == kObject) return OpenContainer(begin, end, count, kind == kObject);
  // A value inside of another is never wrapped as a scalar.
  if (kind != kScalar || count != 0 || !open_.empty()) {
    return Broken(begin, "no value has the header ", header);
  }
  const size_t value = begin + 2 * kWordSize;
  if (end < value) return Broken(begin, "a scalar of ", end - begin, " bytes has no entry");
  const uint32_t entry = Word(begin + kWordSize);
  if ((entry & kEntryKindMask) == kContainer) return Broken(begin, "a scalar holds a container");
  if (LengthOf(entry) != end - value) {
    return Broken(value, "a scalar of ", LengthOf(entry), " bytes has ", end - value);
  }
  return WriteValue(entry, value, end);
}

Status JsonTextWriter::OpenContainer(size_t begin, size_t end, size_t count, bool is_object) {
  if (open_.size() == kMaxDepth) return Broken(begin, "nested deeper than ", kMaxDepth);
  const size_t entries_size = count * kWordSize * (is_object ? 2 : 1);
  if (end - begin - kWordSize < entries_size) {
    return Broken(begin, count, is_object ? " keys and values" : " values", " in ", end - begin,
                  " bytes");
  }
  Container container{.entry = begin + kWordSize,
                      .value = begin + kWordSize + entries_size,
                      .end = end,
                      .left = count,
                      .key_entry = begin + kWordSize,
                      .key = begin + kWordSize + entries_size,
                      .is_object = is_object,
                      .is_first = true};
  if (is_object) {
    container.entry += count * kWordSize;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t entry = Word(container.key_entry + i * kWordSize);
      if ((entry & kEntryKindMask) != kString) {
        return Broken(container.key_entry + i * kWordSize, "a key is no text: ", entry);
      }
      if (LengthOf(entry) > end - container.value) {
        return Broken(container.value, "a key of ", LengthOf(entry), " bytes ends behind ", end);
      }
      container.value += LengthOf(entry);
    }
  }
  out_->push_back(is_object ? '{' : '[');
  open_.push_back(container);
  return Status::OK();
}

Status JsonTextWriter::Step() {
  Container& at = open_.back();
  if (at.left == 0) {
    if (at.value != at.end) {
      return Broken(at.value, at.end - at.value, " bytes are left over behind the values");
    }
    out_->push_back(at.is_object ? '}' : ']');
    open_.pop_back();
    return Status::OK();
  }
  if (!at.is_first) out_->push_back(',');
  at.is_first = false;
  --at.left;
  if (at.is_object) {
    const size_t key_length = LengthOf(Word(at.key_entry));
    AppendJsonString(Text(at.key, key_length), out_);
    out_->push_back(':');
    at.key_entry += kWordSize;
    at.key += key_length;
  }
  const uint32_t entry = Word(at.entry);
  const size_t begin = at.value;
  at.entry += kWordSize;
  if (LengthOf(entry) > at.end - begin) {
    return Broken(begin, "a value of ", LengthOf(entry), " bytes ends behind ", at.end);
  }
  at.value += LengthOf(entry);
  return WriteValue(entry, begin, at.end);
}

Status JsonTextWriter::WriteValue(uint32_t entry, size_t begin, size_t end) {
  const size_t length = LengthOf(entry);
  const std::span<const uint8_t> bytes = bytes_.subspan(begin, length);
  Status status;
  switch (entry & kEntryKindMask) {
    case kString:
      AppendJsonString(Text(begin, length), out_);
      return Status::OK();
    case kContainer:
      return Open(begin, begin + length);
    case kNumber:
      status = AppendJsonbNumber(bytes, out_);
      break;
    case kExtension:
      status = AppendJsonbExtension(bytes, out_);
      break;
    case kNull:
    case kTrue:
    case kFalse: {
      const uint32_t kind = entry & kEntryKindMask;
      if (length != 0) return Broken(begin, "null, true or false of ", length, " bytes");
      out_->append(kind == kNull ? "null" : kind == kTrue ? "true" : "false");
      return Status::OK();
    }
    default:
      return Broken(begin, "no value has the entry ", entry, ", before byte ", end);
  }
  if (!status.ok()) return Broken(begin, status.message());
  return Status::OK();
}

EntryKind EntryKindOf(JsonNode::Kind kind) {
  switch (kind) {
    case JsonNode::Kind::kNull:
      return kNull;
    case JsonNode::Kind::kFalse:
      return kFalse;
    case JsonNode::Kind::kTrue:
      return kTrue;
    case JsonNode::Kind::kNumber:
      return kNumber;
    case JsonNode::Kind::kString:
      return kString;
    case JsonNode::Kind::kArray:
    case JsonNode::Kind::kObject:
      break;
  }
  return kContainer;
}

/// Writes a tree of values, likewise without recursion.
class JsonbWriter {
 public:
  Status Write(std::span<const JsonNode> nodes, std::string* out);

 private:
  bool IsContainer(uint32_t node) const { return EntryKindOf(nodes_[node].kind) == kContainer; }
  /// Calls `visit` with each value in an array or object.
  template <typename Visit>
  void VisitValues(const JsonNode& container, const Visit& visit) const {
    uint32_t value = container.first_value;
    for (uint32_t i = 0; i < container.num_values; ++i, value = nodes_[value].next) visit(value);
  }
  /// Sets what each value takes, without its entry.
  Status Measure();
  void AppendWord(uint32_t word) {
    for (const int shift : {24, 16, 8, 0}) out_->push_back(static_cast<char>(word >> shift));
  }
  void AppendEntry(EntryKind kind, size_t length) {
    AppendWord(kind | static_cast<uint32_t>(length));
  }
  void AppendEntryOf(uint32_t node) { AppendEntry(EntryKindOf(nodes_[node].kind), sizes_[node]); }
  /// The value itself; of an array or object what stands before its values.
  void AppendValue(const JsonNode& node);

  std::span<const JsonNode> nodes_;
  std::string* out_ = nullptr;
  std::vector<size_t> sizes_;
  std::vector<uint32_t> rest_;  ///< what follows each open array or object, 0 for nothing
};

Status JsonbWriter::Write(std::span<const JsonNode> nodes, std::string* out) {
  nodes_ = nodes;
  out_ = out;
  ARROW_RETURN_NOT_OK(Measure());
  out_->reserve(out_->size() + sizes_[0] + 2 * kWordSize);
  if (!IsContainer(0)) {
    AppendWord(kScalar);
    AppendEntryOf(0);
    AppendValue(nodes_[0]);
    return Status::OK();
  }
  rest_.assign(1, 0);
  while (!rest_.empty()) {
    const JsonNode& node = nodes_[rest_.back()];
    rest_.back() = node.next;
    AppendValue(node);
    if (node.num_values > 0) {
      rest_.push_back(node.first_value);
    } else {
      while (!rest_.empty() && rest_.back() == 0) rest_.pop_back();
    }
  }
  return Status::OK();
}

Status JsonbWriter::Measure() {
  sizes_.assign(nodes_.size(), 0);
  // What is in an array or object comes behind it.
  for (size_t i = nodes_.size(); i-- > 0;) {
    const JsonNode& node = nodes_[i];
    size_t size = node.number.size + node.text.size();
    if (EntryKindOf(node.kind) == kContainer) {
      const bool is_object = node.kind == JsonNode::Kind::kObject;
      size = kWordSize + node.num_values * kWordSize * (is_object ? 2 : 1);
      size_t longest_key = 0;
      VisitValues(node, [&](uint32_t value) {
        size += nodes_[value].key.size() + sizes_[value];
        longest_key = std::max(longest_key, nodes_[value].key.size());
      });
      if (longest_key > kMaxLength) {
        return InvalidArgument("a key of ", longest_key, " bytes is too long for JSONB");
      }
      if (node.num_values > kMaxCount) {
        return InvalidArgument(node.num_values, " values in one are too many for JSONB");
      }
    }
    // The length of the outer-most array or object is written nowhere.
    if (size > kMaxLength && (i > 0 || EntryKindOf(node.kind) != kContainer)) {
      return InvalidArgument("a value of ", size, " bytes is too long for JSONB");
    }
    sizes_[i] = size;
  }
  return Status::OK();
}

void JsonbWriter::AppendValue(const JsonNode& node) {
  const bool is_object = node.kind == JsonNode::Kind::kObject;
  if (!is_object && node.kind != JsonNode::Kind::kArray) {
    out_->append(node.number.view()).append(node.text);
    return;
  }
  AppendWord((is_object ? kObject : kArray) | node.num_values);
  if (is_object) {
    VisitValues(node, [&](uint32_t value) { AppendEntry(kString, nodes_[value].key.size()); });
  }
  VisitValues(node, [&](uint32_t value) { AppendEntryOf(value); });
  if (is_object) VisitValues(node, [&](uint32_t value) { out_->append(nodes_[value].key); });
}

/// Makes JSONB of one text after the other, with the memory of the ones before.
class JsonbMaker {
 public:
  Status Append(std::string_view json, std::string* out) {
    ARROW_RETURN_NOT_OK(parser_.Parse(json));
    return writer_.Write(parser_.nodes(), out);
  }

 private:
  JsonParser parser_;
  JsonbWriter writer_;
};

template <typename Texts>
Result<std::shared_ptr<arrow::Array>> JsonbOfTexts(const Texts& texts, arrow::MemoryPool* pool) {
  arrow::LargeBinaryBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(texts.length()));
  JsonbMaker maker;
  std::string jsonb;
  for (int64_t row = 0; row < texts.length(); ++row) {
    if (texts.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    jsonb.clear();
    const Status status = maker.Append(texts.GetView(row), &jsonb);
    if (!status.ok()) return WithContext(status, "row " + std::to_string(row));
    ARROW_RETURN_NOT_OK(builder.Append(jsonb));
  }
  return builder.Finish();
}

}  // namespace

Status AppendJsonb(std::string_view json, std::string* out) {
  return JsonbMaker().Append(json, out);
}

Result<std::shared_ptr<arrow::Array>> JsonbOf(const arrow::Array& texts, arrow::MemoryPool* pool) {
  switch (texts.type_id()) {
    case arrow::Type::STRING:
      return JsonbOfTexts(static_cast<const arrow::StringArray&>(texts), pool);
    case arrow::Type::LARGE_STRING:
      return JsonbOfTexts(static_cast<const arrow::LargeStringArray&>(texts), pool);
    case arrow::Type::STRING_VIEW:
      return JsonbOfTexts(static_cast<const arrow::StringViewArray&>(texts), pool);
    default:
      return InvalidArgument("JSON texts of type ", texts.type()->ToString());
  }
}

Status AppendJsonText(std::span<const uint8_t> jsonb, std::string* out) {
  if (jsonb.empty()) {
    out->append("null");
    return Status::OK();
  }
  const size_t begin = out->size();
  Status status = JsonTextWriter(jsonb, out).Write();
  // Checked once for the whole: what stands around the texts is ASCII.
  if (status.ok() && !IsUtf8(std::string_view(*out).substr(begin))) {
    status = Corrupt("JSONB of ", jsonb.size(), " bytes holds text that is not UTF-8");
  }
  if (!status.ok()) out->resize(begin);
  return status;
}

Result<std::shared_ptr<arrow::Array>> JsonTextOf(const arrow::LargeBinaryArray& jsonb,
                                                 arrow::MemoryPool* pool) {
  arrow::StringBuilder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(jsonb.length()));
  std::string text;
  for (int64_t row = 0; row < jsonb.length(); ++row) {
    if (jsonb.IsNull(row)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const std::string_view bytes = jsonb.GetView(row);
    text.clear();
    const Status status =
        AppendJsonText({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, &text);
    if (!status.ok()) return WithContext(status, "row " + std::to_string(row));
    if (static_cast<int64_t>(text.size()) > builder.memory_limit() - builder.value_data_length()) {
      return InvalidArgument("the JSON texts of ", jsonb.length(),
                             " rows do not fit 2 GiB: read fewer rows at once");
    }
    ARROW_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

}  // namespace tusk::lance
