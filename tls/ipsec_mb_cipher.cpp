// Records by intel-ipsec-mb, which takes them in pieces: from where the plaintext stands to where
// the record shall be. Empty where this build has no such library (its processors are x86's).
#include "tls/record_cipher.h"

#if defined(RINGPOST_IPSEC_MB)

#include <cstdint>
#include <cstring>
#include <intel-ipsec-mb.h>
#include <memory>

#include "tls/octets.h"

namespace ringpost::tls {

namespace {

// Its table of functions, which is never written again. Null: it does not run here.
const IMB_MGR* functions() {
  static const std::unique_ptr<IMB_MGR, void (*)(IMB_MGR*)> manager(
      [] {
        IMB_MGR* const made = alloc_mb_mgr(0);
        if (made != nullptr) {
          init_mb_mgr_auto(made, nullptr);
        }
        return made;
      }(),
      [](IMB_MGR* made) { free_mb_mgr(made); });
  const bool works = manager && (manager->features & IMB_FEATURE_AESNI) != 0 &&
                     (manager->features & IMB_FEATURE_PCLMULQDQ) != 0 &&
                     imb_get_errno(manager.get()) == 0;
  return works ? manager.get() : nullptr;
}

class IpsecMbCipher final : public RecordCipher {
 public:
  IpsecMbCipher() = default;
  ~IpsecMbCipher() override { explicit_bzero(&key_, sizeof(key_)); }

  [[nodiscard]] std::string_view name() const override { return "intel-ipsec-mb"; }

  void set_key(Bytes key) override {
    RP_ASSERT(key.size() == 16 || key.size() == 32);
    is_short_ = key.size() == 16;
    if (is_short_) {
      IMB_AES128_GCM_PRE(functions(), octets(key), &key_);
    } else {
      IMB_AES256_GCM_PRE(functions(), octets(key), &key_);
    }
  }

  void seal(const RecordNonce& nonce, Bytes header, Bytes plaintext, unsigned char type,
            char* body) override {
    const IMB_MGR* const use = functions();
    const auto init = is_short_ ? use->gcm128_init : use->gcm256_init;
    const auto update = is_short_ ? use->gcm128_enc_update : use->gcm256_enc_update;
    const auto finalize = is_short_ ? use->gcm128_enc_finalize : use->gcm256_enc_finalize;
    auto* const out = reinterpret_cast<unsigned char*>(body);
    gcm_context_data context;
    init(&key_, &context, nonce.data(), octets(header), header.size());
    update(&key_, &context, out, octets(plaintext), plaintext.size());
    update(&key_, &context, out + plaintext.size(), &type, record_type_bytes);
    finalize(&key_, &context, out + plaintext.size() + record_type_bytes, record_tag_bytes);
  }

 private:
  alignas(64) gcm_key_data key_{};  // read by whole registers
  bool is_short_ = true;
};

}  // namespace

std::unique_ptr<RecordCipher> make_ipsec_mb_cipher() {
  return functions() != nullptr ? std::make_unique<IpsecMbCipher>() : nullptr;
}

bool ipsec_mb_is_faster() {
  constexpr std::uint64_t needed =
      IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;
  return functions() != nullptr && (functions()->features & needed) == needed;
}

}  // namespace ringpost::tls

#else

namespace ringpost::tls {

std::unique_ptr<RecordCipher> make_ipsec_mb_cipher() { return nullptr; }
bool ipsec_mb_is_faster() { return false; }

}  // namespace ringpost::tls

#endif
