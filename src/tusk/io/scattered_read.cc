#include "tusk/io/scattered_read.h"

#include <algorithm>
#include <array>
#include <vector>

#include <sys/uio.h>

#include "tusk/io/cached_pass.h"
#include "tusk/io/file_read.h"
#include "tusk/io/read_plan.h"

namespace tusk::io {
namespace {

/// Targets of one call; the kernel takes 1,024 pieces of memory, and each target may need two.
constexpr size_t kMostTargets = 64;

/// Neighbours that one call reads.
struct Group {
  std::span<const ReadTarget> targets;
  int64_t length = 0;  ///< with what lies between them
  int64_t done = 0;

  int64_t offset() const { return targets.front().offset; }
};

bool Continues(const Group& group, const ReadTarget& target) {
  const int64_t gap = target.offset - group.offset() - group.length;
  return gap >= 0 && gap <= ReadPlan::kMostGap && group.targets.size() < kMostTargets &&
         group.length + gap + std::ssize(target.into) < ReadPlan::kSmall;
}

std::vector<Group> MakeGroups(std::span<const ReadTarget> targets) {
  std::vector<Group> groups;
  groups.reserve(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    const ReadTarget& target = targets[i];
    if (groups.empty() || !Continues(groups.back(), target)) {
      groups.push_back({.targets = targets.subspan(i, 1), .length = std::ssize(target.into)});
      continue;
    }
    Group& group = groups.back();
    group.length = target.offset + std::ssize(target.into) - group.offset();
    group.targets = {group.targets.data(), group.targets.size() + 1};
  }
  return groups;
}

/// Reads what the page cache has of the group. Errors are left to the plain read that follows.
void ReadCached(int fd, Group* group) {
  std::array<uint8_t, ReadPlan::kMostGap> unused;  // NOLINT(*-member-init): nobody reads it
  std::array<iovec, 2 * kMostTargets> pieces;      // NOLINT(*-member-init): filled as far as used
  size_t count = 0;
  int64_t end = group->offset();
  for (const ReadTarget& target : group->targets) {
    const auto gap = static_cast<size_t>(target.offset - end);
    if (gap > 0) pieces[count++] = {.iov_base = unused.data(), .iov_len = gap};
    pieces[count++] = {.iov_base = target.into.data(), .iov_len = target.into.size()};
    end = target.offset + std::ssize(target.into);
  }
  const ssize_t n =
      preadv2(fd, pieces.data(), static_cast<int>(count), group->offset(), RWF_NOWAIT);
  if (n > 0) group->done = n;
}

/// What is left of the groups, target by target.
std::vector<FileRead> Rest(std::span<const Group> groups) {
  std::vector<FileRead> reads;
  for (const Group& group : groups) {
    if (group.done == group.length) continue;
    for (const ReadTarget& target : group.targets) {
      FileRead read{
          .offset = target.offset, .length = std::ssize(target.into), .into = target.into.data()};
      read.done =
          std::clamp<int64_t>(group.done - (target.offset - group.offset()), 0, read.length);
      if (read.left() > 0) reads.push_back(read);
    }
  }
  return reads;
}

}  // namespace

Result<ReadVolume> ReadScattered(int fd, std::string_view path, std::span<const ReadTarget> targets,
                                 const OperationContext& context) {
  std::vector<Group> groups = MakeGroups(targets);
  ReadVolume volume{.requests = groups.size(), .bytes = 0};
  for (const Group& group : groups) volume.bytes += group.length;
  if (IsWorthThreads(groups.size(), volume.bytes)) {
    const auto read = [&](size_t i) {
      ReadCached(fd, &groups[i]);
      return groups[i].done == groups[i].length;
    };
    ARROW_RETURN_NOT_OK(TryCached(groups.size(), read, context));
  } else {
    // A target alone needs no look at the cache first.
    for (Group& group : groups) {
      if (group.targets.size() > 1) ReadCached(fd, &group);
    }
  }
  std::vector<FileRead> rest = Rest(groups);
  ARROW_RETURN_NOT_OK(ReadAll(fd, path, rest, context));
  return volume;
}

}  // namespace tusk::io
