#pragma once

namespace berth::support {

/// The deleter of a std::unique_ptr to a C library's object:
/// std::unique_ptr<BIO, FreedBy<BIO_free_all>>.
template <auto Free>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

}  // namespace berth::support
