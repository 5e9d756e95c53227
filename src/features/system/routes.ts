import type * as operations from '../../../openapi/system/operations.ts'
import type { Clock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { PublicDocuments } from '../../http/docs.ts'
import { jsonText } from '../../json-text.ts'

interface Dependencies {
  environment: Config['environment']
  clock: Clock
  documents: PublicDocuments
  metricsText(): Promise<string>
  /** Whether each dependency answers. */
  checks: { database(): Promise<boolean>; jobs(): boolean; bus(): boolean; storage(): Promise<boolean> }
}

export const systemRoutes = ({ environment, clock, documents, metricsText, checks }: Dependencies): Handlers<typeof operations> => ({
  'system.health': async () => ({ status: 'healthy', timestamp: clock.now().toISOString(), uptimeSeconds: Math.floor(process.uptime()), environment }),
  'system.ready': async ({ reply }) => {
    const [database, storage] = await Promise.all([checks.database(), checks.storage()])
    const up = { database, jobs: checks.jobs(), bus: checks.bus(), storage }
    // Without the bus everything goes on, and reaches other processes a little later; without the storage all but files does.
    const isReady = up.database && up.jobs
    if (!isReady) reply.code(503)
    return {
      status: isReady ? 'ready' : 'not_ready',
      timestamp: clock.now().toISOString(),
      services: { database: word(up.database), jobs: word(up.jobs), bus: word(up.bus), storage: word(up.storage) },
    }
  },
  'system.metrics': () => metricsText(),
  'system.openapi': async () => jsonText(documents().openapi),
  'system.asyncapi': async () => jsonText(documents().asyncapi),
  'system.postman': async () => jsonText(documents().postman),
})

const word = (isUp: boolean) => (isUp ? 'up' : 'down')
