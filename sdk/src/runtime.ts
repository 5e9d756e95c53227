/** Time and chance, as the SDK takes them from its surroundings. Pass your own to make tests deterministic. */
export interface Runtime {
  /** Milliseconds since 1970. */
  now(): number
  /** 0 ≤ n < 1. */
  random(): number
  /** Calls back once, later. Returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void
}

export const systemRuntime: Runtime = {
  now: Date.now,
  random: Math.random,
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    return () => clearTimeout(timer)
  },
}

/** Exponential backoff with full jitter: anything up to 0.5 s, 1 s, 2 s, 4 s, 8 s, 10 s, so that clients that fail together do not return together. */
export const backoff = (attempt: number, { random }: Runtime): number => random() * Math.min(10_000, 500 * 2 ** attempt)

/** @throws the signal's reason when it aborts first. */
export const wait = (milliseconds: number, runtime: Runtime, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const cancel = runtime.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    const abort = () => {
      cancel()
      reject(signal?.reason)
    }
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })

/** 128 random bits. `crypto.randomUUID` would do as well, but browsers have it on secure origins only. */
export const newClientId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
