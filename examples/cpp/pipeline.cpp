// SPDX-License-Identifier: MIT
// pipeline.cpp - two stages of threads, and jobs that one of them owns at any
// moment.
//
// Parsers turn lines into jobs, movers take them out. A bounded queue is
// between them, so that fast parsers wait instead of filling the memory; the
// close ends every loop after the last job.
#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <girt/girt.hpp>

namespace
{

struct job {
    std::string name;
    int size;
};

} // namespace

int main()
{
    girt::queue<std::string> lines(16);
    girt::queue<std::unique_ptr<job>> jobs(16);
    std::atomic<int> parsing{2};
    std::atomic<long> moved{0};
    std::atomic<int> count{0};

    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] {
            for (std::string line : lines) {
                std::size_t const space = line.find(' ');
                auto made = std::make_unique<job>(job{
                    line.substr(0, space), std::stoi(line.substr(space + 1))});
                if (jobs.push(std::move(made)) != GIRT_OK)
                    break;
            }
            if (--parsing == 0) // the last of them
                jobs.close();
        });
    for (int i = 0; i < 2; i++)
        threads.emplace_back([&] {
            for (std::unique_ptr<job> next : jobs) {
                moved += next->size;
                count++;
            }
        });

    for (int i = 1; i <= 1000; i++)
        if (lines.push("box " + std::to_string(i)) != GIRT_OK)
            break;
    lines.close();
    for (std::thread &thread : threads)
        thread.join();
    std::cout << count << " jobs, " << moved << " in all\n";

    girt::status why;
    bool const more = jobs.pop(girt::forever, &why).has_value();
    std::cout << "another: " << (more ? "a job" : girt_status_text(why))
              << "\n";
}
