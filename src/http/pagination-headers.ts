import type { FastifyReply } from 'fastify'

interface Counted {
  /** Undefined where nobody asked for it. */
  total: number | undefined
  limit: number
  /** Undefined where a cursor leads to it. */
  page: number | undefined
}

/** Says how many there are beside the page; the operation declares `paginationHeaders`. */
export function setPaginationHeaders(reply: FastifyReply, { total, limit, page }: Counted): void {
  if (total === undefined) return
  reply.header('X-Pagination-Total', total)
  reply.header('X-Pagination-Pages', Math.ceil(total / limit))
  if (page !== undefined) reply.header('X-Pagination-Current-Page', page)
  reply.header('X-Pagination-Per-Page', limit)
}
