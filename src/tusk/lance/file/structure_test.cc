// Levels are made by a plain walk over arrays, as the format describes them, and taken apart again.

#include "tusk/lance/file/structure.h"

#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/encodings/bits.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using arrow::Type;

/// The layers of a type whose structs have one field, outer-most first.
std::vector<bool> ListLayersOf(const arrow::DataType& type) {
  std::vector<bool> is_list;
  const arrow::DataType* at = &type;
  for (;;) {
    is_list.push_back(at->id() == Type::LIST);
    if (at->num_fields() == 0) return is_list;
    at = at->field(0)->type().get();
  }
}

/// Walks over an array and writes down its levels.
class LevelWriter {
 public:
  /// `layers` inner-most first. Levels are numbered as they come.
  explicit LevelWriter(const std::vector<LevelLayer>& layers) {
    uint16_t next = 1;
    uint16_t lists = 0;
    for (const LevelLayer layer : layers) {
      Numbers numbers;
      if (layer == LevelLayer::kNullableItem || layer == LevelLayer::kNullableList ||
          layer == LevelLayer::kNullAndEmptyList) {
        numbers.null = next++;
      }
      if (layer == LevelLayer::kEmptyableList || layer == LevelLayer::kNullAndEmptyList) {
        numbers.empty = next++;
      }
      if (IsList(layer)) numbers.list = ++lists;
      by_depth_.insert(by_depth_.begin(), numbers);
    }
    max_repetition_ = lists;
  }

  void Write(const arrow::Array& array) {
    for (int64_t i = 0; i < array.length(); ++i) Visit(array, i, 0, max_repetition_);
  }

  std::vector<uint16_t> repetition;
  std::vector<uint16_t> definition;

 private:
  struct Numbers {
    uint16_t null = 0;
    uint16_t empty = 0;
    uint16_t list = 0;  ///< from the inside, 1 is the inner-most
  };

  void Add(uint16_t rep, uint16_t def) {
    repetition.push_back(rep);
    definition.push_back(def);
  }
  void Visit(const arrow::Array& array, int64_t i, size_t depth, uint16_t rep) {
    const Numbers& numbers = by_depth_[depth];
    if (array.IsNull(i)) return Add(rep, numbers.null);
    if (array.type_id() == Type::STRUCT) {
      return Visit(*static_cast<const arrow::StructArray&>(array).field(0), i, depth + 1, rep);
    }
    if (array.type_id() != Type::LIST) return Add(rep, 0);
    const auto& list = static_cast<const arrow::ListArray&>(array);
    if (list.value_length(i) == 0) return Add(rep, numbers.empty);
    for (int32_t k = 0; k < list.value_length(i); ++k) {
      Visit(*list.values(), list.value_offset(i) + k, depth + 1,
            k == 0 ? rep : static_cast<uint16_t>(numbers.list - 1));
    }
  }

  std::vector<Numbers> by_depth_;  ///< outer-most first
  uint16_t max_repetition_ = 0;
};

std::vector<LevelLayer> AllKinds(const std::vector<bool>& outer_first) {
  std::vector<LevelLayer> layers;
  for (auto it = outer_first.rbegin(); it != outer_first.rend(); ++it) {
    layers.push_back(*it ? LevelLayer::kNullAndEmptyList : LevelLayer::kNullableItem);
  }
  return layers;
}

/// Checks each layer of `structure` against the arrays along the path.
void ExpectLayers(Structure* structure, const arrow::Array& array) {
  std::vector<std::shared_ptr<arrow::Array>> path = {arrow::MakeArray(array.data())};
  while (path.back()->type()->num_fields() > 0) {
    const arrow::Array& outer = *path.back();
    path.push_back(outer.type_id() == Type::STRUCT
                       ? static_cast<const arrow::StructArray&>(outer).field(0)
                       : static_cast<const arrow::ListArray&>(outer).values());
  }
  ASSERT_EQ(structure->num_layers(), path.size());
  // What is below a null struct is null too, whatever its array says.
  std::vector<bool> is_parent_valid;
  for (size_t depth = 0; depth < path.size(); ++depth) {
    const arrow::Array& expected = *path[depth];
    const size_t i = path.size() - 1 - depth;
    ASSERT_OK_AND_ASSIGN(const Structure::Layer layer, structure->Finish(i, false));
    ASSERT_EQ(layer.length, expected.length()) << "layer " << i;
    const bool is_in_struct = depth > 0 && path[depth - 1]->type_id() == Type::STRUCT;
    std::vector<bool> is_valid(layer.length);
    for (int64_t k = 0; k < layer.length; ++k) {
      is_valid[k] = expected.IsValid(k) && (!is_in_struct || is_parent_valid[k]);
      EXPECT_EQ(layer.validity == nullptr || GetBit(layer.validity->data(), k), is_valid[k])
          << "layer " << i << " at " << k;
      if (expected.type_id() != Type::LIST) continue;
      const auto* offsets = reinterpret_cast<const int32_t*>(layer.offsets->data());
      EXPECT_EQ(offsets[k + 1] - offsets[k],
                static_cast<const arrow::ListArray&>(expected).value_length(k));
    }
    is_parent_valid = std::move(is_valid);
  }
}

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       std::string_view json) {
  return *arrow::json::ArrayFromJSONString(type, json);
}

std::shared_ptr<arrow::DataType> Nested(std::string_view shape) {
  std::shared_ptr<arrow::DataType> type = arrow::int32();
  for (auto it = shape.rbegin(); it != shape.rend(); ++it) {
    type = *it == 'l' ? arrow::list(type) : arrow::struct_({arrow::field("f", type)});
  }
  return type;
}

std::string RandomJson(const arrow::DataType& type, std::mt19937* random) {
  if ((*random)() % 4 == 0) return "null";
  if (type.num_fields() == 0) return std::to_string((*random)() % 100);
  const arrow::DataType& child = *type.field(0)->type();
  if (type.id() == Type::STRUCT) return R"({"f": )" + RandomJson(child, random) + "}";
  std::string items;
  for (uint32_t left = (*random)() % 4; left > 0; --left) {
    items += (items.empty() ? "" : ", ") + RandomJson(child, random);
  }
  return "[" + items + "]";
}

Result<Structure> Unravel(const std::vector<LevelLayer>& layers, const LevelWriter& levels,
                          int64_t piece) {
  const LevelMeaning meaning(layers);
  std::vector<bool> is_list;
  for (const LevelLayer layer : layers) is_list.push_back(IsList(layer));
  Structure structure(is_list, arrow::default_memory_pool());
  const Levels all{.repetition = levels.repetition.data(),
                   .definition = levels.definition.data(),
                   .count = static_cast<int64_t>(levels.repetition.size())};
  for (int64_t at = 0; at < all.count; at += piece) {
    ARROW_RETURN_NOT_OK(structure.Append(meaning, all.Slice(at, std::min(piece, all.count - at))));
  }
  return structure;
}

TEST(LanceStructureTest, TakesApartTheLevelsOfEveryNesting) {
  std::mt19937 random(1126);
  for (const char* shape : {"", "s", "ss", "l", "ls", "sl", "ll", "sls", "lsl", "lls", "lll",
                            "slsl", "lssl", "lslsl", "sllls"}) {
    SCOPED_TRACE(shape);
    const auto type = Nested(shape);
    const std::vector<LevelLayer> layers = AllKinds(ListLayersOf(*type));
    for (int round = 0; round < 30; ++round) {
      std::string json;
      for (int row = 0; row < 40; ++row) json += (row > 0 ? "," : "") + RandomJson(*type, &random);
      const auto array = FromJson(type, "[" + json + "]");
      LevelWriter levels(layers);
      levels.Write(*array);
      for (const int64_t piece : {1, 7, 100'000}) {
        ASSERT_OK_AND_ASSIGN(Structure structure, Unravel(layers, levels, piece));
        EXPECT_EQ(structure.num_rows(), 40);
        ExpectLayers(&structure, *array);
      }
    }
  }
}

TEST(LanceStructureTest, ReadsTheLevelsThatTheFormatGivesAsAnExample) {
  // 1 a null item, 2 an empty and 3 a null inner list, 4 an empty outer list: see the format.
  const std::vector<LevelLayer> layers = {LevelLayer::kNullableItem, LevelLayer::kNullAndEmptyList,
                                          LevelLayer::kEmptyableList};
  const LevelMeaning meaning(layers);
  EXPECT_EQ(meaning.max_repetition(), 2);
  EXPECT_EQ(meaning.max_definition(), 4);
  EXPECT_EQ(meaning.max_visible(), 1);
  // [[7, null], [], null], [], [[8]]
  const std::vector<uint16_t> repetition = {2, 0, 1, 1, 2, 2};
  const std::vector<uint16_t> definition = {0, 1, 3, 2, 4, 0};
  const Levels levels{.repetition = repetition.data(), .definition = definition.data(), .count = 6};
  EXPECT_EQ(levels.CountRows(meaning), 3);
  EXPECT_EQ(levels.CountVisible(meaning), 3);
  Structure structure({false, true, true}, arrow::default_memory_pool());
  ASSERT_OK(structure.Append(meaning, levels));
  EXPECT_EQ(structure.num_slots(), 3);
  ASSERT_OK_AND_ASSIGN(const auto inner, structure.Finish(1, false));
  const auto* inner_offsets = reinterpret_cast<const int32_t*>(inner.offsets->data());
  EXPECT_EQ(std::vector<int32_t>(inner_offsets, inner_offsets + 5),
            (std::vector<int32_t>{0, 2, 2, 2, 3}));
  EXPECT_EQ(inner.null_count, 1);
  EXPECT_FALSE(GetBit(inner.validity->data(), 2));
  ASSERT_OK_AND_ASSIGN(const auto outer, structure.Finish(2, true));
  const auto* outer_offsets = reinterpret_cast<const int64_t*>(outer.offsets->data());
  EXPECT_EQ(std::vector<int64_t>(outer_offsets, outer_offsets + 4),
            (std::vector<int64_t>{0, 3, 3, 4}));
  EXPECT_EQ(outer.validity, nullptr);
}

TEST(LanceStructureTest, PutsTogetherPagesThatDescribeTheirLevelsInDifferentWays) {
  using Layer = LevelLayer;
  Structure structure({false, true}, arrow::default_memory_pool());
  const auto append = [&](std::vector<Layer> layers, std::vector<uint16_t> repetition,
                          std::vector<uint16_t> definition) {
    return structure.Append(LevelMeaning(layers),
                            {.repetition = repetition.data(),
                             .definition = definition.empty() ? nullptr : definition.data(),
                             .count = static_cast<int64_t>(repetition.size())});
  };
  // [1, 2] | null, [3] | [], [null]
  ASSERT_OK(append({Layer::kAllValidItem, Layer::kAllValidList}, {1, 0}, {}));
  ASSERT_OK(append({Layer::kAllValidItem, Layer::kNullableList}, {1, 1}, {1, 0}));
  ASSERT_OK(append({Layer::kNullableItem, Layer::kEmptyableList}, {1, 1}, {2, 1}));
  ASSERT_OK_AND_ASSIGN(const auto lists, structure.Finish(1, false));
  const auto* offsets = reinterpret_cast<const int32_t*>(lists.offsets->data());
  EXPECT_EQ(std::vector<int32_t>(offsets, offsets + 6), (std::vector<int32_t>{0, 2, 2, 3, 3, 4}));
  EXPECT_EQ(lists.null_count, 1);
  EXPECT_EQ(lists.validity->data()[0] & 0x1F, 0b11101);
  ASSERT_OK_AND_ASSIGN(const auto items, structure.Finish(0, false));
  EXPECT_EQ(items.length, 4);
  EXPECT_EQ(items.validity->data()[0] & 0xF, 0b0111);
}

TEST(LanceStructureTest, TakesARunOfOneLevelAsThatManyLevels) {
  using Layer = LevelLayer;
  const std::vector<Layer> layers = {Layer::kNullableItem, Layer::kAllValidItem,
                                     Layer::kNullableItem};
  const LevelMeaning meaning(layers);
  const std::vector<bool> is_list = {false, false, false};
  Structure whole(is_list, arrow::default_memory_pool());
  Structure single(is_list, arrow::default_memory_pool());
  for (const uint16_t level : {0, 2, 1, 0, 1}) {
    const std::vector<uint16_t> levels(level + 5, level);
    const int64_t count = std::ssize(levels);
    ASSERT_OK(whole.AppendSame(meaning, level, count));
    ASSERT_OK(single.Append(meaning, {.definition = levels.data(), .count = count}));
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const auto got, whole.Finish(i, false));
    ASSERT_OK_AND_ASSIGN(const auto expected, single.Finish(i, false));
    EXPECT_EQ(got.length, expected.length);
    EXPECT_EQ(got.null_count, expected.null_count);
    EXPECT_TRUE(got.validity->Equals(*expected.validity));
  }
  EXPECT_THAT(whole.AppendSame(meaning, 3, 1), FailsWith(ErrorCode::kCorrupt));
  const std::vector<Layer> lists = {Layer::kNullableItem, Layer::kNullableList};
  Structure with_lists({false, true}, arrow::default_memory_pool());
  EXPECT_THAT(with_lists.AppendSame(LevelMeaning(lists), 0, 1), FailsWith(ErrorCode::kCorrupt));
}

TEST(LanceStructureTest, RefusesLevelsThatMakeNoSense) {
  using Layer = LevelLayer;
  const std::vector<Layer> layers = {Layer::kNullableItem, Layer::kNullableList,
                                     Layer::kNullableItem};
  const auto refuse = [&](std::vector<uint16_t> repetition, std::vector<uint16_t> definition) {
    Structure structure({false, true, false}, arrow::default_memory_pool());
    EXPECT_THAT(
        structure.Append(LevelMeaning(layers), {.repetition = repetition.data(),
                                                .definition = definition.data(),
                                                .count = static_cast<int64_t>(repetition.size())}),
        FailsWith(ErrorCode::kCorrupt))
        << testing::PrintToString(repetition) << testing::PrintToString(definition);
  };
  refuse({0}, {0});  // goes on with a list that nobody began
  refuse({0}, {1});
  refuse({2}, {0});        // there is one list
  refuse({1}, {4});        // and three ways to be null
  refuse({1, 0}, {0, 2});  // an item that is a null list
  refuse({1, 0}, {0, 3});
  refuse({1, 0xFFFF}, {0, 0});
  refuse({1, 1, 0}, {0, 2, 0});  // goes on with a null list
  refuse({1, 1, 0}, {0, 3, 1});  // or with one in a null struct
  Structure structure({false, true}, arrow::default_memory_pool());
  EXPECT_THAT(structure.Append(LevelMeaning(layers), {}), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace tusk::lance
