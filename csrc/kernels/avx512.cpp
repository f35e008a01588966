// AVX-512 (F, BW, DQ, VL) kernels: sixteen lanes.
#include <immintrin.h>

#include "kernels.hpp"

namespace facewire {
namespace {

struct V {
    using F = __m512;
    using I = __m512i;
    static constexpr int kLanes = 16;

    static F set(float v) { return _mm512_set1_ps(v); }
    static F ramp() { return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
    static F load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F min(F a, F b) { return _mm512_min_ps(a, b); }
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F floor(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static F to_float(I a) { return _mm512_cvtepi32_ps(a); }
    static I to_int(F a) { return _mm512_cvttps_epi32(a); }
    static I set_int(std::int32_t v) { return _mm512_set1_epi32(v); }
    static I add_int(I a, I b) { return _mm512_add_epi32(a, b); }
    static I mul_int(I a, I b) { return _mm512_mullo_epi32(a, b); }
    static I min_int(I a, I b) { return _mm512_min_epi32(a, b); }
    static I max_int(I a, I b) { return _mm512_max_epi32(a, b); }
    static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
    template <int kShift>
    static I shift_right(I a) {
        return _mm512_srli_epi32(a, kShift);
    }
    static bool all_at_most(I a, I b) { return _mm512_cmpgt_epi32_mask(a, b) == 0; }
    static F keep_where_equal(F v, I a, I b, I c, I d) {
        const __mmask16 mask = _mm512_mask_cmpeq_epi32_mask(_mm512_cmpeq_epi32_mask(a, b), c, d);
        return _mm512_maskz_mov_ps(mask, v);
    }
    static I pixels(const std::uint8_t* src, I offset) { return _mm512_i32gather_epi32(offset, src, 1); }
    static void store_int(std::int32_t* p, I v) { _mm512_store_si512(p, v); }
    static long long word(const std::uint8_t* p) {
        long long eight;
        __builtin_memcpy(&eight, p, sizeof eight);
        return eight;
    }
    static I words(const std::uint8_t* src, const std::int32_t* at) {
        return _mm512_setr_epi64(word(src + at[0]), word(src + at[1]), word(src + at[2]), word(src + at[3]),
                                 word(src + at[4]), word(src + at[5]), word(src + at[6]), word(src + at[7]));
    }
    static void pairs(const std::uint8_t* src, const std::int32_t* at, I& low, I& high) {
        const I even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        const I odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        const I first = words(src, at), second = words(src, at + 8);
        low = _mm512_permutex2var_epi32(first, even, second);
        high = _mm512_permutex2var_epi32(first, odd, second);
    }
    static __m128i bytes(const float* p) {
        return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(min(max(load(p), set(0.0f)), set(255.0f))));
    }
    // Sixteen bytes of each plane to 48 interleaved: byte 3*i + p of the result is byte i of plane p.
    static void weave(__m128i a, __m128i b, __m128i c, std::uint8_t* out) {
        constexpr char z = -1;
        const __m128i a0 = _mm_setr_epi8(0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z, 5);
        const __m128i b0 = _mm_setr_epi8(z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z);
        const __m128i c0 = _mm_setr_epi8(z, z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z);
        const __m128i a1 = _mm_setr_epi8(z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10, z);
        const __m128i b1 = _mm_setr_epi8(5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10);
        const __m128i c1 = _mm_setr_epi8(z, 5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z);
        const __m128i a2 = _mm_setr_epi8(z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z, z);
        const __m128i b2 = _mm_setr_epi8(z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z);
        const __m128i c2 = _mm_setr_epi8(10, z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15);
        const auto put = [&](int part, __m128i x, __m128i y, __m128i w) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + part, _mm_or_si128(_mm_or_si128(x, y), w));
        };
        put(0, _mm_shuffle_epi8(a, a0), _mm_shuffle_epi8(b, b0), _mm_shuffle_epi8(c, c0));
        put(1, _mm_shuffle_epi8(a, a1), _mm_shuffle_epi8(b, b1), _mm_shuffle_epi8(c, c1));
        put(2, _mm_shuffle_epi8(a, a2), _mm_shuffle_epi8(b, b2), _mm_shuffle_epi8(c, c2));
    }
    static void interleave(const float* a, const float* b, const float* c, std::uint8_t* out) {
        weave(bytes(a), bytes(b), bytes(c), out);
    }
    static constexpr std::int32_t kHalved = 8, kHalveReads = 64, kHalveWrites = 24;
    // Sums of neighbouring pixels, three 16-bit sums for each of two output pixels in each 128-bit lane.
    static I pair_sums(const std::uint8_t* p, I order) {
        const I spread = _mm512_setr_epi32(0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12);
        const I lanes = _mm512_permutexvar_epi32(spread, _mm512_loadu_si512(p));
        return _mm512_maddubs_epi16(_mm512_shuffle_epi8(lanes, order), _mm512_set1_epi8(1));
    }
    static void halve(const std::uint8_t* top, const std::uint8_t* bottom, bool swap, std::uint8_t* out) {
        const __m128i straight = _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1);
        const __m128i swapped = _mm_setr_epi8(2, 5, 1, 4, 0, 3, 8, 11, 7, 10, 6, 9, -1, -1, -1, -1);
        const I order = _mm512_broadcast_i32x4(swap ? swapped : straight);
        const I one = _mm512_set1_epi16(1);
        const I sum = _mm512_add_epi16(pair_sums(top, order), pair_sums(bottom, order));
        const I odd = _mm512_and_si512(_mm512_srli_epi16(sum, 2), one);
        const I mean = _mm512_srli_epi16(_mm512_add_epi16(_mm512_add_epi16(sum, one), odd), 2);
        const I together = _mm512_setr_epi32(0x10000, 0x30002, 0x50004, 0x90008, 0xb000a, 0xd000c, 0x110010, 0x130012,
                                             0x150014, 0x190018, 0x1b001a, 0x1d001c, 0, 0, 0, 0);
        const __m256i bytes = _mm512_cvtepi16_epi8(_mm512_permutexvar_epi16(together, mean));
        _mm256_mask_storeu_epi8(out, 0xffffff, bytes);
    }
    static std::uint16_t screen(const std::uint8_t* block, const CodeScreen& job, const float* scales, float error) {
        I low = _mm512_setzero_si512(), high = low;  // eight rows each, two sums a row
        for (std::size_t g = 0; g < job.groups; ++g, block += 64) {
            std::int32_t four;
            __builtin_memcpy(&four, job.query + g * kCodeGroup, sizeof four);
            const I query = _mm512_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(four)));
            const I first = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block)));
            const I second = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block) + 1));
            low = _mm512_add_epi32(low, _mm512_madd_epi16(first, query));
            high = _mm512_add_epi32(high, _mm512_madd_epi16(second, query));
        }
        const I even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        const I odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        const I dots =
            _mm512_add_epi32(_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high));
        const F scale = mul(load(scales), set(job.query_scale));
        const F bound = add(mul(to_float(_mm512_sub_epi32(dots, set_int(job.offset))), scale), set(error));
        return _mm512_cmp_ps_mask(bound, set(job.limit), _CMP_GE_OQ);
    }
    static float sum(F v) { return _mm512_reduce_add_ps(v); }
};

#include "simd.inl"

}  // namespace

const Kernels kAvx512Kernels = {"avx512",       warp_row<1>,  warp_row<2>,  warp_row<3>, yuv_row,
                                interleave_row, halve_row_c3, screen_codes, dot_rows,    sum_floats};

}  // namespace facewire
