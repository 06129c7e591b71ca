#include <limits>
#include <string>
#include <utility>

#include "tusk/base/little_endian.h"
#include "tusk/lance/file/parse_message.h"
#include "tusk/lance/table/fragment_reuse.h"
#include "tusk/lance/table/fragment_reuse.pb.h"
#include "tusk/lance/table/fragment_reuse_details.h"
#include "tusk/lance/table/roaring_bitmap.h"

namespace tusk::lance {
namespace {

constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max();

proto::FragmentDigest ToProto(const FragmentReuse::Digest& digest) {
  proto::FragmentDigest out;
  out.set_id(digest.id);
  out.set_physical_rows(digest.physical_rows);
  out.set_num_deleted_rows(digest.deleted_rows);
  return out;
}

Result<FragmentReuse::Digest> FromProto(const proto::FragmentDigest& digest) {
  if (digest.id() > kMaxU32 || digest.physical_rows() > kMaxU32 ||
      digest.num_deleted_rows() > digest.physical_rows()) {
    return Corrupt("moved rows of a fragment ", digest.id(), " with ", digest.physical_rows(),
                   " rows, of which ", digest.num_deleted_rows(), " are deleted");
  }
  return FragmentReuse::Digest{.id = digest.id(),
                               .physical_rows = digest.physical_rows(),
                               .deleted_rows = digest.num_deleted_rows()};
}

Result<FragmentReuse::Group> FromProto(const proto::ReuseGroup& group) {
  FragmentReuse::Group result{.moved = group.changed_row_addrs()};
  for (const auto& digest : group.old_fragments()) {
    ARROW_ASSIGN_OR_RAISE(result.before.emplace_back(), FromProto(digest));
  }
  for (const auto& digest : group.new_fragments()) {
    ARROW_ASSIGN_OR_RAISE(result.after.emplace_back(), FromProto(digest));
  }
  return result;
}

}  // namespace

std::string SerializeAddresses(const std::map<uint64_t, DeletedRows>& rows) {
  std::string bytes;
  AppendLittle(uint64_t{rows.size()}, &bytes);
  for (const auto& [fragment, offsets] : rows) {
    AppendLittle(static_cast<uint32_t>(fragment), &bytes);
    bytes += SerializeRoaringBitmap(offsets);
  }
  return bytes;
}

Result<std::map<uint64_t, DeletedRows>> ParseAddresses(std::string_view bytes) {
  const size_t size = bytes.size();
  const auto broken = [size] {
    return Corrupt("no Roaring bitmap of addresses in ", size, " bytes");
  };
  if (bytes.size() < sizeof(uint64_t)) return broken();
  auto left = LoadLittle<uint64_t>(bytes, 0);
  bytes.remove_prefix(sizeof(uint64_t));
  std::map<uint64_t, DeletedRows> rows;
  for (; left > 0; --left) {
    if (bytes.size() < sizeof(uint32_t)) return broken();
    const uint64_t fragment = LoadLittle<uint32_t>(bytes, 0);
    bytes.remove_prefix(sizeof(uint32_t));
    if (!rows.empty() && rows.rbegin()->first >= fragment) return broken();
    ARROW_ASSIGN_OR_RAISE(rows[fragment], TakeRoaringBitmap(&bytes));
  }
  return rows;
}

std::string SerializeFragmentReuse(const FragmentReuse& reuse) {
  proto::ReuseContent content;
  for (const FragmentReuse::Version& version : reuse.versions) {
    proto::ReuseVersion* to = content.add_versions();
    to->set_dataset_version(version.dataset_version);
    for (const FragmentReuse::Group& group : version.groups) {
      proto::ReuseGroup* out = to->add_groups();
      out->set_changed_row_addrs(group.moved);
      for (const auto& digest : group.before) *out->add_old_fragments() = ToProto(digest);
      for (const auto& digest : group.after) *out->add_new_fragments() = ToProto(digest);
    }
  }
  return content.SerializeAsString();
}

Result<FragmentReuse> ParseFragmentReuse(std::string_view bytes) {
  proto::ReuseContent content;
  if (!ParseMessage(bytes, &content)) {
    return Corrupt("moved rows in ", bytes.size(), " bytes that are no message");
  }
  if (content.transitions_size() > 0) {
    return Unsupported("rows moved by tagged transitions, which is not supported yet");
  }
  FragmentReuse reuse;
  for (const proto::ReuseVersion& version : content.versions()) {
    FragmentReuse::Version& to = reuse.versions.emplace_back();
    to.dataset_version = version.dataset_version();
    for (const proto::ReuseGroup& group : version.groups()) {
      ARROW_ASSIGN_OR_RAISE(to.groups.emplace_back(), FromProto(group));
    }
  }
  return reuse;
}

std::string SerializeReuseDetails(const ReuseDetails& details) {
  proto::FragmentReuseIndexDetails out;
  if (details.path.empty()) {
    // Parsed again rather than copied: protobuf has no way to take over serialized bytes.
    out.mutable_inline_()->ParseFromString(details.content);
  } else {
    out.mutable_external()->set_path(details.path);
    out.mutable_external()->set_offset(details.offset);
    out.mutable_external()->set_size(details.size);
  }
  return out.SerializeAsString();
}

Result<ReuseDetails> ParseReuseDetails(std::string_view bytes) {
  proto::FragmentReuseIndexDetails details;
  if (!ParseMessage(bytes, &details)) {
    return Corrupt("details of moved rows in ", bytes.size(), " bytes that are no message");
  }
  if (details.has_inline_()) return ReuseDetails{.content = details.inline_().SerializeAsString()};
  if (!details.has_external()) return Corrupt("details of moved rows without a content");
  return ReuseDetails{.path = details.external().path(),
                      .offset = details.external().offset(),
                      .size = details.external().size()};
}

}  // namespace tusk::lance
