#include "tusk/lance/file/structural_read.h"

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/base/little_endian.h"
#include "tusk/lance/encodings/bits.h"
#include "tusk/lance/encodings/packed_struct.h"
#include "tusk/lance/file/arrow_compute.h"
#include "tusk/lance/file/leaf_read.h"

namespace tusk::lance {
namespace {

using arrow::ArrayData;
using arrow::Type;

/// Deeper nesting is taken for an attack on the stack.
constexpr int kMaxDepth = 64;

/// What a field and those below it become.
struct Node {
  enum class Kind {
    kLeaf,
    kPackedStruct,
    kBlobBytes,
    kBlobDescriptor,
    kStruct,
    kList,
    kFixedSizeList,  ///< of structs; of plain items it is a leaf
  };
  Kind kind = Kind::kLeaf;
  std::shared_ptr<arrow::DataType> type;
  std::vector<Node> children;
  size_t leaf = 0;  ///< the first leaf of this node
};

/// The layers above a leaf, on the way down to it.
struct Path {
  std::vector<bool> is_list;  ///< outer-most first
  int64_t scale = 1;
  bool has_lists = false;
  bool has_fixed_size_lists = false;
};

/// The type of the values that are stored for `type`.
std::shared_ptr<arrow::DataType> StoredType(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() != Type::DICTIONARY) return type;
  return static_cast<const arrow::DictionaryType&>(*type).value_type();
}

/// An array as it is put together: with the layer of its leaf's structure that comes next. Within
/// fixed-size lists of structs each layer says the same for all items of a list: `scale` times.
struct Assembled {
  std::shared_ptr<ArrayData> array;
  size_t leaf = 0;
  size_t next_layer = 0;
  int64_t scale = 1;
};

/// Reads the bytes of blobs, whose places were read before.
class BlobBytes {
 public:
  /// Adds where the valid values of `descriptors`, packed pairs of position and size, lie. Corrupt
  /// if that is not inside the file, or more than all of it.
  Status Plan(const ArrayData& descriptors, int64_t file_size, std::vector<io::ByteRange>* ranges);
  /// Of the ranges that were added.
  void Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
    bytes_.assign(bytes.begin(), bytes.end());
  }
  /// The array of `type`, a large_binary, with the validity of the descriptors.
  Result<std::shared_ptr<ArrayData>> Finish(const ArrayData& descriptors,
                                            const std::shared_ptr<arrow::DataType>& type,
                                            arrow::MemoryPool* pool) const;

 private:
  static uint64_t SizeOf(const ArrayData& descriptors, int64_t row) {
    const bool is_null =
        descriptors.buffers[0] != nullptr && !GetBit(descriptors.buffers[0]->data(), row);
    return is_null ? 0 : LoadLittle<uint64_t>(descriptors.buffers[1]->data() + row * 16 + 8);
  }

  std::vector<std::shared_ptr<arrow::Buffer>> bytes_;
};

Status BlobBytes::Plan(const ArrayData& descriptors, int64_t file_size,
                       std::vector<io::ByteRange>* ranges) {
  auto left = static_cast<uint64_t>(file_size);
  for (int64_t row = 0; row < descriptors.length; ++row) {
    const uint64_t size = SizeOf(descriptors, row);
    if (size == 0) continue;
    const auto position = LoadLittle<uint64_t>(descriptors.buffers[1]->data() + row * 16);
    const auto file = static_cast<uint64_t>(file_size);
    // No two values share bytes, so all together are no larger than the file.
    if (size > left || size > file || position > file - size) {
      return Corrupt("blob of ", size, " bytes at ", position, " in a file of ", file_size);
    }
    left -= size;
    ranges->push_back(
        {.offset = static_cast<int64_t>(position), .length = static_cast<int64_t>(size)});
  }
  return Status::OK();
}

Result<std::shared_ptr<ArrayData>> BlobBytes::Finish(const ArrayData& descriptors,
                                                     const std::shared_ptr<arrow::DataType>& type,
                                                     arrow::MemoryPool* pool) const {
  const int64_t rows = descriptors.length;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((rows + 1) * int64_t{sizeof(int64_t)}, pool));
  int64_t total = 0;
  for (const auto& buffer : bytes_) total += buffer->size();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> data, arrow::AllocateBuffer(total, pool));
  auto* offset = reinterpret_cast<int64_t*>(offsets->mutable_data());
  int64_t at = 0;
  size_t next = 0;
  for (int64_t row = 0; row < rows; ++row) {
    offset[row] = at;
    if (SizeOf(descriptors, row) == 0) continue;
    const arrow::Buffer& from = *bytes_[next++];
    std::memcpy(data->mutable_data() + at, from.data(), from.size());
    at += from.size();
  }
  offset[rows] = at;
  return ArrayData::Make(type, rows, {descriptors.buffers[0], std::move(offsets), std::move(data)},
                         descriptors.null_count.load());
}

class StructuralRead final : public FieldRead {
 public:
  StructuralRead(const Field& field, std::span<const NumberedColumn> columns,
                 const RowsToRead& rows, const ReadSource& source, arrow::MemoryPool* pool)
      : field_(field),
        columns_(columns.begin(), columns.end()),
        rows_(rows),
        source_(source),
        pool_(pool) {}

  Status Init() {
    const auto init = [&]() -> Status {
      ARROW_ASSIGN_OR_RAISE(const auto arrow_field, ToArrowField(field_));
      ARROW_RETURN_NOT_OK(AddNode(field_, arrow_field->type(), {}, 0, &root_));
      if (leaves_.size() == columns_.size()) return Status::OK();
      return Corrupt("has ", leaves_.size(), " columns by its type and ", columns_.size(),
                     " in the file");
    };
    return InField(init());
  }

  Status Plan(std::vector<io::ByteRange>* ranges) override;
  void PlanTargets(std::vector<io::ReadTarget>* targets) override {
    for (LeafRead& leaf : leaves_) leaf.PlanTargets(targets);
  }
  Status Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) override;
  Result<std::shared_ptr<ArrayData>> Finish() override;

 private:
  std::string Where() const { return *source_.path + ": column '" + field_.name + "'"; }
  Status InField(const Status& status) const {
    return status.ok() ? status : WithContext(status, Where());
  }
  /// With the number of the column.
  Status InLeaf(size_t leaf, const Status& status) const {
    if (status.ok()) return status;
    return WithContext(status, Where() + " (" + std::to_string(columns_[leaf].number) + ")");
  }

  Status AddNode(const Field& field, const std::shared_ptr<arrow::DataType>& type, const Path& path,
                 int depth, Node* node);
  Status AddLeaf(const Field& field, const Path& path, Node* node);
  /// The array of a leaf, and the first layer of its structure put on it.
  Result<Assembled> FinishLeaf(const Node& node);
  Result<Assembled> Assemble(const Node& node);
  /// The next layer, which is of items, of a leaf.
  Result<Structure::Layer> FinishItems(Assembled* assembled);
  Result<Assembled> AssembleStruct(const Node& node);
  Result<Assembled> AssembleList(const Node& node);
  Result<Assembled> AssembleFixedSizeList(const Node& node);

  const Field& field_;
  std::vector<NumberedColumn> columns_;
  RowsToRead rows_;
  ReadSource source_;
  arrow::MemoryPool* pool_;
  Node root_;
  std::vector<LeafRead> leaves_;
  /// By leaf; only blobs whose bytes are wanted have them.
  struct Blob {
    size_t leaf = 0;
    std::shared_ptr<ArrayData> descriptors;
    BlobBytes bytes;
  };
  std::vector<Blob> blobs_;
  std::vector<size_t> planned_;  ///< ranges that each leaf asked for last
  bool asks_for_blobs_ = false;
};

Status StructuralRead::AddLeaf(const Field& field, const Path& path, Node* node) {
  if (node->leaf >= columns_.size()) {
    return Corrupt("has more columns by its type than the ", columns_.size(), " in the file");
  }
  LeafRead::Options options;
  if (node->kind == Node::Kind::kBlobBytes || node->kind == Node::Kind::kBlobDescriptor) {
    options.shape = BlobDescriptorShape();
  } else if (node->kind == Node::Kind::kPackedStruct) {
    ARROW_ASSIGN_OR_RAISE(options.shape, ValueShape::OfPacked(*node->type));
  } else {
    ARROW_ASSIGN_OR_RAISE(options.shape, ValueShape::Of(*StoredType(node->type)));
  }
  options.keeps_structure = node->kind != Node::Kind::kLeaf;
  options.is_list.push_back(false);
  options.is_list.insert(options.is_list.end(), path.is_list.rbegin(), path.is_list.rend());
  options.scale = path.scale;
  // JSON becomes text, and a column of dictionaries has its own, for all rows of a read.
  options.may_be_codes =
      rows_.may_be_codes && node->type->id() != Type::DICTIONARY && field.logical_type != "json";
  const NumberedColumn& column = columns_[node->leaf];
  if (column.pages->num_rows != source_.num_rows * path.scale) {
    return Corrupt("column ", column.number, " has ", column.pages->num_rows, " rows in a file of ",
                   source_.num_rows, " with ", path.scale, " of field '", field.name, "' in each");
  }
  leaves_.emplace_back(column.pages, std::move(options), rows_, pool_);
  return Status::OK();
}

Status StructuralRead::AddNode(const Field& field, const std::shared_ptr<arrow::DataType>& type,
                               const Path& path, int depth, Node* node) {
  if (depth > kMaxDepth) return Unsupported("nesting deeper than ", kMaxDepth);
  node->type = type;
  node->leaf = leaves_.size();
  if (field.is_blob() && !field.is_blob_v2() && type->id() != Type::STRUCT) {
    node->kind = Node::Kind::kBlobBytes;
    blobs_.push_back({.leaf = node->leaf, .descriptors = nullptr, .bytes = {}});
    return AddLeaf(field, path, node);
  }
  if (type->id() == Type::STRUCT && !field.children.empty() &&
      (field.is_packed() || field.is_blob())) {
    node->kind = field.is_packed() ? Node::Kind::kPackedStruct : Node::Kind::kBlobDescriptor;
    return AddLeaf(field, path, node);
  }
  if (field.children.empty()) return AddLeaf(field, path, node);
  Path below = path;
  below.is_list.push_back(false);
  switch (type->id()) {
    case Type::STRUCT:
      node->kind = Node::Kind::kStruct;
      break;
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::MAP:
      node->kind = Node::Kind::kList;
      below.is_list.back() = true;
      below.has_lists = true;
      break;
    case Type::FIXED_SIZE_LIST: {
      node->kind = Node::Kind::kFixedSizeList;
      const int64_t size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
      if (size <= 0 || below.scale > std::numeric_limits<int32_t>::max() / size) {
        return Unsupported("type ", type->ToString(), " is not supported");
      }
      below.scale *= size;
      below.has_fixed_size_lists = true;
      break;
    }
    default:
      return Unsupported("type ", type->ToString(), " with child fields is not supported");
  }
  if (below.has_lists && below.has_fixed_size_lists) {
    return Unsupported("lists around or within fixed-size lists of structs are not supported");
  }
  if (source_.num_rows > std::numeric_limits<int64_t>::max() / below.scale) {
    return Corrupt("has ", source_.num_rows, " rows of ", below.scale, " items");
  }
  node->children.resize(field.children.size());
  for (size_t i = 0; i < field.children.size(); ++i) {
    ARROW_RETURN_NOT_OK(AddNode(field.children[i], type->field(static_cast<int>(i))->type(), below,
                                depth + 1, &node->children[i]));
  }
  return Status::OK();
}

Status StructuralRead::Plan(std::vector<io::ByteRange>* ranges) {
  planned_.assign(leaves_.size(), 0);
  const size_t before = ranges->size();
  for (size_t i = 0; i < leaves_.size(); ++i) {
    const size_t begin = ranges->size();
    ARROW_RETURN_NOT_OK(InLeaf(i, leaves_[i].Plan(ranges)));
    planned_[i] = ranges->size() - begin;
  }
  if (ranges->size() > before || asks_for_blobs_) return Status::OK();
  // All descriptors are there.
  asks_for_blobs_ = true;
  for (Blob& blob : blobs_) {
    const auto plan = [&]() -> Status {
      LeafRead& leaf = leaves_[blob.leaf];
      const auto width = static_cast<int32_t>(leaf.shape().bits / 8);
      ARROW_ASSIGN_OR_RAISE(blob.descriptors, leaf.Finish(arrow::fixed_size_binary(width)));
      ARROW_ASSIGN_OR_RAISE(Structure::Layer layer,
                            leaf.structure()->Finish(0, /*is_large=*/false));
      blob.descriptors->buffers[0] = std::move(layer.validity);
      blob.descriptors->null_count = layer.null_count;
      return blob.bytes.Plan(*blob.descriptors, source_.file_size, ranges);
    };
    const size_t begin = ranges->size();
    ARROW_RETURN_NOT_OK(InLeaf(blob.leaf, plan()));
    planned_[blob.leaf] = ranges->size() - begin;
  }
  return Status::OK();
}

Status StructuralRead::Accept(std::span<const std::shared_ptr<arrow::Buffer>> bytes) {
  if (asks_for_blobs_) {
    for (Blob& blob : blobs_) {
      blob.bytes.Accept(bytes.first(planned_[blob.leaf]));
      bytes = bytes.subspan(planned_[blob.leaf]);
    }
    return Status::OK();
  }
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (planned_[i] == 0) continue;
    ARROW_RETURN_NOT_OK(InLeaf(i, leaves_[i].Accept(bytes.first(planned_[i]))));
    bytes = bytes.subspan(planned_[i]);
  }
  return Status::OK();
}

/// The dictionary array of `type` with these values.
Result<std::shared_ptr<ArrayData>> DictionaryOf(std::shared_ptr<ArrayData> values,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto encoded, EncodeAsDictionary(std::move(values), pool));
  const auto& dictionary = static_cast<const arrow::DictionaryType&>(*type);
  auto indices = encoded->Copy();
  indices->type = static_cast<const arrow::DictionaryType&>(*encoded->type).index_type();
  const auto items = indices->dictionary;
  indices->dictionary = nullptr;
  const arrow::DataType& index_type = *dictionary.index_type();
  const int index_bits =
      index_type.byte_width() * 8 - (arrow::is_signed_integer(index_type.id()) ? 1 : 0);
  if (index_bits < 63 && items->length > int64_t{1} << index_bits) {
    return InvalidArgument(items->length, " different values are too many for indices of ",
                           index_type.ToString(), ": read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(const auto narrow, CastTo(indices, dictionary.index_type(), pool));
  auto result = narrow->Copy();
  result->type = type;
  result->dictionary = items;
  return result;
}

Result<Assembled> StructuralRead::FinishLeaf(const Node& node) {
  LeafRead& leaf = leaves_[node.leaf];
  Assembled result{.array = nullptr, .leaf = node.leaf, .next_layer = 1};
  if (node.kind == Node::Kind::kBlobBytes) {
    for (const Blob& blob : blobs_) {
      if (blob.leaf != node.leaf) continue;
      ARROW_ASSIGN_OR_RAISE(result.array, blob.bytes.Finish(*blob.descriptors, node.type, pool_));
    }
    return result;
  }
  const bool is_packed =
      node.kind == Node::Kind::kPackedStruct || node.kind == Node::Kind::kBlobDescriptor;
  std::shared_ptr<arrow::DataType> type = StoredType(node.type);
  if (is_packed) {
    type = leaf.shape().is_variable
               ? arrow::large_binary()
               : arrow::fixed_size_binary(static_cast<int32_t>(leaf.shape().bits / 8));
  }
  ARROW_ASSIGN_OR_RAISE(result.array, leaf.Finish(type));
  if (leaf.structure() != nullptr) {
    ARROW_ASSIGN_OR_RAISE(Structure::Layer layer, leaf.structure()->Finish(0, /*is_large=*/false));
    if (type->id() != Type::NA) {
      result.array->buffers[0] = std::move(layer.validity);
      result.array->null_count = layer.null_count;
    }
  }
  if (type->id() == Type::STRUCT) {
    // Pages of structs without fields say that all are null, whatever they are.
    result.array->buffers[0] = nullptr;
    result.array->null_count = 0;
  }
  if (is_packed) {
    ARROW_ASSIGN_OR_RAISE(result.array,
                          UnpackStruct(*result.array, leaf.shape(), node.type, pool_));
  }
  if (node.type->id() == Type::DICTIONARY) {
    ARROW_ASSIGN_OR_RAISE(result.array, DictionaryOf(std::move(result.array), node.type, pool_));
  }
  return result;
}

Result<Assembled> StructuralRead::AssembleStruct(const Node& node) {
  std::vector<std::shared_ptr<ArrayData>> children;
  Assembled result;
  for (const Node& child : node.children) {
    ARROW_ASSIGN_OR_RAISE(Assembled assembled, Assemble(child));
    if (children.empty()) {
      result.leaf = assembled.leaf;
      result.next_layer = assembled.next_layer;
      result.scale = assembled.scale;
    } else if (assembled.array->length != children.front()->length) {
      return InField(Corrupt("children of a struct have ", children.front()->length, " and ",
                             assembled.array->length, " values"));
    }
    children.push_back(std::move(assembled.array));
  }
  ARROW_ASSIGN_OR_RAISE(const Structure::Layer layer, FinishItems(&result));
  if (layer.length != children.front()->length) {
    return InField(
        Corrupt("struct of ", layer.length, " values with children of ", children.front()->length));
  }
  result.array = ArrayData::Make(node.type, layer.length, {layer.validity}, std::move(children),
                                 layer.null_count);
  return result;
}

Result<Assembled> StructuralRead::AssembleList(const Node& node) {
  ARROW_ASSIGN_OR_RAISE(Assembled items, Assemble(node.children[0]));
  if (node.type->id() == Type::MAP &&
      (items.array->GetNullCount() > 0 || items.array->child_data[0]->GetNullCount() > 0)) {
    return InField(Corrupt("map with ", items.array->GetNullCount(), " null entries and ",
                           items.array->child_data[0]->GetNullCount(), " null keys"));
  }
  ARROW_ASSIGN_OR_RAISE(Structure::Layer layer,
                        leaves_[items.leaf].structure()->Finish(
                            items.next_layer, node.type->id() == Type::LARGE_LIST));
  Assembled result{.array = nullptr, .leaf = items.leaf, .next_layer = items.next_layer + 1};
  result.array = ArrayData::Make(node.type, layer.length,
                                 {std::move(layer.validity), std::move(layer.offsets)},
                                 {std::move(items.array)}, layer.null_count);
  return result;
}

Result<Structure::Layer> StructuralRead::FinishItems(Assembled* assembled) {
  ARROW_ASSIGN_OR_RAISE(Structure::Layer layer, leaves_[assembled->leaf].structure()->Finish(
                                                    assembled->next_layer++, /*is_large=*/false));
  const int64_t scale = assembled->scale;
  if (scale == 1) return layer;
  if (layer.length % scale != 0) {
    return InField(Corrupt(layer.length, " items in fixed-size lists of ", scale));
  }
  Structure::Layer first;
  first.length = layer.length / scale;
  if (layer.null_count == 0) return first;
  ARROW_ASSIGN_OR_RAISE(first.validity, arrow::AllocateBuffer(BytesForBits(first.length), pool_));
  std::memset(first.validity->mutable_data(), 0xFF, first.validity->size());
  for (int64_t i = 0; i < first.length; ++i) {
    if (GetBit(layer.validity->data(), i * scale)) continue;
    ClearBit(first.validity->mutable_data(), i);
    ++first.null_count;
  }
  return first;
}

Result<Assembled> StructuralRead::AssembleFixedSizeList(const Node& node) {
  ARROW_ASSIGN_OR_RAISE(Assembled result, Assemble(node.children[0]));
  const int64_t size = static_cast<const arrow::FixedSizeListType&>(*node.type).list_size();
  result.scale *= size;
  ARROW_ASSIGN_OR_RAISE(const Structure::Layer layer, FinishItems(&result));
  if (layer.length * size != result.array->length) {
    return InField(Corrupt(layer.length, " fixed-size lists of ", size, " with ",
                           result.array->length, " items"));
  }
  result.array = ArrayData::Make(node.type, layer.length, {layer.validity},
                                 {std::move(result.array)}, layer.null_count);
  return result;
}

Result<Assembled> StructuralRead::Assemble(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kStruct:
      return AssembleStruct(node);
    case Node::Kind::kList:
      return AssembleList(node);
    case Node::Kind::kFixedSizeList:
      return AssembleFixedSizeList(node);
    default: {
      auto leaf = FinishLeaf(node);
      if (!leaf.ok()) return InLeaf(node.leaf, leaf.status());
      return leaf;
    }
  }
}

Result<std::shared_ptr<ArrayData>> StructuralRead::Finish() {
  ARROW_ASSIGN_OR_RAISE(Assembled assembled, Assemble(root_));
  if (leaves_.front().structure() == nullptr) return assembled.array;
  int64_t distinct = 0;
  for (const RowRange& run : rows_.Runs()) distinct += run.length();
  if (assembled.array->length != distinct) {
    return InField(Corrupt("levels make ", assembled.array->length, " rows, not ", distinct));
  }
  return rows_.InOrderAsked(std::move(assembled.array), pool_);
}

}  // namespace

Result<std::unique_ptr<FieldRead>> MakeStructuralRead(const Field& field,
                                                      std::span<const NumberedColumn> columns,
                                                      const RowsToRead& rows,
                                                      const ReadSource& source,
                                                      arrow::MemoryPool* pool) {
  auto read = std::make_unique<StructuralRead>(field, columns, rows, source, pool);
  ARROW_RETURN_NOT_OK(read->Init());
  return read;
}

}  // namespace tusk::lance
