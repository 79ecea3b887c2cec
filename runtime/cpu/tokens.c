/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/tokens.h"

/* With default attributes neither a mutex nor a condition variable can fail to initialise on Linux. */
void trib_cpu_tokens_init(trib_cpu_tokens *tokens, int count)
{
    *tokens = (trib_cpu_tokens) { .free = count };
    pthread_mutex_init(&tokens->lock, NULL);
    pthread_cond_init(&tokens->changed, NULL);
}

void trib_cpu_tokens_destroy(trib_cpu_tokens *tokens)
{
    pthread_cond_destroy(&tokens->changed);
    pthread_mutex_destroy(&tokens->lock);
}

void trib_cpu_tokens_acquire(trib_cpu_tokens *tokens, int count)
{
    pthread_mutex_lock(&tokens->lock);
    uint64_t ticket = tokens->next_ticket++;
    while (ticket != tokens->serving || tokens->free < count) pthread_cond_wait(&tokens->changed, &tokens->lock);
    tokens->free -= count;
    tokens->serving++;
    if (tokens->next_ticket != tokens->serving) pthread_cond_broadcast(&tokens->changed);
    pthread_mutex_unlock(&tokens->lock);
}

void trib_cpu_tokens_release(trib_cpu_tokens *tokens, int count)
{
    pthread_mutex_lock(&tokens->lock);
    tokens->free += count;
    if (tokens->next_ticket != tokens->serving) pthread_cond_broadcast(&tokens->changed);
    pthread_mutex_unlock(&tokens->lock);
}
