/* SPDX-License-Identifier: Apache-2.0
 * A counting semaphore for several tokens at a time, in order of arrival: the cores of a device. */
#ifndef TRIBUTARY_RUNTIME_CPU_TOKENS_H
#define TRIBUTARY_RUNTIME_CPU_TOKENS_H

#include <pthread.h>
#include <stdint.h>

typedef struct trib_cpu_tokens {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int free;
    uint64_t next_ticket, serving;
} trib_cpu_tokens;

void trib_cpu_tokens_init(trib_cpu_tokens *tokens, int count);
void trib_cpu_tokens_destroy(trib_cpu_tokens *tokens);
/* Takes all `count` at once (no more than exist), so that two threads never each hold half of what they need. */
void trib_cpu_tokens_acquire(trib_cpu_tokens *tokens, int count);
void trib_cpu_tokens_release(trib_cpu_tokens *tokens, int count);

#endif
