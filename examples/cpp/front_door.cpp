// SPDX-License-Identifier: MIT
// front_door.cpp - what stands before a slow backend: a limit for each client,
// a cache, and a breaker that stops calling what is down.
//
// Time is an argument here, so that the output is the same at every run.
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>

#include <girt/girt.hpp>

using namespace std::chrono_literals;

namespace
{

class front_door
{
  public:
    explicit front_door(const girt_clock &clock)
        : clients_(limits(clock)), cache_(1 << 20), breaker_(trips(clock))
    {
    }

    std::string answer(std::string_view client, std::string_view page)
    {
        girt::decision const allowed = clients_.take(client);
        if (!allowed)
            return "429, again in " +
                   std::to_string(allowed.retry_after() / 1ms) + " ms";
        try {
            // Of all who ask for one page at once, one calls the backend.
            auto const value = cache_.load(page, [&](girt::bytes key) {
                return breaker_.call([&] { return fetch(key.text()); });
            });
            return "200 " + std::string(value->text());
        } catch (const girt::error &failure) {
            return failure.status() == GIRT_REJECTED ? "503, not even tried"
                                                     : "503";
        } catch (const std::exception &failure) {
            return std::string("502 ") + failure.what();
        }
    }

    bool down = false;
    int calls = 0;

  private:
    static girt::keyed_limiter_options limits(const girt_clock &clock)
    {
        girt::keyed_limiter_options options;
        options.rate = girt::rate(10, 1s, 3);
        options.keys = 1000;
        options.clock = clock;
        return options;
    }

    static girt::breaker_options trips(const girt_clock &clock)
    {
        girt::breaker_options options;
        options.calls_min = 2;
        options.clock = clock;
        return options;
    }

    girt::loaded fetch(std::string_view page)
    {
        calls++;
        if (down)
            throw std::runtime_error("backend is down");
        return {"<h1>" + std::string(page) + "</h1>", 0s};
    }

    girt::keyed_limiter clients_;
    girt::cache cache_;
    girt::breaker breaker_;
};

} // namespace

int main()
{
    std::int64_t time_ns = 1;
    girt_clock clock;
    girt_clock_manual(&clock, &time_ns);
    front_door door(clock);

    for (int i = 0; i < 4; i++)
        std::cout << "ann  /a: " << door.answer("ann", "/a") << "\n";
    std::cout << "bob  /a: " << door.answer("bob", "/a") << "\n";
    std::cout << "backend calls: " << door.calls << "\n";

    door.down = true;
    for (const char *page : {"/b", "/c", "/d"})
        std::cout << "cid  " << page << ": " << door.answer("cid", page)
                  << "\n";
    std::cout << "dora /a: " << door.answer("dora", "/a") << "\n";
    std::cout << "backend calls: " << door.calls << "\n";

    door.down = false;
    time_ns += 6000000000; // the breaker tries again after 5 s
    std::cout << "cid  /d: " << door.answer("cid", "/d") << "\n";
}
