#include "tusk/lance/nearest.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <stop_token>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/lance/table/dataset_state.h"
#include "tusk/lance/table/feature_flags.h"
#include "tusk/lance/table/manifest_file.h"
#include "tusk/testing/matchers.h"

namespace tusk::lance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kDim = 5;
using Vector = std::vector<float>;

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("vector", arrow::fixed_size_list(arrow::float32(), kDim)),
                        arrow::field("name", arrow::utf8())});
}

/// Rows (id, vector or null, "n<id>").
std::shared_ptr<arrow::RecordBatch> Rows(int64_t first_id,
                                         const std::vector<std::optional<Vector>>& vectors) {
  arrow::Int64Builder ids;
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder lists(arrow::default_memory_pool(), values, kDim);
  arrow::StringBuilder names;
  for (size_t i = 0; i < vectors.size(); ++i) {
    const int64_t id = first_id + static_cast<int64_t>(i);
    EXPECT_OK(ids.Append(id));
    EXPECT_OK(names.Append("n" + std::to_string(id)));
    EXPECT_OK(vectors[i] ? lists.Append() : lists.AppendNull());
    EXPECT_OK(values->AppendValues(vectors[i].value_or(Vector())));
  }
  return arrow::RecordBatch::Make(TestSchema(), std::ssize(vectors),
                                  {*ids.Finish(), *lists.Finish(), *names.Finish()});
}

class FindNearestTest : public ::testing::Test {
 protected:
  /// Appends a fragment.
  void Write(int64_t first_id, const std::vector<std::optional<Vector>>& vectors) {
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         arrow::RecordBatchReader::Make({Rows(first_id, vectors)}, TestSchema()));
    WriteOptions options;
    options.mode = dataset_ == nullptr ? WriteMode::kCreate : WriteMode::kAppend;
    ASSERT_OK_AND_ASSIGN(dataset_, WriteDataset(reader.get(), location_, options, context_));
    all_.insert(all_.end(), vectors.begin(), vectors.end());
  }

  void WriteRandom(int64_t count, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::optional<Vector>> vectors(count);
    for (auto& vector : vectors) {
      if (random() % 8 == 0) continue;
      vector = Vector(kDim);
      // Few values, so that there are ties.
      for (float& value : *vector) value = static_cast<float>(random() % 4) - 1;
    }
    Write(std::ssize(all_), vectors);
  }

  /// The ids of the k nearest by the definition of squared l2, ties by id.
  std::vector<int64_t> SlowNearest(const Vector& query, int64_t k) const {
    std::vector<std::pair<double, int64_t>> found;
    for (size_t id = 0; id < all_.size(); ++id) {
      if (!all_[id]) continue;
      double distance = 0;
      for (int i = 0; i < kDim; ++i) {
        distance += (query[i] - (*all_[id])[i]) * (query[i] - (*all_[id])[i]);
      }
      found.emplace_back(distance, id);
    }
    std::ranges::sort(found);
    found.resize(std::min<size_t>(found.size(), k));
    std::vector<int64_t> ids;
    for (const auto& [distance, id] : found) ids.push_back(id);
    return ids;
  }

  NearestOptions Options(Vector query, int64_t k) const {
    NearestOptions options;
    options.column = "vector";
    options.query = std::move(query);
    options.k = k;
    return options;
  }

  io::StorePath location_{.store = io::MakeMemoryStore(), .path = "/table.lance"};
  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::optional<Vector>> all_;
  OperationContext context_;
};

std::vector<int64_t> Ids(const arrow::Table& table) {
  std::vector<int64_t> ids;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const auto scalar = table.GetColumnByName("id")->GetScalar(row).ValueOrDie();
    ids.push_back(static_cast<const arrow::Int64Scalar&>(*scalar).value);
  }
  return ids;
}

std::vector<float> Distances(const arrow::Table& table) {
  std::vector<float> distances;
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    const auto scalar = table.GetColumnByName("_distance")->GetScalar(row).ValueOrDie();
    distances.push_back(static_cast<const arrow::FloatScalar&>(*scalar).value);
  }
  return distances;
}

TEST_F(FindNearestTest, FindsWhatComparingEveryRowFinds) {
  WriteRandom(1, 1);
  WriteRandom(700, 2);
  WriteRandom(20'000, 3);
  for (const int64_t k : {1, 10, 1000, 30'000}) {
    const Vector query = {0.5F, 1, 0, -1, 2};
    ASSERT_OK_AND_ASSIGN(const auto table, FindNearest(*dataset_, Options(query, k), context_));
    ASSERT_OK(table->ValidateFull());
    EXPECT_EQ(Ids(*table), SlowNearest(query, k)) << k;
    EXPECT_TRUE(std::ranges::is_sorted(Distances(*table)));
  }
}

TEST_F(FindNearestTest, GivesTheSameOnAnyNumberOfThreads) {
  WriteRandom(30'000, 7);
  const auto one = MakeExecutor(1);
  const auto four = MakeExecutor(4);
  const NearestOptions options = Options({0, 0, 0, 0, 0}, 500);
  context_.executor = one.get();
  ASSERT_OK_AND_ASSIGN(const auto on_one, FindNearest(*dataset_, options, context_));
  context_.executor = four.get();
  ASSERT_OK_AND_ASSIGN(const auto on_four, FindNearest(*dataset_, options, context_));
  EXPECT_TRUE(on_one->Equals(*on_four));
}

// The names, their order and the place of _distance as pylance 14.0.2 gives them.
TEST_F(FindNearestTest, GivesTheColumnsThatAreAsked) {
  WriteRandom(50, 1);
  NearestOptions options = Options({0, 0, 0, 0, 0}, 3);
  const auto names = [&](std::optional<std::vector<std::string>> columns) {
    options.columns = std::move(columns);
    return FindNearest(*dataset_, options, context_).ValueOrDie()->ColumnNames();
  };
  EXPECT_THAT(names(std::nullopt), ElementsAre("id", "vector", "name", "_distance"));
  EXPECT_THAT(names({{"name", "id"}}), ElementsAre("name", "id", "_distance"));
  EXPECT_THAT(names({{"_distance", "id"}}), ElementsAre("_distance", "id"));
  EXPECT_THAT(names({{"id", "_rowid"}}), ElementsAre("id", "_rowid", "_distance"));
  EXPECT_THAT(names(std::vector<std::string>{}), ElementsAre("_distance"));
  EXPECT_THAT(names({{"_distance"}}), ElementsAre("_distance"));

  options.columns = {"name", "id"};
  ASSERT_OK_AND_ASSIGN(const auto table, FindNearest(*dataset_, options, context_));
  EXPECT_TRUE(table->schema()->GetFieldByName("_distance")->type()->Equals(arrow::float32()));
  for (int64_t row = 0; row < table->num_rows(); ++row) {
    const auto name = table->GetColumnByName("name")->GetScalar(row).ValueOrDie();
    EXPECT_EQ(name->ToString(), "n" + std::to_string(Ids(*table)[row]));
  }
}

TEST_F(FindNearestTest, SearchesOnlyWhatTheFilterKeeps) {
  namespace cp = arrow::compute;
  WriteRandom(100, 1);
  WriteRandom(3000, 2);
  NearestOptions options = Options({1, 1, 1, 1, 1}, 50);
  options.filter = expr::Filter::FromArrow(
      cp::and_(cp::greater_equal(cp::field_ref("id"), cp::literal(int64_t{90})),
               cp::less(cp::field_ref("id"), cp::literal(int64_t{300}))));
  ASSERT_OK_AND_ASSIGN(const auto table, FindNearest(*dataset_, options, context_));
  std::vector<int64_t> expected = SlowNearest(options.query, 10'000);
  std::erase_if(expected, [](int64_t id) { return id < 90 || id >= 300; });
  expected.resize(50);
  EXPECT_EQ(Ids(*table), expected);
}

TEST_F(FindNearestTest, FindsAndTakesTheRightRowsBesideDeletedOnes) {
  WriteRandom(20'000, 5);
  // A deletion file of pylance: those below 10,000, every third and every seventh row are gone.
  std::ifstream file(TUSK_CORPUS_DIR "/lance_table/pylance_deletions.bin", std::ios::binary);
  const std::string deletions(std::istreambuf_iterator<char>(file), {});
  int64_t deleted = 0;
  for (int64_t id = 0; id < 20'000; ++id) {
    if (id >= 10'000 && id % 3 != 0 && id % 7 != 0) continue;
    all_[id].reset();
    ++deleted;
  }
  Manifest manifest = dataset_->state().manifest;
  manifest.version = 2;
  manifest.reader_flags |= kFlagDeletionFiles;
  manifest.writer_flags |= kFlagDeletionFiles;
  manifest.fragments[0].deletion_file.emplace();
  manifest.fragments[0].deletion_file->type = DeletionFile::Type::kBitmap;
  manifest.fragments[0].deletion_file->read_version = 1;
  manifest.fragments[0].deletion_file->id = 9;
  manifest.fragments[0].deletion_file->num_deleted_rows = deleted;
  ASSERT_OK(location_.store->Put(location_.path + "/_deletions/0-1-9.bin", deletions, context_));
  ASSERT_OK(location_.store->Put(io::JoinPath(location_.path, ManifestPath(2, ManifestNaming::kV2)),
                                 SerializeManifestFile(&manifest, "", ""), context_));
  WriteRandom(500, 6);
  const Vector query = {0.5F, 1, 0, -1, 2};
  for (const int64_t k : {5, 30'000}) {
    ASSERT_OK_AND_ASSIGN(const auto table, FindNearest(*dataset_, Options(query, k), context_));
    EXPECT_EQ(Ids(*table), SlowNearest(query, k)) << k;
  }
}

TEST_F(FindNearestTest, LeavesOutRowsWithoutADistance) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Write(0, {Vector{1, 0, 0, 0, 0}, std::nullopt, Vector{nan, 0, 0, 0, 0}, Vector{0, 0, 0, 0, 0}});
  NearestOptions options = Options({2, 0, 0, 0, 0}, 10);
  ASSERT_OK_AND_ASSIGN(auto table, FindNearest(*dataset_, options, context_));
  EXPECT_THAT(Ids(*table), ElementsAre(0, 3));
  EXPECT_THAT(Distances(*table), ElementsAre(1, 4));
  options.metric = "cosine";
  ASSERT_OK_AND_ASSIGN(table, FindNearest(*dataset_, options, context_));
  EXPECT_THAT(Ids(*table), ElementsAre(0));
  options.metric = "DOT";
  ASSERT_OK_AND_ASSIGN(table, FindNearest(*dataset_, options, context_));
  EXPECT_THAT(Distances(*table), ElementsAre(-1, 1));
}

TEST_F(FindNearestTest, GivesNoRowsIfNoneHasAVector) {
  Write(0, {std::nullopt, std::nullopt});
  ASSERT_OK_AND_ASSIGN(const auto table,
                       FindNearest(*dataset_, Options({0, 0, 0, 0, 0}, 3), context_));
  EXPECT_EQ(table->num_rows(), 0);
  EXPECT_THAT(table->ColumnNames(), ElementsAre("id", "vector", "name", "_distance"));
}

TEST_F(FindNearestTest, RefusesWhatMakesNoSense) {
  WriteRandom(10, 1);
  const NearestOptions good = Options({0, 0, 0, 0, 0}, 3);
  const auto fails_with = [&](const NearestOptions& options, ErrorCode code) {
    EXPECT_THAT(FindNearest(*dataset_, options, context_), FailsWith(code));
  };
  NearestOptions options = good;
  options.k = 0;
  fails_with(options, ErrorCode::kInvalidArgument);
  options = good;
  options.query.pop_back();
  fails_with(options, ErrorCode::kInvalidArgument);
  options = good;
  options.query[2] = std::numeric_limits<float>::quiet_NaN();
  fails_with(options, ErrorCode::kInvalidArgument);
  options = good;
  options.column = "id";
  fails_with(options, ErrorCode::kInvalidArgument);
  options.column = "none";
  fails_with(options, ErrorCode::kNotFound);
  options = good;
  options.metric = "hamming";
  fails_with(options, ErrorCode::kInvalidArgument);
  options = good;
  options.columns = {"none"};
  fails_with(options, ErrorCode::kNotFound);
}

TEST_F(FindNearestTest, StopsWhenAskedTo) {
  WriteRandom(10, 1);
  std::stop_source source;
  source.request_stop();
  context_.stop = source.get_token();
  EXPECT_THAT(FindNearest(*dataset_, Options({0, 0, 0, 0, 0}, 3), context_),
              FailsWith(ErrorCode::kCancelled));
}

}  // namespace
}  // namespace tusk::lance
