#include "gallery_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>

#include "../kernels/dispatch.hpp"

namespace facewire {
namespace {

constexpr std::int64_t kNoSubject = -1;
// Rows looked at before the next query has its turn: their floats stay in the second-level cache, their codes in the
// first-level one.
constexpr std::size_t kPartRows = 256;

void scale_row(float* row, std::size_t dim, double factor) {
    for (std::size_t d = 0; d < dim; ++d) row[d] = static_cast<float>(row[d] * factor);
}

// In double: a float row of 1e-40 or 3e38 has a direction, but no length or inverse length in float.
double length_of(const float* row, std::size_t dim) {
    double squares = 0;
    for (std::size_t d = 0; d < dim; ++d) squares += double{row[d]} * row[d];
    return std::sqrt(squares);
}

}  // namespace

// The best subjects so far, few, sorted by falling similarity.
class GalleryIndex::TopSubjects {
  public:
    TopSubjects(std::size_t k, float floor) : k_(k), floor_(floor) { best_.reserve(k + 1); }

    // A score that does not beat this cannot enter (rows come in rising order, so a tie loses).
    bool may_enter(float similarity) const {
        return best_.size() < k_ ? similarity >= floor_ : similarity > best_.back().similarity;
    }

    void offer(const Candidate& candidate) {
        const auto same = std::find_if(best_.begin(), best_.end(),
                                       [&](const Candidate& known) { return known.subject == candidate.subject; });
        if (same != best_.end()) {
            if (same->similarity >= candidate.similarity) return;
            best_.erase(same);
        }
        const auto place =
            std::upper_bound(best_.begin(), best_.end(), candidate,
                             [](const Candidate& a, const Candidate& b) { return a.similarity > b.similarity; });
        best_.insert(place, candidate);
        if (best_.size() > k_) best_.pop_back();
    }

    // What a score must reach, at least, to enter.
    float limit() const { return best_.size() < k_ ? floor_ : best_.back().similarity; }

    std::vector<Candidate> take() { return std::move(best_); }

  private:
    std::size_t k_;
    float floor_;
    std::vector<Candidate> best_;
};

std::vector<float> normalise_rows(float* rows, std::size_t count, std::size_t dim) {
    std::vector<float> lengths(count);
    for (std::size_t r = 0; r < count; ++r) {
        const double length = length_of(rows + r * dim, dim);
        if (length > 0.0) scale_row(rows + r * dim, dim, 1.0 / length);
        lengths[r] = static_cast<float>(length);
    }
    return lengths;
}

GalleryIndex::GalleryIndex(std::size_t dim) : dim_(dim), codes_(dim) {}

float* GalleryIndex::row_data(std::int64_t row) const {
    const auto r = static_cast<std::size_t>(row);
    return chunks_[r / kChunkRows].get() + (r % kChunkRows) * dim_;
}

bool GalleryIndex::is_live(std::int64_t row) const {
    return row >= 0 && row < next_row_ && subjects_[static_cast<std::size_t>(row)] != kNoSubject;
}

void GalleryIndex::add_chunk() {
    // Whatever may throw comes before the memory that would leak, and subjects_ is never the shorter.
    const std::size_t rows = (chunks_.size() + 1) * kChunkRows;
    subjects_.resize(rows, kNoSubject);
    codes_.reserve(rows);
    chunks_.reserve(chunks_.size() + 1);
    chunks_.push_back(make_slab<float>(kChunkRows * dim_, /*huge=*/!chunks_.empty()));  // small galleries stay small
}

std::vector<std::int64_t> GalleryIndex::add(const float* rows, const std::int64_t* subjects, std::size_t count) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    // Memory first: a failure must leave the index as it was.
    const std::size_t fresh = count > free_rows_.size() ? count - free_rows_.size() : 0;
    while (static_cast<std::size_t>(next_row_) + fresh > chunks_.size() * kChunkRows) add_chunk();
    std::vector<std::int64_t> numbers(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t number;
        if (free_rows_.empty()) {
            number = next_row_++;
        } else {
            number = free_rows_.back();
            free_rows_.pop_back();
        }
        float* target = row_data(number);
        std::copy_n(rows + i * dim_, dim_, target);
        normalise_rows(target, 1, dim_);
        codes_.put(static_cast<std::size_t>(number), target);
        subjects_[static_cast<std::size_t>(number)] = subjects[i];
        numbers[i] = number;
    }
    live_ += count;
    return numbers;
}

bool GalleryIndex::remove(const std::int64_t* rows, std::size_t count) {
    const std::lock_guard gate(gate_);
    const std::unique_lock lock(mutex_);
    std::vector<std::int64_t> sorted(rows, rows + count);
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return false;
    if (!std::all_of(sorted.begin(), sorted.end(), [&](std::int64_t r) { return is_live(r); })) return false;
    free_rows_.reserve(free_rows_.size() + count);
    for (const std::int64_t row : sorted) {
        std::fill_n(row_data(row), dim_, 0.0f);
        codes_.erase(static_cast<std::size_t>(row));
        subjects_[static_cast<std::size_t>(row)] = kNoSubject;
        free_rows_.push_back(row);
    }
    live_ -= count;
    return true;
}

std::vector<std::vector<Candidate>> GalleryIndex::search(const float* queries, std::size_t count, std::size_t k,
                                                         float floor, Scan scan) const {
    std::vector<TopSubjects> best(count, TopSubjects(k, floor));
    std::vector<CodedQuery> coded;
    if (scan == Scan::kCodes)
        for (std::size_t q = 0; q < count; ++q) coded.push_back(codes_.encode(queries + q * dim_));
    const std::shared_lock lock = shared();
    const auto rows = static_cast<std::size_t>(next_row_);
    for (std::size_t first = 0; first < rows; first += kPartRows) {
        const std::size_t n = std::min(kPartRows, rows - first);
        for (std::size_t q = 0; q < count; ++q) {
            const float* query = queries + q * dim_;
            if (scan == Scan::kCodes)
                look_at_codes(query, coded[q], first, n, best[q]);
            else
                look_at_floats(query, first, n, best[q]);
        }
    }
    std::vector<std::vector<Candidate>> found;
    found.reserve(count);
    for (TopSubjects& top : best) found.push_back(top.take());
    return found;
}

void GalleryIndex::look_at_floats(const float* query, std::size_t first, std::size_t count, TopSubjects& best) const {
    std::array<float, kPartRows> scores;
    kernels().dot_rows(row_data(static_cast<std::int64_t>(first)), count, dim_, query, scores.data());
    const float limit = best.limit();
    unsigned reaching = 0;  // compilers turn this loop into vectors; in most parts nobody reaches the limit
    for (std::size_t i = 0; i < count; ++i) reaching |= scores[i] >= limit ? 1u : 0u;
    if (reaching == 0) return;
    for (std::size_t i = 0; i < count; ++i) offer(first + i, scores[i], best);
}

void GalleryIndex::look_at_codes(const float* query, const CodedQuery& coded, std::size_t first, std::size_t count,
                                 TopSubjects& best) const {
    std::array<std::uint16_t, kPartRows / kCodeRows> survivors;
    const std::size_t blocks = (count + kCodeRows - 1) / kCodeRows;
    codes_.screen(coded, first / kCodeRows, blocks, best.limit(), survivors.data());
    for (std::size_t block = 0; block < blocks; ++block) {
        for (std::uint32_t bits = survivors[block]; bits != 0; bits &= bits - 1) {
            const std::size_t row = first + block * kCodeRows + static_cast<std::size_t>(std::countr_zero(bits));
            if (subjects_[row] == kNoSubject) continue;
            float similarity;
            kernels().dot_rows(row_data(static_cast<std::int64_t>(row)), 1, dim_, query, &similarity);
            offer(row, similarity, best);
        }
    }
}

void GalleryIndex::offer(std::size_t row, float similarity, TopSubjects& best) const {
    if (!best.may_enter(similarity) || subjects_[row] == kNoSubject) return;
    best.offer({subjects_[row], static_cast<std::int64_t>(row), similarity});
}

bool GalleryIndex::read(std::int64_t row, float* out) const {
    const std::shared_lock lock = shared();
    if (!is_live(row)) return false;
    std::copy_n(row_data(row), dim_, out);
    return true;
}

std::shared_lock<std::shared_mutex> GalleryIndex::shared() const {
    const std::lock_guard gate(gate_);
    return std::shared_lock(mutex_);
}

std::size_t GalleryIndex::size() const {
    const std::shared_lock lock = shared();
    return live_;
}

std::size_t GalleryIndex::capacity() const {
    const std::shared_lock lock = shared();
    return chunks_.size() * kChunkRows;
}

std::size_t GalleryIndex::scanned_bytes(Scan scan) const {
    const std::shared_lock lock = shared();
    return static_cast<std::size_t>(next_row_) * (scan == Scan::kCodes ? codes_.bytes_a_row() : dim_ * sizeof(float));
}

}  // namespace facewire
