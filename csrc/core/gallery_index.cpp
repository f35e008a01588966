#include "gallery_index.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <new>

#include "../kernels/dispatch.hpp"

namespace facewire {
namespace {

constexpr std::int64_t kNoSubject = -1;
constexpr std::size_t kAlignment = 64;   // a cache line, and one AVX-512 register
constexpr std::size_t kBlockRows = 256;  // 128 kB at 128 floats a row: stays in L2 for the next query

// The best subjects so far, few, sorted by falling similarity.
class TopSubjects {
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

    std::vector<Candidate> take() { return std::move(best_); }

  private:
    std::size_t k_;
    float floor_;
    std::vector<Candidate> best_;
};

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

std::vector<float> normalise_rows(float* rows, std::size_t count, std::size_t dim) {
    std::vector<float> lengths(count);
    for (std::size_t r = 0; r < count; ++r) {
        const double length = length_of(rows + r * dim, dim);
        if (length > 0.0) scale_row(rows + r * dim, dim, 1.0 / length);
        lengths[r] = static_cast<float>(length);
    }
    return lengths;
}

void GalleryIndex::FreeMemory::operator()(float* p) const { std::free(p); }

GalleryIndex::GalleryIndex(std::size_t dim) : dim_(dim) {}

float* GalleryIndex::row_data(std::int64_t row) const {
    const auto r = static_cast<std::size_t>(row);
    return chunks_[r / kChunkRows].get() + (r % kChunkRows) * dim_;
}

bool GalleryIndex::is_live(std::int64_t row) const {
    return row >= 0 && row < next_row_ && subjects_[static_cast<std::size_t>(row)] != kNoSubject;
}

void GalleryIndex::add_chunk() {
    // Whatever may throw comes before the memory that would leak, and subjects_ is never the shorter.
    subjects_.resize((chunks_.size() + 1) * kChunkRows, kNoSubject);
    chunks_.reserve(chunks_.size() + 1);
    const std::size_t bytes = kChunkRows * dim_ * sizeof(float);  // a multiple of 64 for any dim
    void* memory = std::aligned_alloc(kAlignment, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    chunks_.emplace_back(static_cast<float*>(memory));
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
        subjects_[static_cast<std::size_t>(row)] = kNoSubject;
        free_rows_.push_back(row);
    }
    live_ -= count;
    return true;
}

std::vector<std::vector<Candidate>> GalleryIndex::search(const float* queries, std::size_t count, std::size_t k,
                                                         float floor) const {
    std::vector<TopSubjects> best(count, TopSubjects(k, floor));
    const Kernels& table = kernels();
    std::array<float, kBlockRows> scores;
    const std::shared_lock lock = shared();
    const auto rows = static_cast<std::size_t>(next_row_);
    for (std::size_t first = 0; first < rows; first += kBlockRows) {
        const std::size_t n = std::min(kBlockRows, rows - first);
        const float* block = row_data(static_cast<std::int64_t>(first));
        for (std::size_t q = 0; q < count; ++q) {
            table.dot_rows(block, n, dim_, queries + q * dim_, scores.data());
            for (std::size_t i = 0; i < n; ++i) {
                if (!best[q].may_enter(scores[i])) continue;
                const std::int64_t subject = subjects_[first + i];
                if (subject == kNoSubject) continue;
                best[q].offer({subject, static_cast<std::int64_t>(first + i), scores[i]});
            }
        }
    }
    std::vector<std::vector<Candidate>> found;
    found.reserve(count);
    for (TopSubjects& top : best) found.push_back(top.take());
    return found;
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

}  // namespace facewire
