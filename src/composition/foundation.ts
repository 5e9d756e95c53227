/** What nearly every part stands on: the database, time and ids, the ways to tell others, and the work that outlives a request. */
import type { FastifyBaseLogger } from 'fastify'
import { createEventBus, type EventBus } from '../bus/event-bus.ts'
import { createLiveBus, type LiveBus } from '../bus/live-bus.ts'
import { createPostgresCarrier } from '../bus/postgres-carrier.ts'
import { createRedisCarrier } from '../bus/redis-carrier.ts'
import { type Clock, type NewId, newId } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Database } from '../db/client.ts'
import { readIdentity } from '../db/identity.ts'
import { createSyncRepository } from '../features/sync/repository.ts'
import { createMailer, type Mailer } from '../integrations/mailer.ts'
import { createObjectStorage, type ObjectStorage } from '../integrations/object-storage.ts'
import { createJobs, type Jobs } from '../jobs/queue.ts'
import { createTopics, type Topics } from '../topics.ts'

interface Given {
  config: Config & { jwtSecret: string }
  database: Database
  log: FastifyBaseLogger
  clock: Clock
}

export interface Foundation extends Given {
  db: Database['db']
  newId: NewId
  topics: Topics
  bus: EventBus
  liveBus: LiveBus
  jobs: Jobs
  mailer: Mailer
  objects: ObjectStorage
}

export async function layFoundation({ config, database, log, clock }: Given): Promise<Foundation> {
  const { db, pool } = database
  const { smtpUrl, mailFrom: from, dataDir, environment, redisUrl } = config
  if (environment === 'production' && smtpUrl === undefined) log.warn('SMTP_URL is not set: mails are written to DATA_DIR/mail and reach nobody')
  const objects = await createObjectStorage(config, log)
  const topics = createTopics({ log })
  const bus = await createEventBus({ pool, log })
  const carrier =
    redisUrl === undefined ? createPostgresCarrier(pool, 'parley_live') : createRedisCarrier({ url: redisUrl, readScope: () => readIdentity(pool) })
  const liveBus = await createLiveBus({ carrier, topics, readChanges: createSyncRepository(database).changes, log })
  const jobs = await createJobs({ pool, log })
  return { config, database, db, log, clock, newId, topics, bus, liveBus, jobs, mailer: createMailer({ smtpUrl, from, dataDir, log }), objects }
}
