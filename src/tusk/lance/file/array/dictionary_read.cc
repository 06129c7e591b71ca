#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/file/array/array_read.h"
#include "tusk/lance/file/array/field_reads.h"
#include "tusk/lance/file/arrow_compute.h"

namespace tusk::lance {
namespace {

/// The unsigned integer type of so many bits; null if there is none.
std::shared_ptr<arrow::DataType> Unsigned(int64_t bits) {
  switch (bits) {
    case 8:
      return arrow::uint8();
    case 16:
      return arrow::uint16();
    case 32:
      return arrow::uint32();
    case 64:
      return arrow::uint64();
    default:
      return nullptr;
  }
}

/// Bits of the integers that an encoding holds; 0 if it holds none.
int64_t IntegerBits(const ArrayEncoding& encoding) {
  switch (encoding.kind) {
    case ArrayEncoding::Kind::kFlat:
      return encoding.bits;
    case ArrayEncoding::Kind::kBitpacked:
    case ArrayEncoding::Kind::kBitpackedForNonNeg:
      return encoding.value_bits;
    case ArrayEncoding::Kind::kNoNulls:
      return IntegerBits(encoding.children[0]);
    case ArrayEncoding::Kind::kSomeNulls:
      return IntegerBits(encoding.children[1]);
    default:
      return 0;
  }
}

/// Calls `call` with the indices as a span of their own type.
template <typename Call>
Status WithIndices(const arrow::ArrayData& indices, Call call) {
  const auto as = [&](auto word) {
    using Word = decltype(word);
    return std::span<const Word>(indices.GetValues<Word>(1), static_cast<size_t>(indices.length));
  };
  switch (static_cast<const arrow::FixedWidthType&>(*indices.type).bit_width()) {
    case 8:
      return call(as(uint8_t{}));
    case 16:
      return call(as(uint16_t{}));
    case 32:
      return call(as(uint32_t{}));
    default:
      return call(as(uint64_t{}));
  }
}

Status NoSuchItem(uint64_t index, int64_t num_items) {
  return Corrupt("index ", index, " into a dictionary of ", num_items, " items");
}

bool IsValid(const arrow::ArrayData& array, int64_t i) {
  return array.buffers[0] == nullptr || GetBit(array.buffers[0]->data(), i);
}

/// Validity bits of the first rows, all set at first.
Result<std::shared_ptr<arrow::Buffer>> SetBitmap(int64_t num_bits, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateBuffer(BytesForBits(num_bits), pool));
  std::memset(bits->mutable_data(), 0xFF, static_cast<size_t>(bits->size()));
  return bits;
}

/// Indices and items, read side by side: the items once and whole.
class IndicesAndItems {
 public:
  static Result<IndicesAndItems> Make(const ArrayEncoding& encoding, const ArrayRequest& request,
                                      std::shared_ptr<arrow::DataType> index_type,
                                      std::shared_ptr<arrow::DataType> item_type) {
    IndicesAndItems made;
    ArrayRequest indices = request;
    indices.type = std::move(index_type);
    ARROW_ASSIGN_OR_RAISE(auto read, MakeArrayRead(encoding.children[0], std::move(indices)));
    made.reads_.Add(std::move(read));
    ArrayRequest items = {.runs = {}, .type = std::move(item_type), .pool = request.pool};
    if (encoding.count > 0) items.runs.push_back({.begin = 0, .end = encoding.count});
    ARROW_ASSIGN_OR_RAISE(read, MakeArrayRead(encoding.children[1], std::move(items)));
    made.reads_.Add(std::move(read));
    return made;
  }

  FieldReads& reads() { return reads_; }
  Result<std::shared_ptr<arrow::ArrayData>> Indices() { return reads_.Finish(0); }
  Result<std::shared_ptr<arrow::ArrayData>> Items() { return reads_.Finish(1); }

 private:
  FieldReads reads_;
};

/// The numbers that items have once the null ones among them are gone.
class ItemNumbers {
 public:
  explicit ItemNumbers(const arrow::ArrayData& items)
      : has_nulls_(items.GetNullCount() > 0),
        all_null_(has_nulls_ && items.GetNullCount() == items.length) {
    if (!has_nulls_ || all_null_) return;
    uint32_t next = 0;
    for (int64_t i = 0; i < items.length; ++i) {
      numbers_.push_back(IsValid(items, i) ? next++ : kNull);
    }
  }

  bool has_nulls() const { return has_nulls_; }
  /// Nothing if the item is null.
  std::optional<uint64_t> Of(uint64_t item) const {
    if (all_null_) return std::nullopt;
    if (!has_nulls_) return item;
    return numbers_[item] == kNull ? std::nullopt : std::optional<uint64_t>(numbers_[item]);
  }

 private:
  static constexpr uint32_t kNull = ~uint32_t{0};

  bool has_nulls_;
  bool all_null_;
  std::vector<uint32_t> numbers_;  ///< empty if all items, or none, are null
};

/// A column of a dictionary type: index i stands for item i, and a row whose item is null is null.
class DictionaryRead final : public FieldRead {
 public:
  DictionaryRead(ArrayRequest request, IndicesAndItems parts)
      : request_(std::move(request)), parts_(std::move(parts)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return parts_.reads().Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return parts_.reads().Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto indices, parts_.Indices());
    ARROW_ASSIGN_OR_RAISE(auto items, parts_.Items());
    ARROW_ASSIGN_OR_RAISE(auto validity, SetBitmap(indices->length, request_.pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> kept,
                          arrow::AllocateBuffer(indices->buffers[1]->size(), request_.pool));
    const ItemNumbers numbers(*items);
    ARROW_RETURN_NOT_OK(WithIndices(*indices, [&](auto from) -> Status {
      using Word = typename decltype(from)::value_type;
      auto* to = reinterpret_cast<Word*>(kept->mutable_data());
      for (size_t i = 0; i < from.size(); ++i) {
        const auto row = static_cast<int64_t>(i);
        std::optional<uint64_t> item;
        if (IsValid(*indices, row)) {
          if (from[i] >= static_cast<uint64_t>(items->length)) {
            return NoSuchItem(from[i], items->length);
          }
          item = numbers.Of(from[i]);
        }
        if (!item) ClearBit(validity->mutable_data(), row);
        to[i] = static_cast<Word>(item.value_or(0));
      }
      return Status::OK();
    }));
    if (numbers.has_nulls()) {
      ARROW_ASSIGN_OR_RAISE(items, DropNulls(std::move(items), request_.pool));
    }
    const int64_t null_count = CountZeroBits(validity->data(), 0, indices->length);
    auto array = arrow::ArrayData::Make(
        request_.type, indices->length,
        {null_count > 0 ? std::move(validity) : nullptr, std::move(kept)}, null_count);
    array->dictionary = std::move(items);
    return array;
  }

 private:
  ArrayRequest request_;
  IndicesAndItems parts_;
};

/// A column of texts: index 0 stands for null, index i for item i - 1.
class TextDictionaryRead final : public FieldRead {
 public:
  TextDictionaryRead(ArrayRequest request, IndicesAndItems parts)
      : request_(std::move(request)), parts_(std::move(parts)) {}

  Status Plan(std::vector<io::ByteRange>* ranges) override { return parts_.reads().Plan(ranges); }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override {
    return parts_.reads().Accept(bytes);
  }
  Result<std::shared_ptr<arrow::ArrayData>> Finish() override {
    ARROW_ASSIGN_OR_RAISE(const auto indices, parts_.Indices());
    ARROW_ASSIGN_OR_RAISE(const auto items, parts_.Items());
    const bool is_wide = arrow::is_large_binary_like(request_.storage().id());
    return is_wide ? Resolve<int64_t>(*indices, *items) : Resolve<int32_t>(*indices, *items);
  }

 private:
  template <typename Offset>
  Result<std::shared_ptr<arrow::ArrayData>> Resolve(const arrow::ArrayData& indices,
                                                    const arrow::ArrayData& items) const {
    const int64_t num_rows = indices.length;
    const auto* begins = items.GetValues<Offset>(1);
    ARROW_ASSIGN_OR_RAISE(auto validity, SetBitmap(num_rows, request_.pool));
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> offsets,
        arrow::AllocateBuffer((num_rows + 1) * int64_t{sizeof(Offset)}, request_.pool));
    auto* ends = reinterpret_cast<Offset*>(offsets->mutable_data());
    ends[0] = 0;
    // Few bytes may stand for many: no more than 2 GiB of them, whatever the offsets.
    int64_t total = 0;
    ARROW_RETURN_NOT_OK(WithIndices(indices, [&](auto from) -> Status {
      for (int64_t i = 0; i < num_rows; ++i) {
        const uint64_t index = IsValid(indices, i) ? from[i] : 0;
        if (index > static_cast<uint64_t>(items.length)) return NoSuchItem(index - 1, items.length);
        const auto item = static_cast<int64_t>(index) - 1;
        if (item < 0 || !IsValid(items, item)) {
          ClearBit(validity->mutable_data(), i);
        } else {
          total += begins[item + 1] - begins[item];
        }
        if (total > std::numeric_limits<int32_t>::max()) {
          return InvalidArgument("values of ", request_.type->ToString(), " in ", num_rows,
                                 " rows exceed 2 GiB: read fewer rows");
        }
        ends[i + 1] = static_cast<Offset>(total);
      }
      return Status::OK();
    }));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                          arrow::AllocateBuffer(total, request_.pool));
    ARROW_RETURN_NOT_OK(WithIndices(indices, [&](auto from) -> Status {
      for (int64_t i = 0; i < num_rows; ++i) {
        const auto length = static_cast<size_t>(ends[i + 1] - ends[i]);
        if (length == 0) continue;
        std::memcpy(bytes->mutable_data() + ends[i], items.buffers[2]->data() + begins[from[i] - 1],
                    length);
      }
      return Status::OK();
    }));
    const int64_t null_count = CountZeroBits(validity->data(), 0, num_rows);
    return arrow::ArrayData::Make(
        request_.type, num_rows,
        {null_count > 0 ? std::move(validity) : nullptr, std::move(offsets), std::move(bytes)},
        null_count);
  }

  ArrayRequest request_;
  IndicesAndItems parts_;
};

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeDictionaryRead(const ArrayEncoding& encoding,
                                                      ArrayRequest request) {
  const arrow::DataType& type = request.storage();
  if (type.id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
    ARROW_ASSIGN_OR_RAISE(
        auto parts,
        IndicesAndItems::Make(encoding, request, dictionary.index_type(), dictionary.value_type()));
    return std::make_unique<DictionaryRead>(std::move(request), std::move(parts));
  }
  if (!arrow::is_base_binary_like(type.id())) {
    return Unsupported("encoding dictionary for ", request.type->ToString(), " is not supported");
  }
  auto index_type = Unsigned(IntegerBits(encoding.children[0]));
  if (index_type == nullptr) {
    return Corrupt("encoding dictionary with indices in encoding ", encoding.children[0].name());
  }
  ARROW_ASSIGN_OR_RAISE(
      auto parts, IndicesAndItems::Make(encoding, request, std::move(index_type), request.type));
  return std::make_unique<TextDictionaryRead>(std::move(request), std::move(parts));
}

}  // namespace tusk::lance
