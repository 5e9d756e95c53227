import type { FastifyBaseLogger } from 'fastify'

/** What the parts outside a request write to: the server's own logger, or anything of its shape. */
export type Log = Pick<FastifyBaseLogger, 'info' | 'warn' | 'error' | 'debug'>
