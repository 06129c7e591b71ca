#include "tusk/io/object_store.h"

#include <filesystem>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tusk/base/uuid.h"
#include "tusk/testing/faulty_store.h"
#include "tusk/testing/matchers.h"

namespace tusk::io {
namespace {

using testing::ElementsAre;

/// Every store keeps the same promises; the parameter says which.
class ObjectStoreTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      root_ = std::filesystem::temp_directory_path() / ("tusk-test-" + RandomUuidString());
      store_ = MakeLocalStore();
    } else {
      root_ = "root";
      store_ = MakeMemoryStore();
    }
  }
  void TearDown() override {
    if (GetParam()) std::filesystem::remove_all(root_);
  }
  std::string Path(std::string_view name) const { return JoinPath(root_, name); }
  std::string Read(std::string_view name) {
    auto bytes = store_->Get(Path(name), context_);
    return bytes.ok() ? (*bytes)->ToString() : bytes.status().ToString();
  }

  std::string root_;
  std::shared_ptr<ObjectStore> store_;
  OperationContext context_;
};

TEST_P(ObjectStoreTest, ReadsBackWhatWasPut) {
  ASSERT_OK(store_->Put(Path("a/b"), "hello", context_));
  EXPECT_EQ(Read("a/b"), "hello");
  ASSERT_OK(store_->Put(Path("a/b"), "again", context_));
  EXPECT_EQ(Read("a/b"), "again");
}

TEST_P(ObjectStoreTest, GivesAReplacedObjectAnotherTag) {
  ASSERT_OK(store_->Put(Path("a"), "one", context_));
  ASSERT_OK(store_->Put(Path("b"), "one", context_));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo first, store_->Head(Path("a"), context_));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo same, store_->Head(Path("a"), context_));
  ASSERT_OK_AND_ASSIGN(const auto listed, store_->List(root_, context_));
  EXPECT_EQ(first.tag, same.tag);
  EXPECT_EQ(first.tag, listed[0].tag);
  ASSERT_OK(store_->Put(Path("a"), "two", context_));
  ASSERT_OK_AND_ASSIGN(const ObjectInfo second, store_->Head(Path("a"), context_));
  EXPECT_NE(first.tag, second.tag);
}

TEST_P(ObjectStoreTest, CopiesAnObjectOfSeveralPieces) {
  std::string bytes(20 << 20, 'x');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 251);
  ASSERT_OK(store_->Put(Path("a"), bytes, context_));
  const StorePath source{.store = store_, .path = Path("a")};
  ASSERT_OK(CopyObject(source, {.store = store_, .path = Path("c/b")}, context_));
  EXPECT_EQ(Read("c/b"), bytes);
  ASSERT_OK(store_->Put(Path("empty"), "", context_));
  ASSERT_OK(CopyObject({.store = store_, .path = Path("empty")},
                       {.store = store_, .path = Path("c/b")}, context_));
  EXPECT_EQ(Read("c/b"), "");
  EXPECT_THAT(CopyObject({.store = store_, .path = Path("none")}, source, context_),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(Read("a"), bytes);
}

TEST_P(ObjectStoreTest, ResolvesPathsBelowAFolderOnly) {
  const StorePath base{.store = store_, .path = "base"};
  for (const std::string_view path : {"a/b", "/a/b", "a/b/", "//a/b//"}) {
    ASSERT_OK_AND_ASSIGN(const StorePath found, ResolveBelow(base, path));
    EXPECT_EQ(found.path, "base/a/b") << path;
    EXPECT_EQ(found.store, store_);
  }
  for (const std::string_view path : {"", "/", "..", "../a", "a/../../b", "a//b", "s3://a/b"}) {
    EXPECT_THAT(ResolveBelow(base, path), FailsWith(ErrorCode::kInvalidArgument)) << path;
  }
}

TEST_P(ObjectStoreTest, ShowsAStreamedObjectOnlyWhenFinished) {
  ASSERT_OK_AND_ASSIGN(auto writer, store_->Create(Path("x"), context_));
  const std::vector<uint8_t> bytes = {'a', 'b', 'c'};
  ASSERT_OK(writer->Append(bytes));
  EXPECT_THAT(store_->Head(Path("x"), context_), FailsWith(ErrorCode::kNotFound));
  ASSERT_OK_AND_ASSIGN(auto listed, store_->List(root_, context_));
  EXPECT_TRUE(listed.empty());
  ASSERT_OK(writer->Finish());
  EXPECT_EQ(Read("x"), "abc");
}

TEST_P(ObjectStoreTest, LeavesNothingOfAWriterThatWasNotFinished) {
  {
    ASSERT_OK_AND_ASSIGN(auto writer, store_->Create(Path("x"), context_));
    const std::vector<uint8_t> bytes(100);
    ASSERT_OK(writer->Append(bytes));
  }
  if (GetParam()) {
    EXPECT_TRUE(std::filesystem::is_empty(root_));
  }
  EXPECT_THAT(store_->Head(Path("x"), context_), FailsWith(ErrorCode::kNotFound));
}

TEST_P(ObjectStoreTest, PutsIfAbsentOnce) {
  ASSERT_OK(store_->PutIfAbsent(Path("x"), "first", context_));
  EXPECT_THAT(store_->PutIfAbsent(Path("x"), "second", context_),
              FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_EQ(Read("x"), "first");
}

TEST_P(ObjectStoreTest, LetsExactlyOneOfRacingWritersWin) {
  for (int round = 0; round < 20; ++round) {
    const std::string name = Path("race" + std::to_string(round));
    std::atomic<int> wins = 0;
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 8; ++i) {
        writers.emplace_back([&, i] {
          if (store_->PutIfAbsent(name, std::to_string(i), context_).ok()) ++wins;
        });
      }
    }
    EXPECT_EQ(wins, 1);
  }
}

TEST_P(ObjectStoreTest, LinksUnderAFreeNameOnly) {
  ASSERT_OK(store_->Put(Path("staged"), "new", context_));
  ASSERT_OK(store_->LinkIfAbsent(Path("staged"), Path("final"), context_));
  EXPECT_EQ(Read("final"), "new");
  ASSERT_OK(store_->Put(Path("other"), "other", context_));
  EXPECT_THAT(store_->LinkIfAbsent(Path("other"), Path("final"), context_),
              FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_EQ(Read("final"), "new");
  EXPECT_THAT(store_->LinkIfAbsent(Path("absent"), Path("free"), context_),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(ObjectStoreTest, ListsBelowAFolderOnly) {
  for (const char* name : {"t/b", "t/a/c", "t2/x", "u"}) {
    ASSERT_OK(store_->Put(Path(name), "12", context_));
  }
  ASSERT_OK_AND_ASSIGN(auto found, store_->List(Path("t"), context_));
  std::vector<std::string> paths;
  for (const ObjectInfo& info : found) {
    EXPECT_EQ(info.size, 2);
    EXPECT_GT(info.modified_ms, 1'700'000'000'000);
    paths.push_back(info.path);
  }
  EXPECT_THAT(paths, ElementsAre(Path("t/a/c"), Path("t/b")));
  ASSERT_OK_AND_ASSIGN(auto none, store_->List(Path("absent"), context_));
  EXPECT_TRUE(none.empty());
}

TEST_P(ObjectStoreTest, ReadsRangesInOneCallAndCountsThem) {
  ASSERT_OK(store_->Put(Path("x"), "0123456789", context_));
  IoCounters counters;
  context_.io = &counters;
  ASSERT_OK_AND_ASSIGN(OpenedObject object, store_->Open(Path("x"), 4, context_));
  EXPECT_EQ(object.tail->ToString(), "6789");
  EXPECT_EQ(object.reader->size(), 10);
  const std::vector<ByteRange> ranges = {{.offset = 7, .length = 3}, {.offset = 0, .length = 2}};
  ASSERT_OK_AND_ASSIGN(auto handle, object.reader->Read(ranges, context_));
  ASSERT_OK_AND_ASSIGN(auto first, handle->Wait(0));
  ASSERT_OK_AND_ASSIGN(auto second, handle->Wait(1));
  EXPECT_EQ(first->ToString(), "789");
  EXPECT_EQ(second->ToString(), "01");
  EXPECT_EQ(counters.read_requests, 3);
  EXPECT_EQ(counters.read_bytes, 9);
}

TEST_P(ObjectStoreTest, RefusesRangesOutsideTheObject) {
  ASSERT_OK(store_->Put(Path("x"), "0123456789", context_));
  ASSERT_OK_AND_ASSIGN(OpenedObject object, store_->Open(Path("x"), 0, context_));
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const ByteRange range :
       {ByteRange{.offset = 5, .length = 6}, ByteRange{.offset = -1, .length = 1},
        ByteRange{.offset = 1, .length = kMax}, ByteRange{.offset = kMax, .length = kMax}}) {
    EXPECT_THAT(object.reader->ReadOne(range, context_), FailsWith(ErrorCode::kCorrupt));
  }
}

TEST_P(ObjectStoreTest, DeletesWhatIsThereAndForgivesWhatIsNot) {
  ASSERT_OK(store_->Put(Path("x"), "1", context_));
  ASSERT_OK(store_->Delete(Path("x"), context_));
  ASSERT_OK(store_->Delete(Path("x"), context_));
  EXPECT_THAT(store_->Open(Path("x"), 0, context_), FailsWith(ErrorCode::kNotFound));
}

INSTANTIATE_TEST_SUITE_P(, ObjectStoreTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Local" : "Memory"; });

TEST(FaultyStoreTest, FailsTheNthRequest) {
  FaultyStore store(MakeMemoryStore());
  OperationContext context;
  store.FailRequest(1);
  EXPECT_OK(store.Put("a", "1", context));
  EXPECT_THAT(store.Put("b", "1", context), FailsWith(ErrorCode::kIo));
  EXPECT_OK(store.Put("c", "1", context));
  EXPECT_TRUE(store.has_failed());
  EXPECT_THAT(store.Head("b", context), FailsWith(ErrorCode::kNotFound));
}

TEST(ObjectStorePathTest, RefusesPathsThatLeaveTheirFolder) {
  for (const char* path :
       {"", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "s3://b/k", "a\\b", "a/"}) {
    EXPECT_THAT(CheckRelativePath(path), FailsWith(ErrorCode::kCorrupt)) << path;
  }
  EXPECT_THAT(CheckRelativePath(std::string_view("a\0b", 3)), FailsWith(ErrorCode::kCorrupt));
  EXPECT_OK(CheckRelativePath("data/a..b.lance"));
}

TEST(ObjectStorePathTest, ResolvesLocalUris) {
  ASSERT_OK_AND_ASSIGN(StorePath absolute, ResolveUri("file:///tmp/x/../y/"));
  EXPECT_EQ(absolute.path, "/tmp/y");
  ASSERT_OK_AND_ASSIGN(StorePath relative, ResolveUri("lake"));
  EXPECT_EQ(relative.path, std::filesystem::current_path() / "lake");
  EXPECT_THAT(ResolveUri("s3://bucket/x"), FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(ResolveUri(""), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(ObjectStorePathTest, KnowsTheOptionsOfLocalFiles) {
  EXPECT_OK(ResolveUri("lake", {{"memory_map", "true"}}).status());
  EXPECT_OK(ResolveUri("lake", {{"memory_map", "false"}}).status());
  EXPECT_OK(ResolveUri("lake", {{"durable", "false"}, {"memory_map", "true"}}).status());
  for (const char* name : {"memory_map", "durable"}) {
    EXPECT_THAT(ResolveUri("lake", {{name, "yes"}}), FailsWith(ErrorCode::kInvalidArgument));
  }
  const auto unknown = ResolveUri("lake", {{"region", "x"}});
  EXPECT_THAT(unknown, FailsWith(ErrorCode::kUnsupported));
  EXPECT_THAT(unknown.status().message(), testing::HasSubstr("'region'"));
}

}  // namespace
}  // namespace tusk::io
