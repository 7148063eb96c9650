// SPDX-License-Identifier: MIT
// word_counts.cpp - one map that four threads change, without a lock of ours.
#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <girt/girt.hpp>

namespace
{

struct tally {
    long count;
    std::size_t longest_line;
};

} // namespace

int main()
{
    std::string const text = "the beam ties the columns so that they share "
                             "the load that one column could not carry";
    girt::map<std::string, tally> words;

    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&] {
            for (int round = 0; round < 250; round++) {
                std::istringstream in(text);
                std::string word;
                while (in >> word)
                    // One atomic step: no count is lost.
                    words.update(word, [&](tally &seen, bool) {
                        seen.count++;
                        seen.longest_line =
                            std::max(seen.longest_line, text.size());
                    });
            }
        });
    for (std::thread &thread : threads)
        thread.join();

    std::vector<std::pair<long, std::string>> sorted;
    words.each([&](std::string_view word, const tally &seen) {
        sorted.emplace_back(-seen.count, word);
    });
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < 3; i++)
        std::cout << -sorted[i].first << " " << sorted[i].second << "\n";
    std::cout << words.size() << " words, "
              << (words.contains("girt") ? "" : "none is ") << "girt\n";
}
