#include "tusk/lance/file/structure.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/buffer_builder.h>

#include "tusk/lance/encodings/bits.h"

namespace tusk::lance {

LevelMeaning::LevelMeaning(std::span<const LevelLayer> layers)
    : layers_(layers.begin(), layers.end()), stops_(1) {
  bool is_visible = true;
  for (int i = 0; i < static_cast<int>(layers_.size()); ++i) {
    const LevelLayer layer = layers_[i];
    if (IsList(layer)) {
      if (is_visible) max_visible_ = max_definition();
      is_visible = false;
      // Lists are counted from the inside: an entry that begins `max_repetition_` of them begins
      // everything up to this layer, this one left out.
      first_layers_.push_back(i - 1);
      ++max_repetition_;
    }
    switch (layer) {
      case LevelLayer::kAllValidItem:
      case LevelLayer::kAllValidList:
        break;
      case LevelLayer::kNullableItem:
      case LevelLayer::kNullableList:
        stops_.push_back({.layer = i, .is_empty = false});
        break;
      case LevelLayer::kEmptyableList:
        stops_.push_back({.layer = i, .is_empty = true});
        break;
      case LevelLayer::kNullAndEmptyList:
        stops_.push_back({.layer = i, .is_empty = false});
        stops_.push_back({.layer = i, .is_empty = true});
        break;
    }
  }
  if (is_visible) max_visible_ = max_definition();
  first_layers_.push_back(static_cast<int>(layers_.size()) - 1);
}

int64_t Levels::CountVisible(const LevelMeaning& meaning) const {
  if (definition == nullptr || meaning.max_visible() == meaning.max_definition()) return count;
  int64_t visible = 0;
  for (int64_t i = 0; i < count; ++i) visible += definition[i] <= meaning.max_visible() ? 1 : 0;
  return visible;
}

int64_t Levels::CountRows(const LevelMeaning& meaning) const {
  if (meaning.max_repetition() == 0) return count;
  if (repetition == nullptr) return 0;
  int64_t rows = 0;
  for (int64_t i = 0; i < count; ++i) rows += repetition[i] == meaning.max_repetition() ? 1 : 0;
  return rows;
}

/// A layer under construction. The bitmap is made at the first null.
struct Structure::State {
  State(bool is_list_in, arrow::MemoryPool* pool)
      : is_list(is_list_in), validity(pool), offsets(pool) {}

  bool is_list;
  int64_t length = 0;
  int64_t null_count = 0;
  arrow::TypedBufferBuilder<bool> validity;
  arrow::TypedBufferBuilder<int64_t> offsets;  ///< lists: where each begins

  Status AppendValid(int64_t count) {
    length += count;
    return null_count > 0 ? validity.Append(count, true) : Status::OK();
  }
  Status AppendNull() {
    if (null_count == 0) ARROW_RETURN_NOT_OK(validity.Append(length, true));
    ++null_count;
    ++length;
    return validity.Append(false);
  }
  Status AppendNulls(int64_t count) {
    if (count == 0) return Status::OK();
    if (null_count == 0) ARROW_RETURN_NOT_OK(validity.Append(length, true));
    null_count += count;
    length += count;
    return validity.Append(count, false);
  }
};

namespace {

Status BrokenLevels(uint16_t repetition, uint16_t definition, const LevelMeaning& meaning) {
  return Corrupt("repetition level ", repetition, " with definition level ", definition,
                 " in a column of ", meaning.num_layers(), " layers whose highest are ",
                 meaning.max_repetition(), " and ", meaning.max_definition());
}

Status NoListToGoOnWith(uint16_t repetition) {
  return Corrupt("repetition level ", repetition,
                 " goes on with a list that is null or empty or was not begun");
}

}  // namespace

Structure::Structure(const std::vector<bool>& is_list, arrow::MemoryPool* pool)
    : pool_(pool),
      first_list_(static_cast<int>(std::ranges::find(is_list, true) - is_list.begin())),
      closed_(static_cast<int>(is_list.size()) - 1) {
  layers_.reserve(is_list.size());
  for (const bool list : is_list) layers_.emplace_back(list, pool);
}
Structure::Structure(Structure&&) noexcept = default;
Structure::~Structure() = default;

size_t Structure::num_layers() const { return layers_.size(); }
int64_t Structure::num_slots() const { return layers_.front().length; }
int64_t Structure::num_rows() const { return layers_.back().length; }

Status Structure::CheckMeaning(const LevelMeaning& meaning) const {
  bool is_same = meaning.num_layers() == num_layers();
  for (size_t i = 0; is_same && i < num_layers(); ++i) {
    is_same = meaning.IsListLayer(i) == layers_[i].is_list;
  }
  if (is_same) return Status::OK();
  return Corrupt("page of ", meaning.num_layers(), " layers with ", meaning.max_repetition(),
                 " lists, which the column's type does not have");
}

Status Structure::Append(const LevelMeaning& meaning, const Levels& levels) {
  ARROW_RETURN_NOT_OK(CheckMeaning(meaning));
  const bool has_lists = meaning.max_repetition() > 0;
  if (has_lists && levels.repetition == nullptr && levels.count > 0) {
    return Corrupt("levels of lists without repetition levels");
  }
  if (!has_lists && levels.definition == nullptr) {
    return AppendValid(levels.count);
  }
  for (int64_t i = 0; i < levels.count;) {
    // Entries that go on with a list and have a value are most of them.
    const int64_t begin = i;
    while (i < levels.count && (!has_lists || levels.repetition[i] == 0) &&
           (levels.definition == nullptr || levels.definition[i] == 0)) {
      ++i;
    }
    if (i > begin) {
      if (has_lists) {
        if (closed_ >= first_list_) return NoListToGoOnWith(0);
        closed_ = -1;
      }
      for (int layer = 0; layer < first_list_; ++layer) {
        ARROW_RETURN_NOT_OK(layers_[layer].AppendValid(i - begin));
      }
      if (i == levels.count) break;
    }
    const uint16_t repetition = has_lists ? levels.repetition[i] : 0;
    const uint16_t definition = levels.definition == nullptr ? 0 : levels.definition[i];
    ++i;
    if (repetition > meaning.max_repetition() || definition > meaning.max_definition()) {
      return BrokenLevels(repetition, definition, meaning);
    }
    const int first = meaning.first_layer(repetition);
    const LevelMeaning::Stop stop = meaning.stop(definition);
    // An entry that ends further out than where it begins would say again what an earlier said.
    if (stop.layer > first) return BrokenLevels(repetition, definition, meaning);
    if (closed_ > first) return NoListToGoOnWith(repetition);
    closed_ = stop.layer;
    for (int layer = first; layer >= 0; --layer) {
      State& state = layers_[layer];
      if (state.is_list) {
        ARROW_RETURN_NOT_OK(state.offsets.Append(layers_[layer - 1].length));
      }
      const bool is_valid = layer > stop.layer || (layer == stop.layer && stop.is_empty);
      ARROW_RETURN_NOT_OK(is_valid ? state.AppendValid(1) : state.AppendNull());
      if (state.is_list && layer <= stop.layer) break;
    }
  }
  return Status::OK();
}

Status Structure::AppendSame(const LevelMeaning& meaning, uint16_t definition, int64_t count) {
  ARROW_RETURN_NOT_OK(CheckMeaning(meaning));
  if (meaning.max_repetition() > 0 || definition > meaning.max_definition()) {
    return BrokenLevels(0, definition, meaning);
  }
  const int null_up_to = meaning.stop(definition).layer;
  for (int layer = 0; layer < static_cast<int>(num_layers()); ++layer) {
    ARROW_RETURN_NOT_OK(layer <= null_up_to ? layers_[layer].AppendNulls(count)
                                            : layers_[layer].AppendValid(count));
  }
  return Status::OK();
}

Status Structure::AppendValid(int64_t count) {
  if (first_list_ < std::ssize(layers_)) return Corrupt("page without the lists of its column");
  for (State& layer : layers_) ARROW_RETURN_NOT_OK(layer.AppendValid(count));
  return Status::OK();
}

Result<Structure::Layer> Structure::Finish(size_t i, bool is_large) {
  State& state = layers_[i];
  Layer layer;
  layer.length = state.length;
  layer.null_count = state.null_count;
  if (state.null_count > 0) {
    ARROW_ASSIGN_OR_RAISE(layer.validity, state.validity.Finish());
  }
  if (!state.is_list) return layer;
  const int64_t end = layers_[i - 1].length;
  ARROW_RETURN_NOT_OK(state.offsets.Append(end));
  ARROW_ASSIGN_OR_RAISE(auto wide, state.offsets.Finish());
  if (is_large) {
    layer.offsets = std::move(wide);
    return layer;
  }
  if (end > std::numeric_limits<int32_t>::max()) {
    return InvalidArgument("lists with ", end,
                           " items exceed what 32-bit offsets can hold: read fewer rows");
  }
  ARROW_ASSIGN_OR_RAISE(
      layer.offsets, arrow::AllocateBuffer((state.length + 1) * int64_t{sizeof(int32_t)}, pool_));
  const auto* from = reinterpret_cast<const int64_t*>(wide->data());
  auto* to = reinterpret_cast<int32_t*>(layer.offsets->mutable_data());
  for (int64_t k = 0; k <= state.length; ++k) to[k] = static_cast<int32_t>(from[k]);
  return layer;
}

}  // namespace tusk::lance
