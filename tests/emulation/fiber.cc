// SPDX-License-Identifier: Apache-2.0
#include "fiber.h"

#include <utility>

// Which sanitizer what runs on fibers is built with: this file may be without.
#ifdef EMULATION_ASAN
#include <sanitizer/common_interface_defs.h>
#else
static void __sanitizer_start_switch_fiber(void **, const void *, std::size_t) {}
static void __sanitizer_finish_switch_fiber(void *, const void **, std::size_t *) {}
#endif

#ifdef EMULATION_TSAN
#include <sanitizer/tsan_interface.h>
#else
static void *__tsan_create_fiber(unsigned) { return nullptr; }
static void *__tsan_get_current_fiber() { return nullptr; }
static void __tsan_switch_to_fiber(void *, unsigned) {}
static void __tsan_destroy_fiber(void *) {}
#endif

namespace emulation
{

// AddressSanitizer's frames are several times larger.
static constexpr std::size_t stack_size = std::size_t(256) << 10;

Fiber::Fiber() : tsan_(__tsan_create_fiber(0))
{
    boost::context::protected_fixedsize_stack stacks(stack_size);
    boost::context::stack_context stack = stacks.allocate();
    bottom_ = static_cast<char *>(stack.sp) - stack.size;
    size_ = stack.size;
    void *outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_, 0);
    // Boost runs the new stack's first frames now. AddressSanitizer must not take them for frames of this stack, which
    // it clears away when an exception is thrown here.
    __sanitizer_start_switch_fiber(&outside_fake_stack_, bottom_, size_);
    inside_ = boost::context::fiber(std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack),
                                    stacks, [this](boost::context::fiber &&outside) {
                                        outside_ = std::move(outside);
                                        enter();
                                        loop();
                                        __sanitizer_start_switch_fiber(nullptr, outside_bottom_, outside_size_);
                                        return std::move(outside_);
                                    });
    __sanitizer_finish_switch_fiber(outside_fake_stack_, &outside_bottom_, &outside_size_);
    __sanitizer_start_switch_fiber(&outside_fake_stack_, outside_bottom_, outside_size_);
    __sanitizer_finish_switch_fiber(outside_fake_stack_, nullptr, nullptr);
    __tsan_switch_to_fiber(outside, 0);
}

Fiber::~Fiber()
{
    quit_ = true;
    resume();
    __tsan_destroy_fiber(tsan_);
}

void Fiber::start(std::function<void()> body) { body_ = std::move(body); }

void Fiber::loop()
{
    while (!quit_) {
        body_();
        suspend();
    }
}

// Only the resumer tells ThreadSanitizer of switches: each stack then returns from the functions it has called while
// the same fiber is current, also when the fiber ends.
void Fiber::resume()
{
    void *outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_, 0);
    __sanitizer_start_switch_fiber(&outside_fake_stack_, bottom_, size_);
    inside_ = std::move(inside_).resume();
    __sanitizer_finish_switch_fiber(outside_fake_stack_, nullptr, nullptr);
    __tsan_switch_to_fiber(outside, 0);
}

void Fiber::suspend()
{
    leave();
    outside_ = std::move(outside_).resume();
    enter();
}

void Fiber::leave() { __sanitizer_start_switch_fiber(&fake_stack_, outside_bottom_, outside_size_); }

void Fiber::enter() { __sanitizer_finish_switch_fiber(fake_stack_, &outside_bottom_, &outside_size_); }

} // namespace emulation
