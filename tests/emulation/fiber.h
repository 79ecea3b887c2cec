// SPDX-License-Identifier: Apache-2.0
// A separate stack to run a function on, which can be entered and left at any time (Boost.Context). AddressSanitizer
// and ThreadSanitizer are told of every switch.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstddef>
#include <functional>

namespace emulation
{

class Fiber
{
  public:
    Fiber();
    ~Fiber();
    Fiber(const Fiber &) = delete;
    Fiber &operator=(const Fiber &) = delete;

    // What the next resume() begins. The body must not let an exception escape.
    void start(std::function<void()> body);
    // Runs the body until it suspends itself or returns.
    void resume();
    // From inside the body: returns to the resumer.
    void suspend();

  private:
    void loop();
    void enter();
    void leave();

    std::function<void()> body_;
    bool quit_ = false;
    boost::context::fiber inside_, outside_;
    // What AddressSanitizer wants to know about the two stacks of a switch.
    const void *bottom_ = nullptr, *outside_bottom_ = nullptr;
    std::size_t size_ = 0, outside_size_ = 0;
    void *fake_stack_ = nullptr, *outside_fake_stack_ = nullptr;
    void *tsan_; // ThreadSanitizer's fiber
};

} // namespace emulation
