// SPDX-License-Identifier: Apache-2.0
#include "fiber.h"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define EMULATION_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMULATION_ASAN 1
#endif
#endif

#ifdef EMULATION_ASAN
#include <sanitizer/common_interface_defs.h>
#else
static void __sanitizer_start_switch_fiber(void **, const void *, std::size_t) {}
static void __sanitizer_finish_switch_fiber(void *, const void **, std::size_t *) {}
#endif

namespace emulation
{

// AddressSanitizer's frames are several times larger.
static constexpr std::size_t stack_size = std::size_t(256) << 10;

Fiber::Fiber()
{
    boost::context::protected_fixedsize_stack stacks(stack_size);
    boost::context::stack_context stack = stacks.allocate();
    bottom_ = static_cast<char *>(stack.sp) - stack.size;
    size_ = stack.size;
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
}

Fiber::~Fiber()
{
    quit_ = true;
    resume();
}

void Fiber::start(std::function<void()> body) { body_ = std::move(body); }

void Fiber::loop()
{
    while (!quit_) {
        body_();
        suspend();
    }
}

void Fiber::resume()
{
    __sanitizer_start_switch_fiber(&outside_fake_stack_, bottom_, size_);
    inside_ = std::move(inside_).resume();
    __sanitizer_finish_switch_fiber(outside_fake_stack_, nullptr, nullptr);
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
