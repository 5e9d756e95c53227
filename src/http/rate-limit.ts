/** The limits of the contract on requests: @fastify/rate-limit over the counters that sockets use too. */
import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { RateLimitClass } from '../../openapi/contract.ts'
import { networkOf } from '../caller-address.ts'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors/app-error.ts'
import { counterKey, type RateCounters } from '../rate-counters.ts'

/** Counted by address, signed in or not; the others by user. */
const countedByAddress: ReadonlySet<RateLimitClass> = new Set(['auth', 'public'])

export async function createRateLimit(app: FastifyInstance, { counters, clock }: { counters: RateCounters; clock: Clock }) {
  class Store {
    incr(key: string, callback: (error: Error | null, result?: { current: number; ttl: number }) => void, windowMilliseconds: number): void {
      const { used, remainingMilliseconds } = counters.increment(key, windowMilliseconds)
      callback(null, { current: used, ttl: remainingMilliseconds })
    }

    child(): Store {
      return this
    }
  }

  await app.register(fastifyRateLimit, {
    global: false,
    store: Store,
    errorResponseBuilder: (_request, { ttl }) => {
      const seconds = Math.ceil(ttl / 1000)
      return new AppError('rate_limit_exceeded', `Too many requests; try again in ${seconds} s.`, { retryAfterSeconds: seconds })
    },
  })

  // The plugin counts the seconds to go; ours is the Unix time at which the window ends.
  app.addHook('onSend', (_request, reply, payload, done) => {
    const seconds = reply.getHeader('x-ratelimit-reset')
    if (seconds !== undefined) reply.header('x-ratelimit-reset', Math.ceil(clock.now().getTime() / 1000) + Number(seconds))
    done(null, payload)
  })

  return (rateLimitClass: RateLimitClass): onRequestAsyncHookHandler[] => {
    const limit = counters.limitOf(rateLimitClass)
    if (limit === undefined) return []
    const keyGenerator = (request: FastifyRequest) => counterKey(rateLimitClass, countedAs(request, rateLimitClass))
    return [app.rateLimit({ max: limit.limit, timeWindow: limit.windowMilliseconds, keyGenerator }) as onRequestAsyncHookHandler]
  }
}

function countedAs(request: FastifyRequest, rateLimitClass: RateLimitClass): string {
  return request.actor === undefined || countedByAddress.has(rateLimitClass) ? networkOf(request.ip) : request.actor.userId
}
