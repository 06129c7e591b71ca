#include "tusk/iceberg/file_pruning.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include "tusk/iceberg/schema.h"
#include "tusk/iceberg/single_value.h"
#include "tusk/iceberg/transform.h"

namespace tusk::iceberg {
namespace {

using expr::Predicate;
using Kind = Predicate::Kind;
using TypePtr = std::shared_ptr<arrow::DataType>;

/// What is known of the values of one column in a part of a table.
struct Facts {
  std::optional<std::string> least;  ///< no value is below; NaN is no value here
  std::optional<std::string> greatest;
  bool may_have_value = true;  ///< neither null nor NaN
  bool may_have_null = true;
  bool may_have_nan = true;
};

/// A partition field over the column of a leaf.
struct PartitionUse {
  size_t position = 0;  ///< in the spec
  PartitionField field;
  std::vector<std::string> buckets = {};  ///< of the leaf's values, if the field is of buckets
};

/// A node of the predicate, bound to the table.
struct Node {
  Kind kind = Kind::kAnything;
  std::vector<Node> children = {};
  int32_t column = 0;  ///< field id
  TypePtr type = {};
  bool has_bounds = true;                ///< bounds of such a column can be trusted
  std::vector<std::string> values = {};  ///< of `type`, in single-value serialization
  std::map<int32_t, std::vector<PartitionUse>> uses = {};  ///< by spec id
};

bool IsFloat(const arrow::DataType& type) { return arrow::is_floating(type.id()); }

/// True if all values of the column are the one value `value`.
bool IsOnly(const Node& node, const Facts& facts, const std::string& value) {
  if (!facts.least || !facts.greatest) return false;
  return CompareSingleValues(*node.type, *facts.least, value) == 0 &&
         CompareSingleValues(*node.type, *facts.greatest, value) == 0;
}

bool CanBe(const Node& node, const Facts& facts, const std::string& value) {
  if (facts.least && CompareSingleValues(*node.type, value, *facts.least).value_or(0) < 0) {
    return false;
  }
  return !facts.greatest ||
         CompareSingleValues(*node.type, value, *facts.greatest).value_or(0) <= 0;
}

/// The order of a known bound and the leaf's value, or `unknown`.
int Order(const Node& node, const std::optional<std::string>& bound, int unknown) {
  if (!bound) return unknown;
  return CompareSingleValues(*node.type, *bound, node.values.front()).value_or(unknown);
}

bool HoldsValueOf(const Node& node, const Facts& facts) {
  switch (node.kind) {
    case Kind::kLess:
      return Order(node, facts.least, -1) < 0;
    case Kind::kLessEqual:
      return Order(node, facts.least, -1) <= 0;
    case Kind::kGreater:
      return Order(node, facts.greatest, 1) > 0;
    case Kind::kGreaterEqual:
      return Order(node, facts.greatest, 1) >= 0;
    case Kind::kEqual:
    case Kind::kIn:
      return std::ranges::any_of(node.values,
                                 [&](const auto& value) { return CanBe(node, facts, value); });
    case Kind::kNotEqual:
      return !IsOnly(node, facts, node.values.front());
    case Kind::kNotIn:
      return std::ranges::none_of(node.values, [&](const auto& value) {
        // A set tells zeros of floats apart by their sign, which bounds do not.
        const bool is_zero =
            IsFloat(*node.type) &&
            CompareSingleValues(*node.type, value, std::string(value.size(), '\0')) == 0;
        return !is_zero && IsOnly(node, facts, value);
      });
    default:
      return true;
  }
}

/// False only if no row of which the facts hold makes the leaf true.
bool LeafMayMatch(const Node& node, const Facts& facts) {
  switch (node.kind) {
    case Kind::kIsNull:
      return facts.may_have_null;
    case Kind::kIsNan:
      return facts.may_have_nan;
    case Kind::kIsNotNull:
      return facts.may_have_value || facts.may_have_nan;
    default:
      return facts.may_have_value && HoldsValueOf(node, facts);
  }
}

Facts FactsOf(const Node& node, const DataFile& file) {
  Facts facts;
  const int32_t id = node.column;
  const int64_t* values = file.value_counts.Find(id);
  const int64_t* nulls = file.null_value_counts.Find(id);
  const int64_t* nans = file.nan_value_counts.Find(id);
  if (nulls != nullptr) facts.may_have_null = *nulls > 0;
  facts.may_have_nan = IsFloat(*node.type) && (nans == nullptr || *nans > 0);
  if (values != nullptr && nulls != nullptr) {
    const int64_t known_nans = nans == nullptr ? 0 : *nans;
    facts.may_have_value = *values - *nulls - known_nans > 0;
    if (*values <= *nulls) facts.may_have_nan = false;
  }
  if (!node.has_bounds) return facts;
  if (const auto* bound = file.lower_bounds.Find(id)) facts.least = *bound;
  if (const auto* bound = file.upper_bounds.Find(id)) facts.greatest = *bound;
  return facts;
}

/// What one partition value, or the range of them, tells of the column.
Facts FactsOfPartitions(const Node& node, const PartitionUse& use,
                        const std::optional<std::string>& least,
                        const std::optional<std::string>& greatest) {
  Facts facts;
  facts.may_have_nan = IsFloat(*node.type);
  SourceRange range = SourceRangeOf(use.field.transform, node.type, least, greatest);
  facts.least = std::move(range.least);
  facts.greatest = std::move(range.greatest);
  return facts;
}

bool TellsNulls(const Transform& transform) {
  return transform.kind != Transform::Kind::kVoid && transform.kind != Transform::Kind::kUnknown;
}

bool BucketsMayMatch(const Node& node, const PartitionUse& use,
                     const std::optional<std::string>& least,
                     const std::optional<std::string>& greatest) {
  if (use.field.transform.kind != Transform::Kind::kBucket) return true;
  if (node.kind != Kind::kEqual && node.kind != Kind::kIn) return true;
  return std::ranges::any_of(use.buckets, [&](const std::string& bucket) {
    const auto& type = *arrow::int32();
    const int from = least ? CompareSingleValues(type, bucket, *least).value_or(0) : 0;
    const int to = greatest ? CompareSingleValues(type, bucket, *greatest).value_or(0) : 0;
    return from >= 0 && to <= 0;
  });
}

bool PartitionMayMatch(const Node& node, const PartitionUse& use, const DataFile& file) {
  const auto* found = file.partition.Find(use.field.field_id);
  if (found == nullptr || !TellsNulls(use.field.transform)) return true;
  const std::optional<std::string>& value = *found;
  Facts facts = FactsOfPartitions(node, use, value, value);
  // Of every transform, null comes from null and from nothing else.
  facts.may_have_null = !value;
  facts.may_have_value = value.has_value();
  facts.may_have_nan = facts.may_have_nan && value;
  if (use.field.transform.kind == Transform::Kind::kIdentity && value && IsFloat(*node.type)) {
    facts.may_have_nan = IsNan(*node.type, *value);
    facts.may_have_value = !facts.may_have_nan;
  }
  return LeafMayMatch(node, facts) && BucketsMayMatch(node, use, value, value);
}

bool SummaryMayMatch(const Node& node, const PartitionUse& use, const PartitionSummary& summary) {
  if (!TellsNulls(use.field.transform)) return true;
  Facts facts = FactsOfPartitions(node, use, summary.lower_bound, summary.upper_bound);
  facts.may_have_null = summary.contains_null;
  if (!node.has_bounds) facts.least.reset(), facts.greatest.reset();
  const bool is_identity = use.field.transform.kind == Transform::Kind::kIdentity;
  if (is_identity) facts.may_have_nan = facts.may_have_nan && summary.contains_nan.value_or(true);
  // Without bounds all are null or NaN, if there is one of those at all.
  const bool has_others = summary.contains_null || (facts.may_have_nan && summary.contains_nan);
  if (!summary.lower_bound && has_others) {
    facts.may_have_value = false;
    if (!is_identity) facts.may_have_nan = false;
  }
  return LeafMayMatch(node, facts) &&
         BucketsMayMatch(node, use, summary.lower_bound, summary.upper_bound);
}

/// Walks the tree; `leaf` says of a leaf if it may be true.
template <typename Leaf>
bool Walk(const Node& node, const Leaf& leaf) {
  const auto child = [&](const Node& n) { return Walk(n, leaf); };
  switch (node.kind) {
    case Kind::kAnything:
      return true;
    case Kind::kNever:
      return false;
    case Kind::kAnd:
      return std::ranges::all_of(node.children, child);
    case Kind::kOr:
      return std::ranges::any_of(node.children, child);
    default:
      return leaf(node);
  }
}

std::shared_ptr<arrow::Field> FindPath(const arrow::Schema& schema,
                                       const std::vector<std::string>& path) {
  std::shared_ptr<arrow::Field> field;
  for (const std::string& name : path) {
    if (field == nullptr) {
      field = schema.GetFieldByName(name);
    } else {
      if (field->type()->id() != arrow::Type::STRUCT) return nullptr;
      field = static_cast<const arrow::StructType&>(*field->type()).GetFieldByName(name);
    }
    if (field == nullptr) return nullptr;
  }
  return field;
}

/// `value` as one of `type` in single-value serialization; nothing if the type cannot hold it
/// unchanged.
std::optional<std::string> ValueOfType(const std::shared_ptr<arrow::Scalar>& value,
                                       const TypePtr& type) {
  if (value->type->Equals(*type)) return SingleValue(*value);
  const auto narrow = arrow::compute::Cast(arrow::Datum(value), type);
  if (!narrow.ok()) return std::nullopt;
  const auto back = arrow::compute::Cast(*narrow, value->type);
  if (!back.ok() || !back->scalar()->Equals(*value)) return std::nullopt;
  return SingleValue(*narrow->scalar());
}

/// The partition fields over the column of `node`.
Result<std::map<int32_t, std::vector<PartitionUse>>> FindUses(
    const Node& node, const std::map<int32_t, PartitionSpec>& specs) {
  std::map<int32_t, std::vector<PartitionUse>> uses;
  for (const auto& [spec_id, spec] : specs) {
    for (size_t position = 0; position < spec.fields.size(); ++position) {
      const PartitionField& field = spec.fields[position];
      if (field.source_id != node.column) continue;
      // A transform that does not suit the type is someone else's mistake: it tells nothing.
      if (!ResultType(field.transform, node.type).ok()) continue;
      PartitionUse use{.position = position, .field = field};
      for (const std::string& value : node.values) {
        if (field.transform.kind != Transform::Kind::kBucket) break;
        const auto scalar = ParseSingleValue(value, node.type);
        ARROW_ASSIGN_OR_RAISE(const auto array, arrow::MakeArrayFromScalar(*scalar, 1));
        use.buckets.push_back(*ApplyTransform(field.transform, *array, 0));
      }
      uses[spec_id].push_back(std::move(use));
    }
  }
  return uses;
}

class Binder {
 public:
  Binder(const arrow::Schema& schema, const std::map<int32_t, PartitionSpec>& specs,
         std::set<int32_t>* columns)
      : schema_(schema), specs_(specs), columns_(columns) {}

  Result<Node> Bind(const Predicate& predicate) {
    if (predicate.path.empty()) {
      Node node{.kind = predicate.kind};
      for (const Predicate& child : predicate.children) {
        ARROW_ASSIGN_OR_RAISE(Node bound, Bind(child));
        node.children.push_back(std::move(bound));
      }
      return node;
    }
    const auto field = FindPath(schema_, predicate.path);
    if (field == nullptr || field->type()->num_fields() > 0) return Node{};
    Node node{.kind = predicate.kind, .column = FieldId(*field).value_or(0), .type = field->type()};
    // Other writers compare the halves of a uuid as signed numbers.
    node.has_bounds = !IsUuid(*field);
    for (const auto& scalar : predicate.values) {
      auto value = ValueOfType(scalar, node.type);
      if (!value) return Node{};
      node.values.push_back(*std::move(value));
    }
    ARROW_ASSIGN_OR_RAISE(node.uses, FindUses(node, specs_));
    columns_->insert(node.column);
    return node;
  }

 private:
  const arrow::Schema& schema_;
  const std::map<int32_t, PartitionSpec>& specs_;
  std::set<int32_t>* columns_;
};

const std::vector<PartitionUse>& UsesOf(const Node& node, int32_t spec_id) {
  static const auto* none = new std::vector<PartitionUse>();
  const auto uses = node.uses.find(spec_id);
  return uses == node.uses.end() ? *none : uses->second;
}

}  // namespace

struct FilePruner::State {
  Node root;
  std::set<int32_t> columns;
};

FilePruner::FilePruner() : state_(std::make_unique<State>()) {}
FilePruner::FilePruner(FilePruner&&) noexcept = default;
FilePruner& FilePruner::operator=(FilePruner&&) noexcept = default;
FilePruner::~FilePruner() = default;

Result<FilePruner> FilePruner::Make(const expr::Predicate& predicate, const arrow::Schema& schema,
                                    const std::map<int32_t, PartitionSpec>& specs) {
  FilePruner pruner;
  Binder binder(schema, specs, &pruner.state_->columns);
  ARROW_ASSIGN_OR_RAISE(pruner.state_->root, binder.Bind(predicate));
  return pruner;
}

std::vector<int32_t> FilePruner::columns() const {
  return {state_->columns.begin(), state_->columns.end()};
}

bool FilePruner::MayMatch(const ManifestFile& manifest) const {
  if (!manifest.partitions.has_value()) return true;
  return Walk(state_->root, [&](const Node& node) {
    const auto& uses = UsesOf(node, manifest.partition_spec_id);
    return std::ranges::all_of(uses, [&](const PartitionUse& use) {
      return use.position >= manifest.partitions->size() ||
             SummaryMayMatch(node, use, (*manifest.partitions)[use.position]);
    });
  });
}

bool FilePruner::MayMatch(const DataFile& file, int32_t spec_id) const {
  return Walk(state_->root, [&](const Node& node) {
    const auto& uses = UsesOf(node, spec_id);
    return std::ranges::all_of(
               uses, [&](const auto& use) { return PartitionMayMatch(node, use, file); }) &&
           LeafMayMatch(node, FactsOf(node, file));
  });
}

}  // namespace tusk::iceberg
