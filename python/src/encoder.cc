// Binds include/tusk/lake/encoder.h.
#include "tusk/lake/encoder.h"

#include <array>

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "call.h"
#include "module.h"

namespace tusk::python {
namespace {

Result<std::vector<float>> EncodeImage(lake::Encoder& encoder, std::span<const uint8_t> bytes,
                                       const OperationContext& context) {
  ARROW_ASSIGN_OR_RAISE(lake::Image image, lake::DecodeImage(bytes));
  const std::array<lake::Image, 1> images = {std::move(image)};
  std::vector<float> vector(static_cast<size_t>(encoder.dimension()));
  ARROW_RETURN_NOT_OK(encoder.Encode(images, vector, context));
  return vector;
}

}  // namespace

void BindEncoder(nb::module_& module) {
  nb::class_<lake::Encoder>(module, "Encoder")
      .def_prop_ro("model", &lake::Encoder::model)
      .def_prop_ro("dimension", &lake::Encoder::dimension)
      .def(
          "encode_image",
          [](lake::Encoder& encoder, const nb::bytes& image) {
            const std::span bytes(static_cast<const uint8_t*>(image.data()), image.size());
            return Call().Run([&](const OperationContext& context) {
              return EncodeImage(encoder, bytes, context);
            });
          },
          nb::arg("image"));
  nb::class_<lake::Image>(module, "Image")
      .def_ro("width", &lake::Image::width)
      .def_ro("height", &lake::Image::height)
      .def_ro("media_type", &lake::Image::media_type)
      .def_prop_ro("rgb", [](const lake::Image& image) {
        return nb::bytes(image.rgb.data(), image.rgb.size());
      });
  module.def(
      "decode_image",
      [](const nb::bytes& image) {
        const std::span bytes(static_cast<const uint8_t*>(image.data()), image.size());
        return Call().Run([&](const OperationContext&) { return lake::DecodeImage(bytes); });
      },
      nb::arg("image"));
  module.def(
      "make_encoder", [](std::string_view name) { return OrRaise(lake::MakeEncoder(name)); },
      nb::arg("name"));
}

}  // namespace tusk::python
