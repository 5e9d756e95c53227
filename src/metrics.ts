/** What Prometheus reads at `/metrics`. Each app has a registry of its own, so that several can live in one process. */
import type { Pool } from 'pg'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export function createMetrics({ pool, socketCount }: { pool: Pool; socketCount(): number }) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests by route and status; its count is the number of requests',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const requestCount = new Counter({
    name: 'http_requests_total',
    help: 'HTTP requests by method and status',
    labelNames: ['method', 'status'] as const,
    registers,
  })
  const messages = new Counter({ name: 'parley_messages_total', help: 'Messages stored by this process', registers })
  gauge('parley_sockets', 'Open sockets', socketCount)
  gauge('parley_database_connections', 'Connections of the pool', () => pool.totalCount)
  gauge('parley_database_connections_idle', 'Idle connections of the pool', () => pool.idleCount)
  gauge('parley_database_queue', 'Statements that wait for a connection', () => pool.waitingCount)

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  }

  return {
    countMessage: () => messages.inc(),

    countRequest(method: string, route = 'none', { statusCode: status, elapsedTime }: { statusCode: number; elapsedTime: number }): void {
      requests.observe({ method, route, status }, elapsedTime / 1000)
      requestCount.inc({ method, status })
    },

    /** In the text format of Prometheus. */
    text: () => registry.metrics(),
  }
}
