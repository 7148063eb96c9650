// SPDX-License-Identifier: MIT
// metrics_prometheus_cpp.cpp - prometheus-cpp's counter, histogram and text.
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <memory>
#include <sstream>
#include <string>

#include "../bench_metrics.h"

namespace {

struct Subject {
    std::shared_ptr<prometheus::Registry> registry =
        std::make_shared<prometheus::Registry>();
    prometheus::Counter *counter = nullptr;
    prometheus::Histogram *histogram = nullptr;
};

void *make()
{
    auto *s = new Subject;
    s->counter = &prometheus::BuildCounter()
                      .Name("c_total")
                      .Help("h")
                      .Register(*s->registry)
                      .Add({});
    prometheus::Histogram::BucketBoundaries bounds;
    for (int power = 0; power <= 42; power++)
        bounds.push_back(double(1ull << power));
    s->histogram = &prometheus::BuildHistogram()
                        .Name("h_ns")
                        .Help("h")
                        .Register(*s->registry)
                        .Add({}, bounds);
    return s;
}

void *make_series()
{
    auto *s = static_cast<Subject *>(make());
    auto &family = prometheus::BuildCounter()
                       .Name("requests_total")
                       .Help("h")
                       .Register(*s->registry);
    for (int i = 0; i < BENCH_METRICS_SERIES; i++)
        family
            .Add({{"method", "GET"}, {"path", "/path/" + std::to_string(i)}})
            .Increment(i * 1000003.0);
    return s;
}

void add(void *subject)
{
    static_cast<Subject *>(subject)->counter->Increment();
}

void record(void *subject)
{
    static_cast<Subject *>(subject)->histogram->Observe(bench_metrics_value());
}

void scrape(void *subject)
{
    std::ostringstream out;
    prometheus::TextSerializer{}.Serialize(
        out, static_cast<Subject *>(subject)->registry->Collect());
}

void release(void *subject)
{
    delete static_cast<Subject *>(subject);
}

} // namespace

extern "C" const metrics_contest prometheus_cpp[3] = {
    {make, add, release}, {make, record, release},
    {make_series, scrape, release}};
